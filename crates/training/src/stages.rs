//! Which layers a virtual stage holds, and what stands before and after them.

use vitruvian_model::Model;

use crate::plan::{Plan, Schedule};

/// Layers of one virtual stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// How many layers of each of the model's kinds.
    pub counts: Vec<u32>,
    /// Whether it looks tokens up.
    pub first: bool,
    /// Whether it computes the loss, and the MTP modules before it.
    pub last: bool,
}

impl Stage {
    /// Layers of all kinds.
    pub fn layers(&self) -> u32 {
        self.counts.iter().sum()
    }
}

/// The virtual stages of a plan, first to last.
///
/// Layers are cut as even as possible unless the plan lists them.
pub fn stages(model: &Model, plan: &Plan) -> Vec<Stage> {
    let count = plan.stages();
    let depth = model.depth() as u32;
    let mut start = 0;
    (0..count)
        .map(|stage| {
            let even = (stage + 1) * depth / count - stage * depth / count;
            let own = plan.layers.get(stage as usize).copied().unwrap_or(even);
            let range = start..(start + own).min(depth);
            start += own;
            let mut counts = vec![0; model.kinds.len()];
            for kind in &model.order[range.start.min(depth) as usize..range.end as usize] {
                counts[usize::from(*kind)] += 1;
            }
            Stage { counts, first: stage == 0, last: stage + 1 == count }
        })
        .collect()
}

/// Virtual stages that a device holds, chunk by chunk: `chunk · p + device`, or both ends in `DualPipe`.
pub fn of_device(plan: &Plan, device: u32) -> Vec<u32> {
    let devices = plan.degrees.pp;
    if plan.schedule == Schedule::DualPipe {
        return vec![device, devices - 1 - device];
    }
    (0..plan.chunks).map(|chunk| chunk * devices + device).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Degrees;

    #[test]
    fn every_layer_is_in_one_stage() {
        let model = vitruvian_model::catalog::model("deepseek-v3").unwrap();
        let plan = Plan { chunks: 2, ..Plan::new(Degrees { pp: 8, ..Degrees::ONE }) };
        let stages = stages(&model, &plan);
        assert_eq!(stages.iter().map(Stage::layers).sum::<u32>(), 61);
        // The first three layers are dense.
        assert_eq!(stages[0].counts, [3, 0]);
        assert!(stages[0].first && stages[15].last);
        assert_eq!(of_device(&plan, 3), [3, 11]);
    }
}
