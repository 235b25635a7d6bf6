//! Ring all-reduce, all-gather and reduce-scatter inside a node.
//!
//! s = p−1 steps a pass, two passes for all-reduce, n/p bytes a step (NCCL `src/graph/tuning.cc`; HCCL
//! `coll_algo_intro`): latency = base + start + s·step, wire = s/p·n / B, and a local copy or reduction of the rank's
//! own n/p.

use vitruvian_model::CollectiveKind;

use super::{Algorithm, Candidate, passes};
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
    let steps = passes(kind) * (p - 1.0);
    let sent = steps / p * n;
    let copied = protocol.copy.map_or(0.0, |copy| n / p / (copy * links.ring));
    Candidate {
        algorithm: Algorithm::Ring(protocol.protocol),
        latency: links.base + protocol.start.get() + steps * protocol.step * links.step,
        wire: sent / (protocol.bandwidth * links.ring) + copied,
        ramp: 1.0,
        sent,
        limit: Bound::Link,
    }
}
