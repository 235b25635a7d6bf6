//! A node's links and NICs under one communication library, and the question asked of them.

use vitruvian_hardware::{Chip, Fabric, Node, ScaleOut};
use vitruvian_model::{Collective, CollectiveKind};
use vitruvian_quantity::{Bytes, BytesPerSecond, Seconds};

use crate::algorithm::{
    Algorithm, Candidate, Protocol, Steps, cheapest, custom, experts, mesh, pairwise, passes, ring, switch,
    two_level,
};
use crate::estimate::CollectiveEstimate;
use crate::placement::Placement;
use crate::profile::CollectiveProfile;

/// The network that a rank sees: the links of its node, its share of the NICs, and the library that drives them.
#[derive(Clone, Debug)]
pub struct Network<'a> {
    profile: &'a CollectiveProfile,
    node_size: u32,
    links: Links,
    nic: Nic,
}

/// Links of one chip inside its node: bytes per second and direction, seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links {
    /// What a ring gets of a chip's links; on a mesh, one link.
    pub ring: f64,
    /// Rate of an in-switch reduction, each way.
    pub in_switch: Option<f64>,
    pub step: f64,
    pub base: f64,
    all_to_all: f64,
    mesh: bool,
    /// Seconds per byte of an exchange between the dies of a package, zero for one die.
    die: f64,
}

/// One rank's NIC: bytes per second, seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nic {
    pub bandwidth: f64,
    pub step: f64,
    pub base: f64,
}

impl<'a> Network<'a> {
    /// The network of `chip` in `node`, driven by the library of `profile`.
    pub fn new(chip: &Chip, node: &Node, profile: &'a CollectiveProfile) -> Self {
        let links = Links::of(&node.fabric, node.size, chip.compute.dies);
        Self { profile, node_size: node.size.max(1), links, nic: Nic::of(&node.scale_out) }
    }

    /// What one exchange costs one rank, by the cheapest algorithm. A group of one and an empty buffer cost nothing.
    pub fn collective(&self, collective: &Collective) -> CollectiveEstimate {
        let at = Placement::of(collective.group, self.node_size);
        if at.ranks == 1 || collective.bytes == 0 {
            return CollectiveEstimate::NOTHING;
        }
        let best = self.best(collective.kind, collective.bytes as f64, at);
        best.map_or(CollectiveEstimate::NOTHING, |best| self.estimate(collective, at, &best))
    }

    /// The time below which no algorithm can be: the bytes that must leave a rank's node, over its NIC; zero inside one.
    ///
    /// Per rank with r ranks a node and q nodes: all-reduce 2(q−1)/q · n/r, all-gather and reduce-scatter half of it,
    /// all-to-all (p−r)/p · n.
    pub fn floor(&self, collective: &Collective) -> Seconds {
        let at = Placement::of(collective.group, self.node_size);
        let [p, local, nodes] = [at.ranks, at.local, at.nodes].map(f64::from);
        let n = collective.bytes as f64;
        let out = match collective.kind {
            CollectiveKind::AllReduce | CollectiveKind::AllGather | CollectiveKind::ReduceScatter => {
                passes(collective.kind) * (nodes - 1.0) / nodes * n / local
            }
            CollectiveKind::AllToAll => (p - local) / p * n,
            CollectiveKind::SendReceive if at.nodes > 1 => n,
            // How often a row crosses depends on the kernel; one crossing in topk is the least.
            CollectiveKind::Dispatch { topk } | CollectiveKind::Combine { topk } => {
                (p - local) / p * n / f64::from(topk.max(1))
            }
            CollectiveKind::SendReceive => 0.0,
        };
        Seconds::new(out / self.nic.bandwidth)
    }

    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    pub(crate) fn nic(&self) -> &Nic {
        &self.nic
    }

    /// The exponent of a protocol's ramp.
    pub(crate) fn ramp(&self, protocol: Protocol) -> f64 {
        self.profile.ramp(protocol)
    }

    fn best(&self, kind: CollectiveKind, n: f64, at: Placement) -> Option<Candidate> {
        match kind {
            CollectiveKind::AllReduce | CollectiveKind::AllGather | CollectiveKind::ReduceScatter => {
                if at.nodes == 1 { self.inside(kind, n, at.ranks) } else { self.across(kind, n, at) }
            }
            CollectiveKind::AllToAll => cheapest(
                self.profile.pairwise.iter().map(|protocol| pairwise::all_to_all(self, protocol, n, at)),
            ),
            CollectiveKind::SendReceive => {
                cheapest(self.profile.pairwise.iter().map(|protocol| pairwise::send(self, protocol, n, at)))
            }
            CollectiveKind::Dispatch { .. } | CollectiveKind::Combine { .. } => {
                Some(experts::experts(self, &self.profile.experts, kind, n, at))
            }
        }
    }

    /// The cheapest inside one node, the engine's own kernels among the candidates.
    fn inside(&self, kind: CollectiveKind, n: f64, ranks: u32) -> Option<Candidate> {
        let p = f64::from(ranks);
        let own = self.profile.custom.iter().filter(|_| kind == CollectiveKind::AllReduce);
        let own = own.flat_map(|kernels| custom::custom(&self.links, kernels, n, p));
        cheapest(
            self.library(kind, n, p).chain(own.map(|candidate| self.links.join_dies(candidate, kind, n))),
        )
    }

    /// The cheapest pair of a stage inside the nodes and one between them.
    fn across(&self, kind: CollectiveKind, n: f64, at: Placement) -> Option<Candidate> {
        let join = |inside: Option<Candidate>| {
            [Steps::Linear, Steps::Logarithmic].map(|inter| {
                two_level::two_level(inside, &self.nic, &self.profile.across, kind, n, at, inter)
            })
        };
        if at.local == 1 {
            return cheapest(join(None));
        }
        cheapest(self.library(kind, n, f64::from(at.local)).flat_map(|inside| join(Some(inside))))
    }

    /// What the library offers inside a node.
    fn library(&self, kind: CollectiveKind, n: f64, p: f64) -> impl Iterator<Item = Candidate> + '_ {
        let (links, profile) = (&self.links, self.profile);
        let around = if links.mesh { mesh::mesh } else { ring::ring };
        let rings = profile.ring.iter().map(move |protocol| Candidate {
            ramp: profile.ramp(protocol.protocol),
            ..around(links, protocol, kind, n, p)
        });
        let switched = profile.in_switch.iter().filter(move |_| kind == CollectiveKind::AllReduce);
        let switched = switched.filter_map(move |own| switch::in_switch(links, *own, n, p));
        let switched = switched.map(|candidate| Candidate { ramp: profile.ramp, ..candidate });
        rings.chain(switched).map(move |candidate| links.join_dies(candidate, kind, n))
    }

    fn estimate(&self, collective: &Collective, at: Placement, best: &Candidate) -> CollectiveEstimate {
        let time = best.time();
        let p = f64::from(at.ranks);
        let factor = match collective.kind {
            CollectiveKind::SendReceive => 1.0,
            kind => passes(kind) * (p - 1.0) / p,
        };
        CollectiveEstimate {
            time: Seconds::new(time),
            algorithm: best.algorithm,
            bytes_on_links: Bytes::new(best.sent),
            bound: best.bound(),
            busbw: BytesPerSecond::new(collective.bytes as f64 * factor / time),
            latency: Seconds::new(best.latency),
            wire: Seconds::new(best.wire),
            sigma: self.sigma(best.algorithm, at),
        }
    }

    fn sigma(&self, algorithm: Algorithm, at: Placement) -> f64 {
        let sigma = &self.profile.sigma;
        let own = self.profile.custom.first().map_or(sigma.inside, |kernels| kernels.sigma);
        match algorithm {
            Algorithm::LowLatencyExperts | Algorithm::NormalExperts => sigma.experts,
            Algorithm::OneShot | Algorithm::TwoShot | Algorithm::Multimem => own,
            _ if at.nodes > 1 => sigma.across,
            _ => sigma.inside,
        }
    }
}

impl Links {
    fn of(fabric: &Fabric, size: u32, dies: u32) -> Self {
        let plain = |ring: BytesPerSecond, step: Seconds, base: Seconds| Self {
            ring: ring.get(),
            in_switch: None,
            step: step.get(),
            base: base.get(),
            all_to_all: ring.get(),
            mesh: false,
            die: 0.0,
        };
        match *fabric {
            Fabric::Pcie { ring_bandwidth, step_latency, base_latency } => {
                plain(ring_bandwidth, step_latency, base_latency)
            }
            Fabric::FullMesh { link_bandwidth, step_latency, base_latency } => {
                Self { mesh: true, ..plain(link_bandwidth, step_latency, base_latency) }
            }
            Fabric::Switch {
                ring_bandwidth,
                in_network_bandwidth,
                all_to_all_bandwidth,
                die_bandwidth,
                step_latency,
                base_latency,
            } => Self {
                in_switch: in_network_bandwidth
                    .map(|busbw| switch::link_rate(busbw.get(), f64::from(size.max(2)))),
                all_to_all: all_to_all_bandwidth.get(),
                die: die_bandwidth.map_or(0.0, |rate| die_exchange(rate, dies)),
                ..plain(ring_bandwidth, step_latency, base_latency)
            },
        }
    }

    /// What one chip sends to `local` − 1 peers at once: all its links behind a switch, one a peer on a mesh.
    pub(crate) fn all_to_all(&self, local: f64) -> f64 {
        if self.mesh { self.ring * (local - 1.0).max(1.0) } else { self.all_to_all }
    }

    /// A package of d dies also exchanges between them what it sums or gathers.
    fn join_dies(&self, candidate: Candidate, kind: CollectiveKind, n: f64) -> Candidate {
        Candidate { wire: candidate.wire + passes(kind) * n * self.die, ..candidate }
    }
}

/// Seconds per byte of one pass over d dies: (d−1)/d / rate.
fn die_exchange(rate: BytesPerSecond, dies: u32) -> f64 {
    let dies = f64::from(dies.max(1));
    (dies - 1.0) / dies / rate.get()
}

impl Nic {
    fn of(scale_out: &ScaleOut) -> Self {
        Self {
            bandwidth: scale_out.bandwidth.get(),
            step: scale_out.latency.get(),
            base: scale_out.base_latency.get(),
        }
    }

    /// Added latency of a message to another node, none inside one.
    pub(crate) fn reach(&self, nodes: u32) -> f64 {
        if nodes > 1 { self.base + self.step } else { 0.0 }
    }
}
