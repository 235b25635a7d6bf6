//! Collectives over a full mesh: all peers at once, one link each (HCCS; HCCL `coll_algo_intro`).
//!
//! With β = 1/link rate: all-gather α + nβ/p; reduce-scatter the same and (p−1)/p·n of local additions; all-reduce both.
//! A chip's bandwidth is (p−1) links, so it grows with the group, and a pair has one link.

use vitruvian_model::CollectiveKind;

use super::{Algorithm, Candidate, passes};
use crate::estimate::Bound;
use crate::network::Links;
use crate::profile::RingProtocol;

/// `n` bytes over `p` ranks.
pub(crate) fn mesh(
    links: &Links,
    protocol: &RingProtocol,
    kind: CollectiveKind,
    n: f64,
    p: f64,
) -> Candidate {
    let passes = passes(kind);
    let reduced = if kind == CollectiveKind::AllGather { 0.0 } else { (p - 1.0) / p * n };
    let added = protocol.copy.map_or(0.0, |copy| reduced / (copy * links.ring));
    Candidate {
        algorithm: Algorithm::Mesh,
        latency: links.base + protocol.start.get() + passes * protocol.step * links.step,
        wire: passes * n / p / (protocol.bandwidth * links.ring) + added,
        ramp: 1.0,
        sent: passes * (p - 1.0) / p * n,
        limit: Bound::Link,
    }
}
