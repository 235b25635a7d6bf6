//! The time and energy of one iteration of a replica.

use vitruvian_cost::{Bound, Estimate, Refusal, Work};
use vitruvian_model::{Operator, PrefillAttention, Step};
use vitruvian_quantity::{Joules, Seconds};

use crate::exchange::{Phases, split};
use crate::replica::{Meter, Replica};
use crate::schedule::schedule;

/// Bounds that a step's time is shared among, in the order of [`StepCost::by_bound`].
pub const BOUNDS: [Bound; 8] = [
    Bound::Matrix,
    Bound::Vector,
    Bound::Hbm,
    Bound::L2,
    Bound::Latency,
    Bound::Launch,
    Bound::Network,
    Bound::Host,
];

/// Operator kinds whose errors are independent of each other.
const KINDS: usize = 11;

/// What one iteration costs: one micro-batch through all pipeline stages of one replica.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepCost {
    /// From the first stage's start to the sampled token, host included.
    pub latency: Seconds,
    /// Time after which the next micro-batch may start: the slowest stage.
    pub interval: Seconds,
    /// The host's share of `latency` that the device waits for.
    pub host: Seconds,
    /// The exchange of tokens between experts that passes unseen behind computation, and is not in `latency`; negative where
    /// hiding it costs more than it hides.
    pub hidden: Seconds,
    /// Energy above active idle, of all chips of the replica.
    pub energy: Joules,
    /// `latency` by what bounds it, in the order of [`BOUNDS`].
    pub by_bound: [Seconds; BOUNDS.len()],
    /// Relative standard deviation of `latency`: full correlation within an operator kind, none across kinds.
    pub sigma: f64,
    /// What all chips of the replica compute and move.
    pub work: Work,
}

/// Running sums over the tasks of a step.
#[derive(Default)]
struct Sums {
    device: Seconds,
    slowest_stage: Seconds,
    issue: Seconds,
    hidden: Seconds,
    energy: Joules,
    by_bound: [Seconds; BOUNDS.len()],
    deviation: [f64; KINDS],
    work: Work,
}

/// Costs one iteration of one data-parallel group of a replica; `step` is what that group processes.
///
/// The device runs the tasks of a stage one after another. A step that no captured graph serves cannot run faster than
/// the host launches its kernels. Stages follow each other; the slowest sets the pace of a full pipeline. Where the engine
/// hides the exchange of tokens between experts, what is hidden is taken off ([`crate::exchange`]).
///
/// # Errors
/// The chip cannot do one of the operators, with the reason.
pub fn step_cost(replica: &Replica<'_>, step: &Step, meter: &mut Meter<'_>) -> Result<StepCost, Refusal> {
    let mut sums = Sums::default();
    let stages = replica.layout.pp;
    for stage in 0..stages {
        add_stage(&mut sums, replica, step, stage, meter)?;
    }
    let ranks = f64::from(replica.layout.tp * replica.layout.dp * replica.layout.cp);
    Ok(finish(&sums, replica, step, ranks, stages))
}

/// The step with the rows that its captured graph adds. Only decode-only steps are captured whole.
pub(crate) fn captured(replica: &Replica<'_>, step: &Step) -> Step {
    match (step.prefill, step.decode) {
        (None, Some(decode)) => {
            let rows = decode.sequences * decode.queries;
            Step { padding: replica.engine.captured(rows) - rows, ..*step }
        }
        _ => *step,
    }
}

fn is_captured(replica: &Replica<'_>, step: &Step) -> bool {
    let largest = match step.prefill {
        Some(_) => replica.engine.capture_mixed,
        None => replica.engine.capture_max,
    };
    step.tokens() <= largest
}

fn add_stage(
    sums: &mut Sums,
    replica: &Replica<'_>,
    step: &Step,
    stage: u32,
    meter: &mut Meter<'_>,
) -> Result<(), Refusal> {
    let (part, times) = split(replica, step);
    let part = captured(replica, &part);
    let mut list = std::mem::take(&mut meter.tasks);
    list.clear();
    schedule(replica, meter.chip(), stage, &part, &mut list);
    let before = sums.device;
    let (mut kernels, mut phases) = (0, Phases::default());
    for task in &list {
        let estimate = operator(replica, &task.operator, meter)?;
        add(sums, &task.operator, &estimate, f64::from(task.count * times));
        if replica.engine.exchange.is_some() {
            phases.add(task, estimate.time.get() * f64::from(task.count));
        }
        kernels += task.count * times;
    }
    meter.tasks = list;
    hide(sums, replica, &part, &phases, meter);
    if !is_captured(replica, &part) {
        let launch = replica.engine.launch.max(meter.chip().compute.eager_launch);
        wait_for_launches(sums, before, launch * f64::from(kernels));
    }
    sums.slowest_stage = sums.slowest_stage.max(sums.device - before);
    Ok(())
}

/// What one operator costs under this engine.
pub(crate) fn operator(
    replica: &Replica<'_>,
    operator: &Operator,
    meter: &mut Meter<'_>,
) -> Result<Estimate, Refusal> {
    let estimate = meter.operator(operator)?;
    let Operator::PrefillAttention(prompts) = operator else { return Ok(estimate) };
    let factor = replica.engine.prompt_attention;
    if factor == 1.0 {
        return Ok(estimate);
    }
    // A single token takes what every call takes, which a slower kernel does not lengthen.
    let one = PrefillAttention { batch: 1, new: 1, cached: 0, ..*prompts };
    let least = meter.operator(&Operator::PrefillAttention(one))?.time.min(estimate.time);
    Ok(Estimate { time: least + (estimate.time - least) * factor, ..estimate })
}

fn add(sums: &mut Sums, operator: &Operator, estimate: &Estimate, count: f64) {
    let time = estimate.time * count;
    sums.device += time;
    sums.energy += estimate.energy * count;
    sums.by_bound[estimate.bound as usize] += time;
    sums.deviation[kind(operator)] += time.get() * estimate.sigma;
    sums.work.matrix += estimate.work.matrix * count;
    sums.work.vector += estimate.work.vector * count;
    sums.work.hbm += estimate.work.hbm * count;
    sums.work.l2 += estimate.work.l2 * count;
}

/// Takes off what passes unseen of the exchange between experts. Kernels that exchange prompts hold some cores meanwhile; those of
/// decode leave them all.
fn hide(sums: &mut Sums, replica: &Replica<'_>, step: &Step, phases: &Phases, meter: &Meter<'_>) {
    let Some(how) = replica.engine.exchange else { return };
    let cores = f64::from(meter.chip().compute.cores);
    let taken = if step.prefill.is_some() { f64::from(replica.engine.exchange_cores) } else { 0.0 };
    let hidden = Seconds::new(phases.hidden(how, cores / (cores - taken).max(1.0)));
    sums.device = sums.device - hidden;
    sums.hidden += hidden;
    let network = &mut sums.by_bound[Bound::Network as usize];
    *network = *network - hidden;
}

/// Without a captured graph a stage lasts at least as long as the host needs to launch its kernels.
fn wait_for_launches(sums: &mut Sums, before: Seconds, launches: Seconds) {
    let busy = sums.device - before;
    if launches > busy {
        let idle = launches - busy;
        sums.device += idle;
        sums.issue += idle;
        sums.by_bound[Bound::Launch as usize] += idle;
    }
}

fn finish(sums: &Sums, replica: &Replica<'_>, step: &Step, ranks: f64, stages: u32) -> StepCost {
    let sequences = step.decode.map_or(0, |d| d.sequences) + step.prefill.map_or(0, |p| p.sequences);
    let host = replica.engine.host_time(sequences);
    let latency = replica.engine.step_time(sums.device, host, replica.expert_layers());
    let waited = latency - sums.device;
    let mut by_bound = sums.by_bound;
    by_bound[Bound::Host as usize] += waited;
    let variance: f64 = sums.deviation.iter().map(|d| d * d).sum();
    StepCost {
        latency,
        interval: if stages == 1 { latency } else { sums.slowest_stage.max(host) },
        host: waited,
        hidden: sums.hidden,
        energy: sums.energy * ranks,
        by_bound,
        sigma: variance.sqrt() / latency.get(),
        work: scale(&sums.work, ranks),
    }
}

fn scale(work: &Work, ranks: f64) -> Work {
    Work {
        matrix: work.matrix * ranks,
        vector: work.vector * ranks,
        hbm: work.hbm * ranks,
        l2: work.l2 * ranks,
    }
}

const fn kind(operator: &Operator) -> usize {
    match operator {
        Operator::Gemm(_) => 0,
        Operator::GroupedGemm(_) => 1,
        Operator::PrefillAttention(_) => 2,
        Operator::DecodeAttention(_) => 3,
        Operator::MlaDecode(_) => 4,
        Operator::Indexer(_) => 5,
        Operator::LinearAttention(_) => 6,
        Operator::Vector(_) => 7,
        Operator::Embedding(_) => 8,
        Operator::Sampling(_) => 9,
        Operator::Collective(_) => 10,
    }
}

impl StepCost {
    /// What most of the time is spent on.
    pub fn bound(&self) -> Bound {
        let longest = BOUNDS.iter().zip(self.by_bound).max_by(|a, b| a.1.get().total_cmp(&b.1.get()));
        longest.map_or(Bound::Launch, |(bound, _)| *bound)
    }
}
