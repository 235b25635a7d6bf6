//! What became of every plan of a space.

use crate::memory::Memory;
use crate::plan::Plan;

/// Counts by fate; they add up to the size of the space.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// Combinations of degrees and choices looked at.
    pub looked_at: u64,
    /// Degrees that do not divide the model.
    pub shape: u64,
    /// Micro-batches that do not divide the batch.
    pub batch: u64,
    /// Plans that need more memory than a chip has.
    pub memory: u64,
    /// Plans that fit.
    pub fit: u64,
    /// The plan that lacked least memory.
    pub nearest: Option<Miss>,
}

/// A plan that does not fit.
#[derive(Clone, Debug)]
pub struct Miss {
    /// The plan.
    pub plan: Plan,
    /// Its fullest device.
    pub memory: Memory,
    /// Bytes that it lacks.
    pub missing: f64,
}

impl Census {
    pub(super) fn too_big(&mut self, plan: &Plan, memory: &Memory, usable: f64) {
        self.memory += 1;
        let missing = memory.peak() - usable;
        if self.nearest.as_ref().is_none_or(|nearest| missing < nearest.missing) {
            self.nearest = Some(Miss { plan: plan.clone(), memory: *memory, missing });
        }
    }
}
