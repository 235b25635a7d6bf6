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
    TwoLevel(InterNode),
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

/// Algorithms between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InterNode {
    /// Ring: 2(q−1) steps.
    Ring,
    /// Tree or non-uniform hierarchical ring: 2⌈log₂ q⌉ steps.
    Tree,
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
            Self::InSwitch => "NVLS",
            Self::OneShot => "one-shot",
            Self::TwoShot => "two-shot",
            Self::Multimem => "multimem",
            Self::Mesh => "mesh",
            Self::TwoLevel(InterNode::Ring) => "two-level ring",
            Self::TwoLevel(InterNode::Tree) => "two-level tree",
            Self::LowLatencyExperts => "low-latency expert exchange",
            Self::NormalExperts => "normal expert exchange",
        };
        f.pad(name)
    }
}
