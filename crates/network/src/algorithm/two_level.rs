//! Collectives of several nodes: inside the nodes, between them, inside again.
//!
//! Reduce-scatter inside (r ranks), all-reduce of n/r between the q nodes over each rank's own NIC, all-gather inside;
//! all-gather and reduce-scatter pass each level once. Between nodes a ring takes q−1 steps a pass and a tree (NHR,
//! halving-doubling) ⌈log₂ q⌉, both of (q−1)/q · n/r bytes. Chunks pipeline the levels: the shorter one hides behind the
//! longer up to the profile's `overlap`.

use vitruvian_model::CollectiveKind;

use super::{Algorithm, Candidate, Steps, passes};
use crate::estimate::Bound;
use crate::network::Nic;
use crate::placement::Placement;
use crate::profile::Across;

/// What passes inside a node, none for one rank a node, joined with what passes between nodes.
pub(crate) fn two_level(
    inside: Option<Candidate>,
    nic: &Nic,
    across: &Across,
    kind: CollectiveKind,
    n: f64,
    at: Placement,
    steps: Steps,
) -> Candidate {
    let [nodes, local] = [at.nodes, at.local].map(f64::from);
    let outside = passes(kind) * (nodes - 1.0) / nodes * n / local;
    let wire_outside = outside / (nic.bandwidth * share(steps, across));
    let wire_inside = inside.map_or(0.0, |stage| stage.wire);
    let hidden = across.overlap * wire_inside.min(wire_outside);
    Candidate {
        algorithm: Algorithm::TwoLevel(steps),
        latency: inside.map_or(0.0, |stage| stage.latency)
            + nic.base
            + passes(kind) * steps.count(nodes) * nic.step,
        wire: wire_inside + wire_outside - hidden,
        ramp: inside.map_or(1.0, |stage| stage.ramp),
        sent: inside.map_or(0.0, |stage| stage.sent) + outside,
        limit: if wire_outside > wire_inside { Bound::Nic } else { Bound::Link },
    }
}

/// Of the NIC's bandwidth.
fn share(steps: Steps, across: &Across) -> f64 {
    match steps {
        Steps::Linear => 1.0,
        Steps::Logarithmic => across.tree_bandwidth,
    }
}
