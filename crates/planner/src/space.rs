//! The candidates: layouts × precisions × batches × chunk sizes.

use vitruvian_model::{Layout, Model, QuantPlan};

/// One way to store and multiply the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Precision {
    /// The name a person reads: `"w8a8-dynamic"`, `"bf16, KV fp8"`.
    pub name: String,
    /// Formats of weights and cache.
    pub plan: QuantPlan,
}

/// What the search may choose from.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    /// Chips to be used, all of them.
    pub chips: u32,
    /// Layouts of one replica; their chips divide `chips`.
    pub layouts: Vec<Layout>,
    /// Precisions.
    pub precisions: Vec<Precision>,
    /// Running sequences of one replica, ascending. The search also tries the largest batch between two of these.
    pub batches: Vec<u32>,
    /// Most tokens of one step, ascending.
    pub chunks: Vec<u32>,
}

/// One deployment of all chips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Candidate {
    /// How one replica is spread.
    pub layout: Layout,
    /// How many replicas.
    pub replicas: u32,
    /// Index into [`Space::precisions`].
    pub precision: usize,
    /// Running sequences of one replica.
    pub batch: u32,
    /// Most tokens of one step.
    pub chunk: u32,
}

impl Space {
    /// Everything that divides: all layouts of `chips`, batches up to `max_sequences`, and the engine's chunk size with
    /// its neighbours.
    pub fn whole(model: &Model, chips: u32, node: u32, precisions: Vec<Precision>, limits: Limits) -> Self {
        Self {
            chips,
            layouts: layouts(model.has_experts(), chips, node),
            precisions,
            batches: batches(limits.max_sequences),
            chunks: chunks(limits.batched_tokens),
        }
    }

    /// Number of candidates on the grid.
    pub fn size(&self) -> u64 {
        (self.layouts.len() * self.precisions.len() * self.batches.len() * self.chunks.len()) as u64
    }
}

/// What an engine can run at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sequences of one data-parallel group.
    pub max_sequences: u32,
    /// Tokens of one step.
    pub batched_tokens: u32,
}

/// Every layout whose replica divides `chips`, tensor parallelism kept inside a node.
///
/// Data-parallel attention and expert parallelism only mean something with experts; the expert degree is any divisor of
/// the ranks that share a layer.
pub fn layouts(experts: bool, chips: u32, node: u32) -> Vec<Layout> {
    let mut all = Vec::new();
    for pp in divisors(chips) {
        for tp in divisors(chips / pp).filter(|tp| *tp <= node) {
            let groups: Vec<u32> = if experts { divisors(chips / pp / tp).collect() } else { vec![1] };
            for dp in groups {
                let shards: Vec<u32> = if experts { divisors(tp * dp).collect() } else { vec![1] };
                all.extend(shards.into_iter().map(|ep| Layout { tp, pp, dp, ep, cp: 1 }));
            }
        }
    }
    all
}

/// Every layout that fits into `chips`, whether or not its replica divides them: what is left over stays idle.
pub fn fitting(experts: bool, chips: u32, node: u32) -> Vec<Layout> {
    let sizes = (1..=chips).filter(|size| size.is_power_of_two() || chips.is_multiple_of(*size));
    let mut all: Vec<Layout> = sizes.flat_map(|size| layouts(experts, size, node)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn divisors(n: u32) -> impl Iterator<Item = u32> {
    (1..=n).filter(move |d| n.is_multiple_of(*d))
}

/// 1, 2, 4, 8, then four steps to each doubling.
fn batches(max: u32) -> Vec<u32> {
    let mut all = vec![1, 2, 4];
    let mut octave = 8;
    while octave <= max {
        all.extend([octave, octave * 5 / 4, octave * 3 / 2, octave * 7 / 4]);
        octave *= 2;
    }
    all.retain(|batch| *batch <= max);
    all
}

fn chunks(batched_tokens: u32) -> Vec<u32> {
    let all = [batched_tokens / 4, batched_tokens / 2, batched_tokens, batched_tokens * 2];
    all.into_iter().filter(|chunk| *chunk > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_layouts_of_eight_chips_are_the_pairs_that_divide() {
        // (tp, pp) with tp·pp | 8: (1,1..8 by 2) (2,1,2,4) (4,1,2) (8,1) = 4 + 3 + 2 + 1
        let all = layouts(false, 8, 8);
        assert_eq!(all.len(), 10);
        assert!(all.iter().all(|layout| 8 % layout.chips() == 0));
    }

    #[test]
    fn expert_degrees_divide_the_ranks_that_share_a_layer() {
        let all = layouts(true, 8, 8);
        assert!(all.iter().all(|layout| layout.expert_ranks() % layout.ep == 0));
        assert!(all.contains(&Layout { tp: 2, pp: 1, dp: 4, ep: 8, cp: 1 }));
    }

    #[test]
    fn tensor_parallelism_stays_inside_a_node() {
        assert!(layouts(false, 32, 8).iter().all(|layout| layout.tp <= 8));
    }
}
