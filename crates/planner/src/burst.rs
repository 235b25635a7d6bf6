//! A burst: a number of requests that all arrive at once and are worked off.

use vitruvian_engine::{Meter, Replica};
use vitruvian_quantity::Seconds;

use crate::census::Fall;
use crate::closed::{first_round, kept_full};
use crate::workload::Workload;

/// What a replica makes of a burst.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    /// From the arrival to the last token.
    pub makespan: Seconds,
    /// Mean time to first token, most of it waiting.
    pub ttft: Seconds,
    /// Mean time per output token after the first.
    pub tpot: Seconds,
    /// Relative standard deviation of `makespan` and `tpot`.
    pub sigma: f64,
}

/// Works off `requests` requests, as many at a time as memory and the engine allow.
///
/// Requests that all run at once take what the steady state gives them: prefill of all and decode of all. More than run at
/// once are worked off at the rate of the steady state, but for the time in which the first fill and the last drain it:
/// half of the decode time in the share of requests that wait. A request waits for half of those before it, and with
/// those that start together for half of their prefill.
///
/// # Errors
/// As [`crate::closed_loop`].
pub fn burst(
    replica: &Replica<'_>,
    workload: &Workload,
    requests: u32,
    chunk: u32,
    meter: &mut Meter<'_>,
) -> Result<Burst, Fall> {
    let (running, state) = kept_full(replica, workload, requests, chunk, meter)?;
    let decode = state.tpot * f64::from(workload.decode_steps());
    let working = Seconds::new(f64::from(requests) / state.requests_per_s);
    let beyond = f64::from(requests.saturating_sub(running)) / f64::from(requests);
    let waiting = working * (beyond / 2.0);
    let first = first_round(replica, workload, running, chunk, meter)?;
    Ok(Burst {
        makespan: working + decode * (0.5 * beyond),
        ttft: waiting + state.ttft.max(first),
        tpot: state.tpot,
        sigma: state.tpot_sigma,
    })
}
