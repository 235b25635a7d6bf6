//! Gradients and parameters between data-parallel copies.

use vitruvian_cost::Refusal;
use vitruvian_engine::Meter;
use vitruvian_model::{Collective, CollectiveKind, Group, Operator};

use crate::job::Job;
use crate::plan::{Plan, Sharding};
use crate::weights::Held;

/// Time of the exchanges of one rank's parameters, in seconds, nothing hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Traffic {
    /// Gradients: reduce-scatter, or all-reduce without sharding.
    pub(crate) gradients: f64,
    /// Parameters: all-gather.
    pub(crate) parameters: f64,
    pub(crate) energy: f64,
}

/// Once for all of `held`: `gradient` bytes each way for gradients, two for parameters (arXiv 1910.02054, section 7).
///
/// # Errors
/// Never for exchanges; the signature is the meter's.
pub(crate) fn once(job: &Job<'_>, plan: &Plan, held: Held, meter: &mut Meter<'_>) -> Result<Traffic, Refusal> {
    let d = plan.degrees;
    let each = job.recipe.states(job.stack.figures.gradient);
    let mut traffic = Traffic::default();
    for (parameters, group) in [(held.dense, d.dp_group()), (held.experts, d.edp_group())] {
        if group.size < 2 || parameters <= 0.0 {
            continue;
        }
        let reduce = if plan.sharding == Sharding::None {
            CollectiveKind::AllReduce
        } else {
            CollectiveKind::ReduceScatter
        };
        let mut exchange = |kind, bytes: f64| price(job, kind, group, bytes, meter);
        let (time, energy) = exchange(reduce, parameters * each.gradient)?;
        traffic.gradients += time;
        traffic.energy += energy;
        if plan.sharding != Sharding::None {
            let (time, energy) = exchange(CollectiveKind::AllGather, parameters * each.parameter)?;
            traffic.parameters += time;
            traffic.energy += energy;
        }
    }
    Ok(traffic)
}

/// Time and energy of one exchange.
pub(crate) fn price(
    job: &Job<'_>,
    kind: CollectiveKind,
    group: Group,
    bytes: f64,
    meter: &mut Meter<'_>,
) -> Result<(f64, f64), Refusal> {
    let operator = Operator::Collective(Collective { kind, group, bytes: bytes as u64 });
    let estimate = meter.operator(&operator)?;
    Ok((estimate.time.get() * job.stack.figures.collective, estimate.energy.get()))
}
