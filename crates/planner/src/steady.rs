//! The steady state of continuous batching: what a replica that is kept full delivers.
//!
//! A replica keeps `n` sequences in decode in each data-parallel group and pipeline slot. A request leaves after d = OSL − 1
//! decode steps, so each step frees n/d places and prefill must supply p = ISL · n/d tokens a step. How that prefill shares
//! the device with decode is the scheduler's choice:
//!
//! - *mixed* (vLLM V1): a step holds the n decode tokens and up to `chunk − n` prefill tokens. A share f of the steps carries
//!   a chunk of q tokens, f · q = p. The mean step is (1−f)·t_dec + f·t_mix.
//! - *prefill first* (SGLang, MindIE): prefill steps run alone and hold decode up. The mean step is t_dec plus the prefill
//!   time that falls on one step.
//!
//! A request waits for the step under way, for the prefill work queued before it, and for its own chunks; it never waits
//! for the prefill of a whole batch. The queue is M/D/1 with the prefill load ρ: W = ρ/(2(1−ρ)) · S (Pollaczek–Khinchine),
//! bounded by the half of a closed population.

use vitruvian_cost::Refusal;
use vitruvian_engine::{Meter, Replica, Scheduler, StepCost, step_cost};
use vitruvian_model::{Prefill, Step};
use vitruvian_quantity::{Joules, Seconds};

use crate::workload::Workload;

/// What a full replica delivers. Rates are of one replica.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steady {
    /// Mean time to first token: rest of the step under way, queue, own prefill.
    pub ttft: Seconds,
    /// Of it, the wait for prefill work queued before the request.
    pub queued: Seconds,
    /// Of it, the steps that carry its own prefill.
    pub service: Seconds,
    /// Mean time per output token after the first.
    pub tpot: Seconds,
    /// Requests finished per second.
    pub requests_per_s: f64,
    /// Share of the device's time that prefill takes.
    pub prefill_share: f64,
    /// Prefill work over what the scheduler can carry; below one.
    pub load: f64,
    /// Energy above active idle of one mean step of the whole replica.
    pub energy: Joules,
    /// Relative standard deviation of `tpot`.
    pub tpot_sigma: f64,
    /// Relative standard deviation of `ttft`.
    pub ttft_sigma: f64,
    /// A step of decode alone.
    pub decode: StepCost,
    /// A step that carries prefill, with decode in it where the scheduler mixes.
    pub prefill: StepCost,
}

/// Why there is no steady state.
#[derive(Clone, Debug, PartialEq)]
pub enum Halt {
    /// The chip cannot do an operator.
    Refused(Refusal),
    /// Prefill takes more than a step can carry; the load, above one.
    Saturated(f64),
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What one pipeline slot of one data-parallel group runs.
#[derive(Clone, Copy)]
struct Slot {
    /// Sequences in decode.
    sequences: u32,
    /// Prefill tokens that one step must supply.
    supply: f64,
    /// Most tokens of one step.
    chunk: u32,
    /// Pipeline stages, and micro-batches in flight.
    stages: u32,
}

/// How prefill and decode share the device.
struct Share {
    step: Seconds,
    prefill_time: Seconds,
    service: Seconds,
    residual: Seconds,
    queued: Seconds,
    load: f64,
    energy: Joules,
    prefill: StepCost,
}

/// The steady state of a replica with `batch` running sequences and steps of at most `chunk` tokens.
///
/// # Errors
/// The chip refuses an operator, or prefill cannot keep the batch full.
pub fn steady(
    replica: &Replica<'_>,
    workload: &Workload,
    batch: u32,
    chunk: u32,
    meter: &mut Meter<'_>,
) -> Result<Steady, Halt> {
    let slot = slot(replica, workload, batch, chunk);
    let decode = step_cost(replica, &decode_step(workload, slot.sequences), meter)?;
    let share = match replica.engine.scheduler {
        Scheduler::Mixed => mixed(replica, workload, slot, &decode, meter)?,
        Scheduler::PrefillFirst | Scheduler::WholePrompts => {
            prefill_first(replica, workload, slot, &decode, meter)?
        }
    };
    Ok(assemble(replica, workload, slot, &decode, &share))
}

fn slot(replica: &Replica<'_>, workload: &Workload, batch: u32, chunk: u32) -> Slot {
    let stages = replica.layout.pp;
    let sequences = batch.div_ceil(replica.layout.dp * stages).max(1);
    let steps = f64::from(workload.decode_steps().max(1));
    Slot { sequences, supply: f64::from(workload.new_tokens()) * f64::from(sequences) / steps, chunk, stages }
}

pub(crate) fn decode_step(workload: &Workload, sequences: u32) -> Step {
    Step::decode(sequences, workload.mean_context())
}

/// Time after which every micro-batch in flight has made one step.
pub(crate) fn cycle(cost: &StepCost, stages: u32) -> Seconds {
    cost.latency.max(cost.interval * f64::from(stages))
}

fn mixed(
    replica: &Replica<'_>,
    workload: &Workload,
    slot: Slot,
    decode: &StepCost,
    meter: &mut Meter<'_>,
) -> Result<Share, Halt> {
    let room = f64::from(slot.chunk.saturating_sub(slot.sequences));
    let load = if room > 0.0 { slot.supply / room } else { f64::INFINITY };
    if load >= 1.0 {
        return Err(Halt::Saturated(load));
    }
    let new = f64::from(workload.new_tokens());
    let tokens = new.max(slot.supply).min(room);
    let step = Step { decode: decode_step(workload, slot.sequences).decode, ..chunk_step(workload, tokens) };
    let carrying = step_cost(replica, &step, meter)?;
    let (plain, full) = (cycle(decode, slot.stages), cycle(&carrying, slot.stages));
    let share = slot.supply / tokens;
    let mean = plain * (1.0 - share) + full * share;
    Ok(Share {
        step: mean,
        prefill_time: (full - plain).max(Seconds::ZERO) * share,
        service: through(new / tokens, plain, full),
        residual: mean / 2.0,
        queued: queue(load, full * (new / room), slot.sequences),
        load,
        energy: decode.energy * (1.0 - share) + carrying.energy * share,
        prefill: carrying,
    })
}

/// Time of a prompt that fills `chunks` steps: whole ones, and a last one in proportion to what is left of the prompt.
fn through(chunks: f64, plain: Seconds, full: Seconds) -> Seconds {
    let rest = chunks.fract();
    let last = if rest > 0.0 { plain + (full - plain) * rest } else { Seconds::ZERO };
    full * chunks.trunc() + last
}

fn prefill_first(
    replica: &Replica<'_>,
    workload: &Workload,
    slot: Slot,
    decode: &StepCost,
    meter: &mut Meter<'_>,
) -> Result<Share, Halt> {
    let new = f64::from(workload.new_tokens());
    let prompts = slot.supply / new;
    let together = prompts.min((f64::from(slot.chunk) / new).floor()).max(1.0).round();
    let tokens = (together * new).min(f64::from(slot.chunk));
    let carrying = step_cost(replica, &chunk_step(workload, tokens), meter)?;
    let (plain, chunk) = (cycle(decode, slot.stages), cycle(&carrying, slot.stages));
    let chunks = (together * new / tokens).ceil();
    let service = chunk * chunks;
    let prefill_time = service * (prompts / together);
    let step = plain + prefill_time;
    let load = prefill_time / step;
    Ok(Share {
        step,
        prefill_time,
        service,
        residual: plain * ((1.0 - load) / 2.0) + service * (load / 2.0),
        queued: queue(load, service / together, slot.sequences),
        load,
        energy: decode.energy + carrying.energy * (chunks * prompts / together),
        prefill: carrying,
    })
}

/// A step of `tokens` prefill tokens: whole prompts if they fit, else one chunk from the middle of a prompt.
pub(crate) fn chunk_step(workload: &Workload, tokens: f64) -> Step {
    let (new, cached) = (workload.new_tokens(), workload.cached_tokens());
    let prompts = (tokens / f64::from(new)).round() as u32;
    let prefill = if prompts >= 1 && tokens >= f64::from(new) {
        Prefill { sequences: prompts, new, cached, sampled: prompts }
    } else {
        // The mean prefix of a chunk; pairs are linear in it, so the mean over the chunks is exact.
        let chunk = (tokens.round() as u32).max(1);
        Prefill { sequences: 1, new: chunk, cached: cached + (new - chunk.min(new)) / 2, sampled: 1 }
    };
    Step { prefill: Some(prefill), ..Step::default() }
}

/// Mean wait for prefill work queued before a request: M/D/1, at most half of the population.
fn queue(load: f64, service: Seconds, population: u32) -> Seconds {
    let open = load / (2.0 * (1.0 - load).max(1e-9));
    service * open.min(f64::from(population.saturating_sub(1)) / 2.0)
}

fn assemble(
    replica: &Replica<'_>,
    workload: &Workload,
    slot: Slot,
    decode: &StepCost,
    share: &Share,
) -> Steady {
    let groups = f64::from(replica.layout.dp * slot.stages);
    let in_decode = share.step * f64::from(workload.decode_steps());
    let clients = f64::from(slot.sequences) * groups;
    // A token is shown when its step is done, as in simulations.
    let ttft = replica.request_time(clients as u32) + share.residual + share.queued + share.service;
    // With one output token there is no decode: the place is free again after prefill.
    let holding = if workload.decode_steps() > 0 { in_decode } else { share.service };
    let prefill_share = share.prefill_time / share.step;
    let spread = |weight: f64| decode.sigma * (1.0 - weight) + share.prefill.sigma * weight;
    // The wait grows faster than the work: d ln W / d ln S = 1 + 1/(1 − ρ).
    let wait_gain = 1.0 + 1.0 / (1.0 - share.load).max(0.05);
    let amplified = share.queued.get() * wait_gain + (ttft - share.queued).get();
    Steady {
        ttft,
        queued: share.queued,
        service: share.service,
        tpot: if workload.decode_steps() > 0 { share.step } else { Seconds::ZERO },
        requests_per_s: clients / holding.get(),
        prefill_share,
        load: share.load,
        energy: share.energy * f64::from(slot.stages),
        tpot_sigma: spread(prefill_share).hypot(replica.engine.tpot_sigma),
        ttft_sigma: (share.prefill.sigma * amplified / ttft.get()).hypot(replica.engine.ttft_sigma),
        decode: *decode,
        prefill: share.prefill,
    }
}
