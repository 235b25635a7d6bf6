//! From a step to a run: days, checkpoints, failures, energy.

use vitruvian_quantity::Seconds;

use crate::job::Job;
use crate::step::Step;
use crate::weights::Held;

/// What a run depends on beside its step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// Tokens to train on.
    pub tokens: f64,
    /// Mean time between failures of one chip with its share of the node.
    pub chip_mtbf: Seconds,
    /// From a failure to the first step after it, detection and loading included.
    pub restart: Seconds,
    /// Bytes a second that one chip writes to storage.
    pub storage: f64,
    /// Time between checkpoints; nothing for the best.
    pub interval: Option<Seconds>,
}

/// A run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// Steps.
    pub steps: f64,
    /// Time of all steps if nothing fails, in seconds.
    pub ideal: f64,
    /// Time with checkpoints, failures and restarts, in seconds.
    pub wall: f64,
    /// Time of one checkpoint, in seconds.
    pub checkpoint: f64,
    /// Time between two, in seconds.
    pub interval: f64,
    /// Mean time between failures of the whole job, in seconds.
    pub mtbf: f64,
    /// Failures to expect.
    pub failures: f64,
    /// Share of the wall time that is progress.
    pub goodput: f64,
    /// Hours of all chips.
    pub chip_hours: f64,
    /// Energy of the chips, in joules.
    pub energy: f64,
}

/// The best time between checkpoints that take δ with a failure every M: √(2δM) (Young, CACM 17(9), 1974), refined as
/// √(2δM)·(1 + √(δ/2M)/3 + δ/18M) − δ while δ < 2M, else M (Daly, FGCS 22(3), 2006).
pub fn best_interval(checkpoint: f64, mtbf: f64) -> f64 {
    if checkpoint >= 2.0 * mtbf {
        return mtbf;
    }
    let ratio = checkpoint / (2.0 * mtbf);
    (2.0 * checkpoint * mtbf).sqrt() * (1.0 + ratio.sqrt() / 3.0 + ratio / 9.0) - checkpoint
}

/// Wall time over progress for work of τ between checkpoints of δ, failures every M and restarts of R.
///
/// Daly's complete model: M·e^(R/M)·(e^((τ+δ)/M) − 1)/τ.
pub fn stretch(interval: f64, checkpoint: f64, mtbf: f64, restart: f64) -> f64 {
    mtbf * (restart / mtbf).exp() * ((interval + checkpoint) / mtbf).exp_m1() / interval
}

/// Bytes of a checkpoint: 16-bit parameters and optimizer states of all.
pub fn checkpoint_bytes(job: &Job<'_>) -> f64 {
    let each = job.recipe.states(job.stack.figures.gradient);
    let parameters = vitruvian_model::parameters(job.model);
    (parameters.total + parameters.mtp) as f64 * (each.parameter + each.optimizer)
}

/// A run of these steps.
pub fn run(job: &Job<'_>, step: &Step, conditions: &Conditions) -> Run {
    let chips = f64::from(step.plan.degrees.chips());
    let steps = (conditions.tokens / job.tokens()).ceil().max(1.0);
    let ideal = steps * step.time;
    let checkpoint = checkpoint_bytes(job) / (conditions.storage * chips);
    let mtbf = conditions.chip_mtbf.get() / chips;
    let best = || best_interval(checkpoint, mtbf).max(step.time);
    let interval = conditions.interval.map_or_else(best, Seconds::get);
    let wall = ideal * stretch(interval, checkpoint, mtbf, conditions.restart.get());
    Run {
        steps,
        ideal,
        wall,
        checkpoint,
        interval,
        mtbf,
        failures: wall / mtbf,
        goodput: ideal / wall,
        chip_hours: wall * chips / 3600.0,
        energy: step.chip_power * chips * wall,
    }
}

/// Parameters of one rank of a plan's fullest device, for a reader.
pub fn held(job: &Job<'_>, step: &Step) -> Held {
    let degrees = step.plan.degrees;
    job.model.kinds.iter().fold(Held::default(), |sum, layer| sum.plus(Held::of_layer(job.model, layer, degrees)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_interval_is_youngs_where_checkpoints_are_short() {
        // √(2 · 10 s · 100,000 s) = 1414 s; Daly's terms add 1414·√(10/200,000)/3 = 3.3 and take 10 away.
        let interval = best_interval(10.0, 1e5);
        assert!((interval - (1414.21 + 3.33 - 10.0)).abs() < 0.1, "{interval}");
    }

    #[test]
    fn no_other_interval_is_better() {
        let at = |interval| stretch(interval, 60.0, 7200.0, 600.0);
        let best = best_interval(60.0, 7200.0);
        assert!(at(best) < at(0.9 * best) && at(best) < at(1.1 * best));
    }

    #[test]
    fn without_failures_only_checkpoints_cost() {
        // (τ + δ)/τ = 1.1
        assert!((stretch(100.0, 10.0, 1e12, 600.0) - 1.1).abs() < 1e-6);
    }
}
