//! A closed loop: a fixed number of clients, each sending its next request when the last one is answered.

use vitruvian_engine::{Meter, Replica};

use crate::steady::{Halt, Steady, steady};
use crate::workload::Workload;

/// Rounds of the fixed point; the share of time in prefill changes little after the second.
const ROUNDS: usize = 4;

/// The steady state of a replica that `clients` keep busy.
///
/// Of the clients those in decode are a share D / (D + TTFT), with D the time of all decode steps (Little's law); the
/// running batch is found as a fixed point.
///
/// # Errors
/// As [`steady`].
pub fn closed_loop(
    replica: &Replica<'_>,
    workload: &Workload,
    clients: u32,
    chunk: u32,
    meter: &mut Meter<'_>,
) -> Result<Steady, Halt> {
    let mut running = clients;
    let mut state = steady(replica, workload, running, chunk, meter)?;
    for _ in 0..ROUNDS {
        let decode = state.tpot.get() * f64::from(workload.decode_steps());
        let share = decode / (decode + state.ttft.get());
        let next = ((f64::from(clients) * share).round() as u32).clamp(1, clients);
        if next == running {
            break;
        }
        running = next;
        state = steady(replica, workload, running, chunk, meter)?;
    }
    Ok(state)
}
