//! A closed loop: a fixed number of clients, each sending its next request when the last one is answered.
//!
//! This is how serving benchmarks load an engine (`--max-concurrency`), and so how published results were measured.

use vitruvian_engine::{Meter, Replica, memory, most_sequences, sequence_bytes, step_cost};
use vitruvian_model::Step;
use vitruvian_quantity::Seconds;

use crate::census::Fall;
use crate::steady::{Halt, Steady, steady};
use crate::workload::Workload;

/// How a benchmark loads the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// Requests in flight.
    pub clients: u32,
    /// Requests that each client sends in all. The first ones arrive together and wait for each other.
    pub rounds: u32,
}

/// Steps of the fixed point; the share of time in prefill changes little after the second.
const ITERATIONS: usize = 4;

/// What the clients of a closed loop see on average over the whole benchmark.
///
/// Of the clients those in decode are a share D / (D + TTFT), D being the time of all decode steps (Little's law); the
/// running batch is found as a fixed point. Where memory holds fewer, the rest waits: by Little's law
/// TTFT = clients / λ − D. In the first round all prompts arrive at once and are worked off chunk by chunk.
///
/// # Errors
/// As [`steady`], or not even one sequence fits.
pub fn closed_loop(
    replica: &Replica<'_>,
    workload: &Workload,
    load: Loop,
    chunk: u32,
    meter: &mut Meter<'_>,
) -> Result<Steady, Fall> {
    let (mut running, mut state) = kept_full(replica, workload, load.clients, chunk, meter)?;
    let most = running;
    for _ in 0..ITERATIONS {
        let next = in_decode(load.clients, workload, &state).min(most);
        if next == running {
            break;
        }
        running = next;
        state = steady(replica, workload, running, chunk, meter).map_err(fall)?;
    }
    if running < most || running == load.clients {
        let first = first_round(replica, workload, load.clients, chunk, meter)?;
        state.ttft = mean_over(load.rounds, first.max(state.ttft), state.ttft);
    } else {
        state.ttft = waiting(load.clients, workload, &state);
    }
    Ok(state)
}

/// The most of `wanted` sequences that memory holds and prefill keeps in decode, and their steady state.
///
/// Where prefill cannot keep so many in decode, fewer are: a batch in proportion to what prefill supplies.
pub(crate) fn kept_full(
    replica: &Replica<'_>,
    workload: &Workload,
    wanted: u32,
    chunk: u32,
    meter: &mut Meter<'_>,
) -> Result<(u32, Steady), Fall> {
    let mut running = wanted.min(room(replica, workload, chunk, meter)?);
    loop {
        match steady(replica, workload, running, chunk, meter) {
            Ok(state) => return Ok((running, state)),
            Err(Halt::Saturated(load)) if running > 1 => {
                running = ((f64::from(running) / load * FULL) as u32).clamp(1, running - 1);
            }
            Err(halt) => return Err(fall(halt)),
        }
    }
}

/// Share of the prefill capacity that a saturated loop uses: queues keep it busy.
const FULL: f64 = 0.98;

/// Most sequences of the replica that memory holds.
fn room(replica: &Replica<'_>, workload: &Workload, chunk: u32, meter: &Meter<'_>) -> Result<u32, Fall> {
    let misfit = |missing, stage| Fall::DoesNotFit { missing, stage };
    let memory = memory(replica, meter.chip(), chunk).map_err(|none| misfit(none.missing, none.stage))?;
    let most = most_sequences(replica, &memory, workload.input, workload.output) * replica.layout.dp;
    let whole = sequence_bytes(replica, memory.stage, workload.input + workload.output);
    if most == 0 { Err(misfit(whole - memory.cache, memory.stage)) } else { Ok(most) }
}

fn in_decode(clients: u32, workload: &Workload, state: &Steady) -> u32 {
    let decode = decode_time(workload, state);
    let share = decode / (decode + state.ttft);
    ((f64::from(clients) * share).round() as u32).clamp(1, clients)
}

fn decode_time(workload: &Workload, state: &Steady) -> Seconds {
    state.tpot * f64::from(workload.decode_steps())
}

/// Little's law over the whole loop: clients = λ · (TTFT + D).
fn waiting(clients: u32, workload: &Workload, state: &Steady) -> Seconds {
    let whole = Seconds::new(f64::from(clients) / state.requests_per_s);
    (whole - decode_time(workload, state)).max(state.ttft)
}

/// Mean time to first token of prompts that all arrive at once: k full steps, the mean prompt ends in the middle one.
pub(crate) fn first_round(
    replica: &Replica<'_>,
    workload: &Workload,
    clients: u32,
    chunk: u32,
    meter: &mut Meter<'_>,
) -> Result<Seconds, Fall> {
    let prompts = clients.div_ceil(replica.layout.dp);
    let tokens = u64::from(prompts) * u64::from(workload.new_tokens());
    let together = (chunk / workload.new_tokens()).clamp(1, prompts);
    let step = Step::prefill(together, workload.new_tokens().min(chunk));
    let cost = step_cost(replica, &step, meter).map_err(|refusal| Fall::Unsupported(refusal.to_string()))?;
    let steps = tokens as f64 / f64::from(step.tokens());
    Ok(replica.request_time(clients) + cost.latency * ((steps + 1.0) / 2.0))
}

fn mean_over(rounds: u32, first: Seconds, others: Seconds) -> Seconds {
    let share = 1.0 / f64::from(rounds.max(1));
    first * share + others * (1.0 - share)
}

fn fall(halt: Halt) -> Fall {
    match halt {
        Halt::Refused(refusal) => Fall::Unsupported(refusal.to_string()),
        Halt::Saturated(load) => Fall::Saturated { load },
    }
}
