//! Ring all-reduce, all-gather and reduce-scatter inside a node, and their like in fewer steps.
//!
//! A pass takes s = p−1 steps (⌈log₂ p⌉ by NHR) and moves (p−1)/p · n bytes a rank; all-reduce takes two (NCCL
//! `src/graph/tuning.cc`; HCCL `coll_algo_intro`). latency = base + start + passes·s·step, wire = bytes / B and a local
//! copy or reduction of the rank's own n/p.

use vitruvian_model::CollectiveKind;

use super::{Algorithm, Candidate, Steps, passes};
use crate::estimate::Bound;
use crate::network::Links;
use crate::profile::RingProtocol;

/// `n` bytes over `p` ranks by one protocol.
pub(crate) fn ring(
    links: &Links,
    protocol: &RingProtocol,
    kind: CollectiveKind,
    n: f64,
    p: f64,
) -> Candidate {
    let steps = passes(kind) * protocol.steps.count(p);
    let sent = passes(kind) * (p - 1.0) / p * n;
    let copied = protocol.copy.map_or(0.0, |copy| n / p / (copy * links.ring));
    Candidate {
        algorithm: match protocol.steps {
            Steps::Linear => Algorithm::Ring(protocol.protocol),
            Steps::Logarithmic => Algorithm::Nhr,
        },
        latency: links.base + protocol.start.get() + steps * protocol.step * links.step,
        wire: sent / (protocol.bandwidth * links.ring) + copied,
        ramp: 1.0,
        sent,
        limit: Bound::Link,
    }
}
