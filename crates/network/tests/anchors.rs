//! Published measurements, each with its source, against the catalog's nodes and profiles.

#![allow(clippy::unwrap_used)] // helpers of tests

use vitruvian_hardware::catalog;
use vitruvian_model::{Collective, CollectiveKind, Group};
use vitruvian_network::{Algorithm, CollectiveEstimate, Library, Network, Protocol};

fn ask(
    chip: &str,
    node: &str,
    engine: Option<&str>,
    kind: CollectiveKind,
    ranks: u32,
    bytes: u64,
) -> CollectiveEstimate {
    let (chip, node) = (catalog::chip(chip).unwrap(), catalog::node(node).unwrap());
    let profile = Library::catalog().unwrap().profile(&chip, engine).unwrap();
    let group = Group { size: ranks, stride: 1 };
    Network::new(&chip, &node, &profile).collective(&Collective { kind, group, bytes })
}

fn busbw_gb(estimate: &CollectiveEstimate) -> f64 {
    estimate.busbw.get() / 1e9
}

#[track_caller]
fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value / expected - 1.0).abs() <= tolerance, "{value} is not within {tolerance} of {expected}");
}

/// Large enough that latency does not count.
const LARGE: u64 = 512 << 20;

/// facts: hardware.md 6.1, gameofdimension/limulidae README: busbw of 8, 4 and 2 cards 910B: all-gather 130, 48, 19,
/// all-reduce 126, 45, 18 GB/s. A full mesh gives p − 1 links of 18.5: 129.5, 55.5, 18.5; the four-card points are lower
/// than three links, which the closed form does not explain (docs/cost/network.md).
#[test]
fn a_full_mesh_of_910b_grows_with_the_group() {
    for (ranks, gather, reduce, tolerance) in
        [(8, 130.0, 126.0, 0.03), (4, 48.0, 45.0, 0.23), (2, 19.0, 18.0, 0.04)]
    {
        let of = |kind| busbw_gb(&ask("ascend-910b2", "atlas-800t-a2", None, kind, ranks, LARGE));
        near(of(CollectiveKind::AllGather), gather, tolerance);
        near(of(CollectiveKind::AllReduce), reduce, tolerance);
    }
}

/// TP 2 on 910B has one link; on H20 it has all of a chip's.
#[test]
fn a_pair_has_one_link_on_a_mesh_and_the_whole_switch_on_nvlink() {
    let of = |chip, node| ask(chip, node, None, CollectiveKind::SendReceive, 2, 1 << 30).time.get();
    near(of("ascend-910b2", "atlas-800t-a2"), 1.074e9 / 18.5e9, 0.02);
    near(of("h20", "hgx-h20"), 1.074e9 / 370.8e9, 0.05);
}

/// facts: hardware.md 6.1, aiconfigurator NCCL tables at 512 MB over 8: all-reduce, all-gather, all-to-all in GB/s.
#[test]
fn large_collectives_over_eight_reach_the_published_bus_bandwidth() {
    let cases = [
        ("a100-sxm", "hgx-a100", [222.0, 205.0, 203.0]),
        ("h100-sxm", "hgx-h100", [445.0, 335.0, 315.0]),
        ("h200-sxm", "hgx-h200", [460.0, 337.0, 311.0]),
    ];
    for (chip, node, published) in cases {
        let kinds = [CollectiveKind::AllReduce, CollectiveKind::AllGather, CollectiveKind::AllToAll];
        for (kind, expected) in kinds.into_iter().zip(published) {
            near(busbw_gb(&ask(chip, node, None, kind, 8, LARGE)), expected, 0.10);
        }
    }
}

/// facts: methods.md 5.3 and hardware.md 6.1: smallest all-reduce over 8 in 22.6 / 15.6 / 25 µs.
#[test]
fn small_all_reduces_over_eight_take_the_published_time() {
    for (chip, node, expected) in
        [("a100-sxm", "hgx-a100", 22.6e-6), ("h100-sxm", "hgx-h100", 15.6e-6), ("b200", "hgx-b200", 25e-6)]
    {
        near(ask(chip, node, None, CollectiveKind::AllReduce, 8, 512).time.get(), expected, 0.06);
    }
}

/// facts: hardware.md 6.1: H20 NVLS busbw 475–480 GB/s at its peak (nccl issue 212).
#[test]
fn h20_reduces_large_vectors_in_the_switch() {
    let estimate = ask("h20", "hgx-h20", None, CollectiveKind::AllReduce, 8, 16 << 30);
    assert_eq!(estimate.algorithm, Algorithm::InSwitch);
    near(busbw_gb(&estimate), 475.0, 0.02);
}

/// facts: hardware.md 6.1: an H20 node's small all-to-all takes ~10.5 µs (`DeepEP` issue 303).
#[test]
fn h20_small_all_to_all_is_latency() {
    let estimate = ask("h20", "hgx-h20", None, CollectiveKind::AllToAll, 8, 64 << 10);
    assert_eq!(estimate.algorithm, Algorithm::Pairwise(Protocol::Ll));
    near(estimate.time.get(), 10.5e-6, 0.25);
}

/// facts: methods.md 5.3, `DeepEP` V1 low-latency on H800: 128 tokens × 7168, top 8, FP8 with a scale every 128 out, BF16
/// back; µs for EP 8, 16, 32, 64, 128, 256.
#[test]
fn low_latency_expert_exchange_follows_deepep() {
    let dispatch = [77.0, 118.0, 155.0, 173.0, 192.0, 194.0];
    let combine = [114.0, 195.0, 273.0, 314.0, 369.0, 360.0];
    for (index, ranks) in [8, 16, 32, 64, 128, 256].into_iter().enumerate() {
        let of =
            |kind, row: u64| ask("h800-sxm", "hgx-h800", None, kind, ranks, 128 * 8 * row).time.get() * 1e6;
        near(of(CollectiveKind::Dispatch { topk: 8 }, 7168 + 56 * 4), dispatch[index], 0.20);
        near(of(CollectiveKind::Combine { topk: 8 }, 7168 * 2), combine[index], 0.20);
    }
}

/// facts: hardware.md 6.1, `CloudMatrix384`: dispatch EP8 116 µs, EP256 152 µs; combine EP8 118 µs. INT8 out, BF16 back.
#[test]
fn cloudmatrix_expert_exchange_hardly_grows_with_the_group() {
    let of = |kind, ranks, row: u64| {
        ask("ascend-910c", "cloudmatrix-384", None, kind, ranks, 128 * 8 * row).time.get() * 1e6
    };
    near(of(CollectiveKind::Dispatch { topk: 8 }, 8, 7168), 116.0, 0.10);
    near(of(CollectiveKind::Dispatch { topk: 8 }, 256, 7168), 152.0, 0.10);
    near(of(CollectiveKind::Combine { topk: 8 }, 8, 7168 * 2), 118.0, 0.10);
}

/// facts: hardware.md 6.2: busbw 475 GB/s over 8 × 400G with H200 (nccl-tests issue 272); H20 `NVLSTree` over two nodes
/// 46–48 µs for small vectors (nccl issue 1244).
#[test]
fn two_nodes_of_nvlink_pipeline_links_and_nics() {
    near(busbw_gb(&ask("h200-sxm", "hgx-h200", None, CollectiveKind::AllReduce, 16, 8 << 30)), 475.0, 0.15);
    let small = ask("h20", "hgx-h20", None, CollectiveKind::AllReduce, 16, 8 << 10);
    assert!(matches!(small.algorithm, Algorithm::TwoLevel(_)));
}

/// vLLM's one-shot kernel takes the small messages of decode: 4.7 µs over 8 H100 where NCCL takes 15.6.
#[test]
fn engines_bring_faster_kernels_for_small_messages() {
    let own = ask("h100-sxm", "hgx-h100", Some("vllm"), CollectiveKind::AllReduce, 8, 4096);
    assert_eq!(own.algorithm, Algorithm::OneShot);
    near(own.time.get(), 5.1e-6, 0.10);
    let plain = ask("h100-sxm", "hgx-h100", None, CollectiveKind::AllReduce, 8, 4096);
    assert_eq!(plain.algorithm, Algorithm::Ring(Protocol::Ll));
}
