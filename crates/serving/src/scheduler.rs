//! What a lane puts into its next step.

mod mindie;
mod sglang;
mod vllm;
mod vllm_v0;

use vitruvian_engine::{Admission, EngineProfile, Scheduler};

use crate::lane::{Book, Lane};
use crate::requests::RequestId;

pub use mindie::MindIe;
pub use sglang::Sglang;

/// How an engine fills its steps; one file each.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Policy {
    /// vLLM V1, and vllm-ascend: every running sequence first, then new prompts, in one token budget.
    #[default]
    Vllm,
    /// vLLM V0: a batch of whole prompts before the next batch of tokens.
    VllmV0,
    /// SGLang: a batch of prompts before the next batch of tokens.
    Sglang(Sglang),
    /// MindIE: prompts whole, blocks reserved.
    MindIe(MindIe),
}

/// Tokens of one prompt in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Whose.
    pub id: RequestId,
    /// New tokens.
    pub new: u32,
    /// Tokens before them that are in the cache.
    pub cached: u32,
    /// Whether the prompt ends here.
    pub ends: bool,
}

/// The next step of a lane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Chunks of prompts.
    pub chunks: Vec<Chunk>,
    /// Whether every sequence in decode makes a token.
    pub decode: bool,
    /// Decode steps in a row for which blocks are taken.
    pub steps: u64,
    /// Whether the step after this one must be planned anew even if nothing happens.
    pub once: bool,
}

impl Policy {
    /// The policy of an engine's profile.
    pub fn of(engine: &EngineProfile) -> Self {
        match (engine.scheduler, engine.admission) {
            (Scheduler::Mixed, _) => Self::Vllm,
            (Scheduler::WholePrompts, _) => Self::VllmV0,
            (Scheduler::PrefillFirst, Admission::OnDemand) => Self::Sglang(Sglang::default()),
            (Scheduler::PrefillFirst, Admission::Reserve) => Self::MindIe(MindIe::default()),
        }
    }

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vllm => "vLLM V1",
            Self::VllmV0 => "vLLM V0",
            Self::Sglang(_) => "SGLang",
            Self::MindIe(_) => "MindIE",
        }
    }

    /// Whether a step holds either prompts or tokens, so that groups which step together must agree.
    pub(crate) const fn separates(self) -> bool {
        !matches!(self, Self::Vllm)
    }

    /// SGLang's first share of remaining tokens; without meaning elsewhere.
    pub(crate) fn first_ratio(self) -> f64 {
        if let Self::Sglang(options) = self { options.first_ratio() } else { 0.0 }
    }

    pub(crate) fn plan(self, lane: &mut Lane, book: &mut Book<'_>) {
        lane.plan.chunks.clear();
        (lane.plan.decode, lane.plan.once, lane.plan.steps) = (false, false, 1);
        lane.welcome(book);
        match self {
            Self::Vllm => vllm::plan(lane, book),
            Self::VllmV0 => vllm_v0::plan(lane, book),
            Self::Sglang(options) => sglang::plan(&options, lane, book),
            Self::MindIe(options) => mindie::plan(&options, lane, book),
        }
    }

    /// After so many steps of a plan.
    pub(crate) fn done(self, lane: &mut Lane, steps: u64) {
        if let Self::Sglang(options) = self
            && lane.plan.decode
        {
            lane.ratio = options.decayed(lane.ratio, steps);
        }
    }
}
