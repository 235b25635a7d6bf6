//! How many chips it takes for a model to fit at all.

use vitruvian_engine::{Replica, memory, sequence_bytes};
use vitruvian_model::{Layout, validate};
use vitruvian_quantity::Bytes;

use crate::search::Question;
use crate::space::layouts;

/// The smallest replica that holds the model and one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// Its layout.
    pub layout: Layout,
    /// Index of its precision.
    pub precision: usize,
}

/// Doublings of the chips at hand that are looked at.
const DOUBLINGS: u32 = 6;

/// The fewest chips of the question's kind, by powers of two, on which one request fits; nothing within 64 times those at
/// hand.
pub fn fewest(question: &Question<'_>) -> Option<Fit> {
    let most = question.space.chips.next_power_of_two().checked_shl(DOUBLINGS)?;
    let mut chips = 1;
    while chips <= most {
        let fitting = layouts(question.model.has_experts(), chips, question.node.size).into_iter();
        let exact = fitting.filter(|layout| layout.chips() == chips);
        let found = exact
            .filter(|layout| validate(question.model, *layout).is_ok())
            .flat_map(|layout| {
                (0..question.space.precisions.len()).map(move |precision| Fit { layout, precision })
            })
            .find(|fit| holds(question, fit));
        if found.is_some() {
            return found;
        }
        chips *= 2;
    }
    None
}

fn holds(question: &Question<'_>, fit: &Fit) -> bool {
    let replica = Replica {
        model: question.model,
        plan: &question.space.precisions[fit.precision].plan,
        layout: fit.layout,
        engine: question.engine,
    };
    let tokens = question.workload.input + question.workload.output;
    memory(&replica, question.chip, question.engine.batched_tokens).is_ok_and(|memory| {
        sequence_bytes(&replica, memory.stage, tokens) <= memory.cache && memory.cache > Bytes::ZERO
    })
}
