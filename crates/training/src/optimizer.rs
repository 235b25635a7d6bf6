//! The optimizer: a stream over what one rank updates.

use crate::job::Job;
use crate::plan::{Offload, Plan};
use crate::weights::Held;

/// Seconds of the optimizer on one rank.
///
/// Adam reads gradient, master and moments and writes master, moments and the 16-bit copy; the norm of the gradients is
/// another read, clearing them another write. On the host, states cross the link both ways.
pub(crate) fn time(job: &Job<'_>, plan: &Plan, held: Held) -> f64 {
    let each = job.recipe.states(job.stack.figures.gradient);
    let updated = held.updated(plan);
    let streamed = updated * (2.0 * each.optimizer + each.parameter + 3.0 * each.gradient);
    let memory = job.chip.hbm.bandwidth.get();
    let on_device = streamed / memory * job.stack.figures.vector;
    match plan.offload {
        Offload::Optimizer => {
            let crossing = 2.0 * updated * each.optimizer / job.chip.host.bandwidth.get();
            on_device.max(crossing)
        }
        _ => on_device,
    }
}
