//! Dispatch of tokens to experts and the way back (`DeepEP` and its kin).
//!
//! Low-latency kernels send a row once for each chosen expert: of n bytes a share (r−1)/p goes to ranks of the same node
//! and (p−r)/p over the NIC, at the same time. Normal kernels send a row once for each rank over links and once for each
//! node over NICs. Of G equal targets k draws hit G·(1 − (1 − 1/G)^k) (with replacement; the expert count is large).

use vitruvian_model::CollectiveKind;

use super::{Algorithm, Candidate};
use crate::estimate::Bound;
use crate::network::Network;
use crate::placement::Placement;
use crate::profile::{ExpertPhase, Experts};

/// Expected distinct targets among `targets` hit by `draws`.
pub(crate) fn distinct(targets: f64, draws: f64) -> f64 {
    targets * (1.0 - (1.0 - targets.recip()).powf(draws))
}

/// Bytes of one rank to ranks of its node, and to ranks of others.
struct Rows {
    inside: f64,
    outside: f64,
}

/// Low-latency kernels as far as their buffers reach, normal ones beyond: a rule of the engines, not the cheaper one.
pub(crate) fn experts(
    network: &Network,
    kernels: &Experts,
    kind: CollectiveKind,
    n: f64,
    at: Placement,
) -> Candidate {
    let (kernel, algorithm, rows) = match kernels.normal.filter(|_| n > kernels.largest as f64) {
        None => (kernels.low_latency, Algorithm::LowLatencyExperts, Rows::per_expert(n, at)),
        Some(normal) => (normal, Algorithm::NormalExperts, Rows::per_rank(n, f64::from(choices(kind)), at)),
    };
    let phase = if matches!(kind, CollectiveKind::Combine { .. }) { kernel.combine } else { kernel.dispatch };
    exchange(network, &phase, algorithm, &rows, at)
}

impl Rows {
    /// One message for each (token, expert).
    fn per_expert(n: f64, at: Placement) -> Self {
        let [p, local] = [at.ranks, at.local].map(f64::from);
        Self { inside: (local - 1.0) / p * n, outside: (p - local) / p * n }
    }

    /// One message for each (token, rank) inside nodes and each (token, node) between them.
    fn per_rank(n: f64, draws: f64, at: Placement) -> Self {
        let [p, local, nodes] = [at.ranks, at.local, at.nodes].map(f64::from);
        let row = n / draws;
        Self {
            // Rows that arrive over NICs are forwarded over links, so every distinct rank but this one costs a link.
            inside: row * distinct(p, draws) * (local - 1.0) / local,
            outside: row * distinct(nodes, draws) * (nodes - 1.0) / nodes,
        }
    }
}

/// The later of what goes over links, whose copy may hide part of the start, and what goes over the NIC after it.
fn exchange(
    network: &Network,
    phase: &ExpertPhase,
    algorithm: Algorithm,
    rows: &Rows,
    at: Placement,
) -> Candidate {
    let links = network.links().all_to_all(f64::from(at.local)).min(phase.copy_bandwidth.get());
    let inside = Candidate {
        algorithm,
        latency: phase.start.get() + phase.doubling.get() * f64::from(at.ranks).log2(),
        wire: rows.inside / links,
        ramp: phase.ramp,
        sent: rows.inside + rows.outside,
        limit: Bound::Link,
    };
    let outside =
        Candidate { wire: rows.outside / network.nic().bandwidth, ramp: 1.0, limit: Bound::Nic, ..inside };
    if outside.time() > inside.time() { outside } else { inside }
}

fn choices(kind: CollectiveKind) -> u32 {
    match kind {
        CollectiveKind::Dispatch { topk } | CollectiveKind::Combine { topk } => topk.max(1),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_draw_hits_one_target_and_many_hit_all() {
        // G(1 − (1 − 1/G)) = 1
        assert!((distinct(8.0, 1.0) - 1.0).abs() < 1e-12);
        assert!((distinct(8.0, 1000.0) - 8.0).abs() < 1e-9);
        assert_eq!(distinct(1.0, 8.0), 1.0);
    }
}
