//! Kinds of plan, and what stops one from carrying more.

use std::fmt;

/// How the work is split, by index of the kind of chip.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// Every replica serves whole requests; on these kinds.
    Aggregated(Vec<usize>),
    /// Prefill on the first kind, decode on the second.
    Disaggregated(usize, usize),
}

/// What stops a plan from carrying more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A larger batch would not fit.
    Memory,
    /// A larger batch would miss the target of the time per token.
    Tpot,
    /// A longer queue would miss the target of the time to first token.
    Ttft,
    /// Prefill cannot keep a larger batch full.
    Prefill,
    /// The decode pool is full.
    Decode,
    /// The links between the pools are full.
    Transfer,
    /// The engine runs no more sequences.
    Engine,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory for the KV cache",
            Self::Tpot => "the TPOT target",
            Self::Ttft => "the TTFT target",
            Self::Prefill => "prefill",
            Self::Decode => "the decode pool",
            Self::Transfer => "the KV transfer",
            Self::Engine => "the engine's most sequences",
        })
    }
}
