//! All-to-all and send/receive: every pair exchanges directly.

use super::{Algorithm, Candidate};
use crate::estimate::Bound;
use crate::network::{Links, Network};
use crate::placement::Placement;
use crate::profile::PairwiseProtocol;

/// Every rank sends n/p to each rank. Inside a node the slower of one peer's channel and the chip's whole bandwidth
/// counts; what leaves the node shares the chip's NIC, at the same time.
pub(crate) fn all_to_all(network: &Network, protocol: &PairwiseProtocol, n: f64, at: Placement) -> Candidate {
    let (links, nic) = (network.links(), network.nic());
    let [p, local] = [at.ranks, at.local].map(f64::from);
    let [inside, outside] = [(local - 1.0) / p * n, (p - local) / p * n];
    let peer = if local > 1.0 { n / p / (protocol.peer * links.ring) } else { 0.0 };
    let wire_inside = peer.max(inside / links.all_to_all(local));
    let wire_outside = outside / nic.bandwidth;
    Candidate {
        algorithm: Algorithm::Pairwise(protocol.protocol),
        latency: start(links, protocol) + nic.reach(at.nodes),
        wire: wire_inside.max(wire_outside),
        ramp: network.ramp(protocol.protocol),
        sent: inside + outside,
        limit: if wire_outside > wire_inside { Bound::Nic } else { Bound::Link },
    }
}

/// One rank sends n to another: over one link, or over its NIC.
pub(crate) fn send(network: &Network, protocol: &PairwiseProtocol, n: f64, at: Placement) -> Candidate {
    let (links, nic) = (network.links(), network.nic());
    let leaves = at.nodes > 1;
    let [wire, limit] = [n / (protocol.peer * links.ring), n / nic.bandwidth];
    Candidate {
        algorithm: Algorithm::Pairwise(protocol.protocol),
        latency: start(links, protocol) + nic.reach(at.nodes),
        wire: if leaves { limit } else { wire },
        ramp: network.ramp(protocol.protocol),
        sent: n,
        limit: if leaves { Bound::Nic } else { Bound::Link },
    }
}

fn start(links: &Links, protocol: &PairwiseProtocol) -> f64 {
    links.base + protocol.start.get()
}
