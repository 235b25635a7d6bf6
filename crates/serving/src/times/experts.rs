//! The part of a step that data-parallel groups share: their expert layers take the tokens of all of them.
//!
//! The engine costs a step of one group as if every group brought as many tokens. Where one group computes a prompt and the
//! others make tokens, its attention takes that long, but its experts see the mean.

use vitruvian_cost::Refusal;
use vitruvian_engine::schedule::schedule;
use vitruvian_engine::{Meter, Replica};
use vitruvian_model::{Step, Task};

/// Seconds of the expert layers, exchanges included, when every group brings `rows` tokens.
pub(super) fn cost(replica: &Replica<'_>, rows: u32, meter: &mut Meter<'_>) -> Result<f64, Refusal> {
    let step = Step::prefill(1, rows.max(1));
    let mut tasks = Vec::new();
    (0..replica.layout.pp).for_each(|stage| schedule(replica, meter.chip(), stage, &step, &mut tasks));
    let mut seconds = 0.0;
    for task in tasks.iter().filter(|task| of_experts(task)) {
        seconds += meter.operator(&task.operator)?.time.get() * f64::from(task.count);
    }
    Ok(seconds)
}

/// Router, exchanges, routed and shared experts, by the names that the model gives its tasks.
fn of_experts(task: &Task) -> bool {
    let beginnings = ["router", "topk", "latent_", "ep_", "permute", "experts_", "unpermute", "shared_"];
    beginnings.iter().any(|beginning| task.name.starts_with(beginning))
}
