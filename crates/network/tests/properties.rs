//! What holds for every network: more bytes are never faster, more bandwidth never slower, bytes are conserved.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::sync::LazyLock;

use proptest::prelude::*;
use vitruvian_hardware::{Chip, Fabric, Node, catalog};
use vitruvian_model::{Collective, CollectiveKind, Group};
use vitruvian_network::{CollectiveEstimate, CollectiveProfile, Library, Network};
use vitruvian_quantity::BytesPerSecond;

const KINDS: [CollectiveKind; 7] = [
    CollectiveKind::AllReduce,
    CollectiveKind::AllGather,
    CollectiveKind::ReduceScatter,
    CollectiveKind::AllToAll,
    CollectiveKind::SendReceive,
    CollectiveKind::Dispatch { topk: 8 },
    CollectiveKind::Combine { topk: 8 },
];

/// Of these the cheapest algorithm is taken; engines choose between expert kernels by a rule.
const BY_COST: usize = 5;

const PLACES: [(&str, &str); 5] = [
    ("h20", "hgx-h20"),
    ("a100-sxm", "hgx-a100"),
    ("ascend-910b2", "atlas-800t-a2"),
    ("ascend-910c", "atlas-800t-a3"),
    ("l40s", "pcie-8"),
];

struct Place {
    chip: Chip,
    node: Node,
    profile: CollectiveProfile,
}

static READ: LazyLock<Vec<Place>> = LazyLock::new(|| PLACES.map(read).into());

fn read((chip, node): (&str, &str)) -> Place {
    let (chip, node) = (catalog::chip(chip).unwrap(), catalog::node(node).unwrap());
    let profile = Library::catalog().unwrap().nearest(&chip).unwrap();
    Place { chip, node, profile }
}

fn place(index: usize, engine: Option<&str>) -> Place {
    let Place { chip, node, profile } = &READ[index];
    Place { chip: chip.clone(), node: node.clone(), profile: profile.for_engine(engine) }
}

impl Place {
    fn ask(&self, kind: CollectiveKind, group: Group, bytes: u64) -> CollectiveEstimate {
        Network::new(&self.chip, &self.node, &self.profile).collective(&Collective { kind, group, bytes })
    }

    fn time(&self, kind: CollectiveKind, group: Group, bytes: u64) -> f64 {
        self.ask(kind, group, bytes).time.get()
    }
}

/// Scales every bandwidth of links and NICs.
fn faster(node: &Node, factor: f64) -> Node {
    let mut node = node.clone();
    let scale = |rate: &mut BytesPerSecond| *rate = *rate * factor;
    match &mut node.fabric {
        Fabric::Switch {
            ring_bandwidth, in_network_bandwidth, all_to_all_bandwidth, die_bandwidth, ..
        } => {
            let sure = [ring_bandwidth, all_to_all_bandwidth];
            sure.into_iter().chain(in_network_bandwidth).chain(die_bandwidth).for_each(scale);
        }
        Fabric::FullMesh { link_bandwidth, .. } => scale(link_bandwidth),
        Fabric::Pcie { ring_bandwidth, .. } => scale(ring_bandwidth),
    }
    scale(&mut node.scale_out.bandwidth);
    node
}

fn group() -> impl Strategy<Value = Group> {
    (1u32..7, 0u32..5).prop_map(|(size, stride)| Group { size: 1 << size, stride: 1 << stride })
}

proptest! {
    #[test]
    fn more_bytes_are_never_faster(at in 0..PLACES.len(), kind in 0..BY_COST, group in group(), bytes in 1u64..1 << 30, more in 0u64..1 << 20) {
        // Without an engine's kernels: those end at a size from which the library may be slower for a step.
        let place = place(at, None);
        prop_assert!(place.time(KINDS[kind], group, bytes) <= place.time(KINDS[kind], group, bytes + more) * (1.0 + 1e-12));
    }

    #[test]
    fn more_bandwidth_is_never_slower(at in 0..PLACES.len(), kind in 0..KINDS.len(), group in group(), bytes in 1u64..1 << 32, factor in 1.0f64..4.0) {
        let slow = place(at, Some("vllm"));
        let fast = Place { node: faster(&slow.node, factor), chip: slow.chip.clone(), profile: slow.profile.clone() };
        prop_assert!(fast.time(KINDS[kind], group, bytes) <= slow.time(KINDS[kind], group, bytes) * (1.0 + 1e-12));
    }

    #[test]
    fn nothing_beats_the_nics(at in 0..PLACES.len(), kind in 0..KINDS.len(), group in group(), bytes in 1u64..1 << 32) {
        let place = place(at, None);
        let network = Network::new(&place.chip, &place.node, &place.profile);
        let collective = Collective { kind: KINDS[kind], group, bytes };
        prop_assert!(network.collective(&collective).time >= network.floor(&collective));
    }

    #[test]
    fn an_all_reduce_costs_at_least_each_of_its_halves(at in 0..PLACES.len(), group in group(), bytes in 1u64..1 << 32) {
        // The library's own: an engine's kernel may well beat the library's all-gather. In-switch all-reduce moves
        // n(1 + 1/p) where a ring's half moves n(p − 1)/p, at a lower rate: still more than half.
        let place = place(at, None);
        let [whole, gather, scatter] = [CollectiveKind::AllReduce, CollectiveKind::AllGather, CollectiveKind::ReduceScatter]
            .map(|kind| place.time(kind, group, bytes));
        prop_assert!(whole >= gather.max(scatter) * (1.0 - 1e-12));
    }

    #[test]
    fn one_rank_costs_nothing(at in 0..PLACES.len(), kind in 0..KINDS.len(), bytes in 0u64..1 << 40) {
        prop_assert_eq!(place(at, Some("vllm")).ask(KINDS[kind], Group { size: 1, stride: 1 }, bytes), CollectiveEstimate::NOTHING);
    }

    #[test]
    fn a_ring_moves_its_share(ranks in 2u32..=8, bytes in 1u64..1 << 32) {
        // A100 has no in-switch reduction: all-reduce sends 2(p−1)/p · n a rank, all-gather (p−1)/p · n.
        let place = place(1, None);
        let share = f64::from(ranks - 1) / f64::from(ranks) * bytes as f64;
        let sent = |kind| place.ask(kind, Group { size: ranks, stride: 1 }, bytes).bytes_on_links.get();
        prop_assert!((sent(CollectiveKind::AllReduce) / (2.0 * share) - 1.0).abs() < 1e-12);
        prop_assert!((sent(CollectiveKind::AllGather) / share - 1.0).abs() < 1e-12);
    }
}

/// A stride of a node's size puts every rank on its own node: nothing passes over links inside.
#[test]
fn a_group_strided_over_nodes_is_bound_by_nics() {
    let place = place(0, None);
    let group = Group { size: 4, stride: 8 };
    let estimate = place.ask(CollectiveKind::AllGather, group, 1 << 30);
    // (q−1)/q · n / NIC = 3/4 · 1.074 GB / 48.5 GB/s = 16.6 ms
    assert!((estimate.time.get() / (0.75 * 1.073_741_824 / 48.5) - 1.0).abs() < 0.02);
    assert_eq!(estimate.bound, vitruvian_network::Bound::Nic);
}

#[test]
fn sizes_are_split_among_algorithms_without_gaps() {
    let place = place(0, Some("vllm"));
    let network = Network::new(&place.chip, &place.node, &place.profile);
    let group = Group { size: 8, stride: 1 };
    let spans = vitruvian_network::crossovers(&network, CollectiveKind::AllReduce, group, 1024, 1 << 32);
    assert!(spans.len() >= 3);
    assert_eq!((spans[0].from, spans[spans.len() - 1].to), (1024, 1 << 32));
    for pair in spans.windows(2) {
        assert_eq!(pair[0].to + 1, pair[1].from);
        assert_ne!(pair[0].last.algorithm, pair[1].first.algorithm);
    }
}

/// vLLM's kernels over two H20 end at 4 MiB and 64 MiB, between which the library may win from some size on.
#[test]
fn spans_name_the_algorithm_that_serves_all_of_them() {
    let place = place(0, Some("vllm"));
    let network = Network::new(&place.chip, &place.node, &place.profile);
    for size in [2, 4, 8, 16] {
        let group = Group { size, stride: 1 };
        for span in vitruvian_network::crossovers(&network, CollectiveKind::AllReduce, group, 256, 1 << 31) {
            assert_eq!(span.first.algorithm, span.last.algorithm, "{size}: {} to {}", span.from, span.to);
        }
    }
}
