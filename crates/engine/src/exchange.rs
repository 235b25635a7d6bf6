//! What hides the exchange of tokens between experts behind computation.
//!
//! Tokens leave for the ranks of their experts and come back, twice a layer of experts. An engine may let a layer's own
//! computation run meanwhile, or cut the step in two and let one half compute while the other's tokens travel.

use serde::Deserialize;
use vitruvian_model::{CollectiveKind, Decode, Operator, Prefill, Step, Task};

use crate::replica::Replica;

/// How an exchange is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExchangeOverlap {
    /// Shared experts run while tokens leave, and tokens return block by block while the experts' last product runs
    /// (`SGLang`, `--enable-single-batch-overlap`).
    SingleBatch,
    /// Half of the step computes while the other half's tokens travel (DeepSeek-V3, arXiv 2412.19437 3.4; `SGLang`,
    /// `--enable-two-batch-overlap`; vLLM, `--enable-dbo`).
    TwoBatch,
}

impl ExchangeOverlap {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::SingleBatch, Self::TwoBatch];

    /// Its name on the command line and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SingleBatch => "single-batch",
            Self::TwoBatch => "two-batch",
        }
    }
}

/// The step that is run, and how often.
pub(crate) fn split(replica: &Replica<'_>, step: &Step) -> (Step, u32) {
    let two = replica.engine.exchange == Some(ExchangeOverlap::TwoBatch);
    let halved = two && replica.layout.exchanges_tokens() && replica.expert_layers() > 0;
    halved.then(|| half(step)).flatten().map_or((*step, 1), |half| (half, 2))
}

/// Half of a step: of its sequences, or of its only prompt. Nothing if one token cannot be halved.
///
/// Both halves of a prompt take the middle of their cached tokens, which leaves the sum of their (query, key) pairs.
fn half(step: &Step) -> Option<Step> {
    let decode = step.decode.map(|decode| {
        (decode.sequences > 1).then_some(Decode { sequences: decode.sequences.div_ceil(2), ..decode })
    });
    let prefill = step.prefill.map(|prefill| {
        let (sequences, new) = (prefill.sequences.div_ceil(2), prefill.new.div_ceil(2));
        let sampled = prefill.sampled.div_ceil(2);
        if prefill.sequences > 1 {
            Some(Prefill { sequences, sampled, ..prefill })
        } else {
            let cached = prefill.cached + prefill.new / 4;
            (prefill.new > 1).then_some(Prefill { new, cached, ..prefill })
        }
    });
    if decode == Some(None) || prefill == Some(None) {
        return None;
    }
    Some(Step { decode: decode.flatten(), prefill: prefill.flatten(), padding: step.padding / 2 })
}

/// Seconds of one run of a stage by what an exchange may hide behind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Phases {
    /// Layers of experts whose tokens travel.
    layers: u32,
    /// Tokens on their way to their experts.
    dispatch: f64,
    /// Tokens on their way back.
    combine: f64,
    /// Routed experts: their products and what is between them.
    experts: f64,
    /// The last of those products.
    down: f64,
    /// Shared experts.
    shared: f64,
    /// Everything else.
    rest: f64,
}

impl Phases {
    /// Counts all runs of a task.
    pub(crate) fn add(&mut self, task: &Task, seconds: f64) {
        match (&task.operator, task.name) {
            (Operator::Collective(c), _) if matches!(c.kind, CollectiveKind::Dispatch { .. }) => {
                self.layers += task.count;
                self.dispatch += seconds;
            }
            (Operator::Collective(c), _) if matches!(c.kind, CollectiveKind::Combine { .. }) => {
                self.combine += seconds;
            }
            (_, "experts_down") => self.down += seconds,
            (Operator::GroupedGemm(_), _) | (_, "permute" | "unpermute" | "experts_activation") => {
                self.experts += seconds;
            }
            (_, name) if name.starts_with("shared_") => self.shared += seconds,
            _ => self.rest += seconds,
        }
    }

    /// Seconds of the stage that pass unseen; negative where hiding costs more than it hides. `slowed` is how much longer
    /// computation takes on the cores that an exchange leaves it.
    pub(crate) fn hidden(&self, how: ExchangeOverlap, slowed: f64) -> f64 {
        match how {
            ExchangeOverlap::SingleBatch => self.dispatch.min(self.shared) + self.combine.min(self.down),
            ExchangeOverlap::TwoBatch if self.layers > 0 => {
                let computed = self.experts + self.down + self.shared + self.rest;
                2.0 * (computed + self.dispatch + self.combine) - self.two_batches(slowed)
            }
            ExchangeOverlap::TwoBatch => 0.0,
        }
    }

    /// Two halves taking turns on the cores and on the links: attention, way out, experts, way back, layer by layer.
    fn two_batches(&self, slowed: f64) -> f64 {
        let each = 1.0 / f64::from(self.layers);
        let attention = (self.rest + self.shared) * each * slowed;
        let experts = (self.experts + self.down) * each * slowed;
        let (dispatch, combine) = (self.dispatch * each, self.combine * each);
        let (mut cores, mut links, mut ready) = (0.0, 0.0, [0.0; 2]);
        for _ in 0..self.layers {
            for (compute, travel) in [(attention, dispatch), (experts, combine)] {
                for half in &mut ready {
                    cores = f64::max(cores, *half) + compute;
                    links = f64::max(links, cores) + travel;
                    *half = links;
                }
            }
        }
        links
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phases(rest: f64, dispatch: f64, experts: f64, combine: f64) -> Phases {
        Phases { layers: 10, dispatch, combine, experts, rest, ..Phases::default() }
    }

    #[test]
    fn two_halves_of_equal_phases_hide_all_but_the_ends() {
        // Each of four phases takes 1 s a layer and half. Cores work without a break for 40 s; the last way back, and nothing else, is
        // left over: 41 s instead of 80.
        let phases = phases(10.0, 10.0, 10.0, 10.0);
        assert!((phases.hidden(ExchangeOverlap::TwoBatch, 1.0) - 39.0).abs() < 1e-9);
    }

    #[test]
    fn a_long_exchange_sets_the_pace() {
        // Ways of 3 s and computation of 1 s: links work from 1 s on without a break, 10 · 2 · (3 + 3) s.
        let phases = phases(10.0, 30.0, 10.0, 30.0);
        assert!((phases.hidden(ExchangeOverlap::TwoBatch, 1.0) - (160.0 - 121.0)).abs() < 1e-9);
    }

    #[test]
    fn cores_that_an_exchange_takes_may_cost_more_than_it_hides() {
        let phases = phases(10.0, 0.1, 10.0, 0.1);
        assert!(phases.hidden(ExchangeOverlap::TwoBatch, 1.2) < 0.0);
    }

    #[test]
    fn a_single_batch_hides_what_its_neighbours_last() {
        let phases = Phases { shared: 2.0, down: 4.0, ..phases(10.0, 3.0, 10.0, 3.0) };
        assert_eq!(phases.hidden(ExchangeOverlap::SingleBatch, 1.0), 2.0 + 3.0);
    }

    #[test]
    fn halves_of_a_prompt_have_its_pairs() {
        let pairs = |p: Prefill| u64::from(p.new) * u64::from(p.cached) + u64::from(p.new).pow(2) / 2;
        let whole = Step {
            prefill: Some(Prefill { sequences: 1, new: 4096, cached: 512, sampled: 1 }),
            ..Step::default()
        };
        let half = half(&whole).unwrap().prefill.unwrap();
        assert_eq!(2 * pairs(half), pairs(whole.prefill.unwrap()));
        assert_eq!(super::half(&Step::decode(1, 100)), None);
        assert_eq!(super::half(&Step::decode(7, 100)), Some(Step::decode(4, 100)));
    }
}
