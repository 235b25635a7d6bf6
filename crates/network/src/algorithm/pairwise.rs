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
    let channel = n / p / (protocol.peer * links.ring);
    let wire_inside = if local > 1.0 { channel.max(inside / links.all_to_all(local)) } else { 0.0 };
    let wire_outside = outside / (nic.bandwidth * protocol.protocol.payload());
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
    let rate = if leaves { nic.bandwidth * protocol.protocol.payload() } else { protocol.peer * links.ring };
    Candidate {
        algorithm: Algorithm::Pairwise(protocol.protocol),
        latency: start(links, protocol) + nic.reach(at.nodes),
        wire: n / rate,
        ramp: network.ramp(protocol.protocol),
        sent: n,
        limit: if leaves { Bound::Nic } else { Bound::Link },
    }
}

fn start(links: &Links, protocol: &PairwiseProtocol) -> f64 {
    links.base + protocol.start.get()
}
