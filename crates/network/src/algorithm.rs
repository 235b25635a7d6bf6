//! The algorithms of collectives, one file each, and the form in which they compete.

pub(crate) mod custom;
pub(crate) mod experts;
pub(crate) mod mesh;
pub(crate) mod pairwise;
pub(crate) mod ring;
pub(crate) mod switch;
pub(crate) mod two_level;

use std::fmt;

use serde::Deserialize;
use vitruvian_model::CollectiveKind;

use crate::estimate::Bound;

/// How a collective is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// One rank: nothing to exchange.
    Nothing,
    /// Around a ring of all ranks.
    Ring(Protocol),
    /// In log₂ p steps, every pair connected (NHR).
    Nhr,
    /// Reduced and multicast by the switch (NVLS).
    InSwitch,
    /// Each rank reads all peers' vectors.
    OneShot,
    /// Each rank reduces its share, then reads the others'.
    TwoShot,
    /// Two-shot with multicast loads and stores.
    Multimem,
    /// All peers at once over a link each.
    Mesh,
    /// Every pair exchanges directly.
    Pairwise(Protocol),
    /// Inside the nodes, between them, inside again.
    TwoLevel(Steps),
    /// Expert exchange, one message for each token and expert.
    LowLatencyExperts,
    /// Expert exchange, one message for each token and rank.
    NormalExperts,
}

/// Wire protocols: how arrival is signalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum Protocol {
    /// A flag in each 8 bytes.
    #[serde(rename = "LL")]
    Ll,
    /// A flag in each 128 bytes.
    #[serde(rename = "LL128")]
    Ll128,
    /// A counter for each chunk.
    Simple,
}

/// How many steps a pass over p ranks takes, of the same (p−1)/p · n bytes in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Steps {
    /// Around a ring: p−1.
    #[default]
    Linear,
    /// Tree, halving-doubling, non-uniform hierarchical ring (NHR): ⌈log₂ p⌉.
    Logarithmic,
}

impl Steps {
    pub(crate) fn count(self, ranks: f64) -> f64 {
        match self {
            Self::Linear => ranks - 1.0,
            Self::Logarithmic => ranks.log2().ceil(),
        }
    }
}

/// One algorithm's time in its two parts. Seconds and bytes, as `f64`: many are made for each estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub algorithm: Algorithm,
    pub latency: f64,
    pub wire: f64,
    /// Exponent q of (latency^q + wire^q)^(1/q).
    pub ramp: f64,
    /// Bytes that one rank sends over links.
    pub sent: f64,
    /// What the wire part waits for.
    pub limit: Bound,
}

impl Candidate {
    pub(crate) fn time(&self) -> f64 {
        let Self { latency, wire, ramp: q, .. } = *self;
        if wire <= 0.0 || latency <= 0.0 || q == 1.0 {
            return latency + wire;
        }
        (latency.powf(q) + wire.powf(q)).powf(q.recip())
    }

    pub(crate) fn bound(&self) -> Bound {
        if self.latency > self.wire { Bound::Latency } else { self.limit }
    }
}

/// The cheapest of several candidates, the first of equals.
pub(crate) fn cheapest(candidates: impl IntoIterator<Item = Candidate>) -> Option<Candidate> {
    candidates.into_iter().min_by(|a, b| a.time().total_cmp(&b.time()))
}

/// How often a pattern passes the ring: all-reduce is a reduce-scatter and an all-gather.
pub(crate) fn passes(kind: CollectiveKind) -> f64 {
    if kind == CollectiveKind::AllReduce { 2.0 } else { 1.0 }
}

impl Protocol {
    /// Share of the bytes on a wire that are data: LL flags every 4 of 8 bytes, LL128 8 of 128.
    pub(crate) const fn payload(self) -> f64 {
        match self {
            Self::Ll => 4.0 / 8.0,
            Self::Ll128 => 120.0 / 128.0,
            Self::Simple => 1.0,
        }
    }

    /// NCCL's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ll => "LL",
            Self::Ll128 => "LL128",
            Self::Simple => "Simple",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Ring(protocol) => return write!(f, "ring {}", protocol.name()),
            Self::Pairwise(protocol) => return write!(f, "pairwise {}", protocol.name()),
            Self::Nothing => "nothing",
            Self::Nhr => "NHR",
            Self::InSwitch => "NVLS",
            Self::OneShot => "one-shot",
            Self::TwoShot => "two-shot",
            Self::Multimem => "multimem",
            Self::Mesh => "mesh",
            Self::TwoLevel(Steps::Linear) => "two-level ring",
            Self::TwoLevel(Steps::Logarithmic) => "two-level tree",
            Self::LowLatencyExperts => "low-latency expert exchange",
            Self::NormalExperts => "normal expert exchange",
        };
        f.pad(name)
    }
}
