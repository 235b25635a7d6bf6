//! H20 and Ascend 910B2 differ for the right reasons.

use vitruvian::study::{Degrees, Phase};
use vitruvian_model::operator::{Gemm, Group};
use vitruvian_model::{Collective, CollectiveKind, Operator, Scheme, Sparsity};
use vitruvian_quantity::Dtype;

use crate::question::{deployment, name, operator, phase, setup};

#[test]
fn ridge_points_lie_on_either_side_of_mla_decode() {
    // FLOP/B of BF16: 148 TFLOP/s / 4.0 TB/s = 37; 353.9 / 1.6 = 221. MLA decode does 241.8.
    let ridge = |chip: &str| setup(chip).chip.ridge(Dtype::Bf16);
    assert!((ridge("h20") / 37.0 - 1.0).abs() < 0.01, "{}", ridge("h20"));
    assert!((ridge("ascend-910b2") / 221.0 - 1.0).abs() < 0.01, "{}", ridge("ascend-910b2"));
}

#[test]
fn mla_decode_is_bound_by_matrix_on_h20() {
    let attention = mla("h20");
    assert_eq!(attention.bound, "matrix");
    // Far from the memory roof: 241.8 / 37 = 6.5 times the ridge.
    assert!(attention.bytes_per_s < 0.25 * setup("h20").chip.hbm.bandwidth.get());
}

#[test]
fn mla_decode_is_near_balance_on_910b2() {
    // At 241.8 FLOP/B against a ridge of 221 neither roof is more than 241.8 / 221 = 1.1 times the other.
    let (attention, chip) = (mla("ascend-910b2"), setup("ascend-910b2").chip);
    let of_matrix = attention.flop_per_s / chip.matrix_peak(Dtype::Bf16).get();
    let of_memory = attention.bytes_per_s / chip.hbm.bandwidth.get();
    assert!((of_matrix / of_memory - 1.1).abs() < 0.15, "{of_matrix} of matrix, {of_memory} of memory");
}

/// MLA decode with all heads on a rank, as DP-attention runs it.
fn mla(chip: &str) -> vitruvian::answer::OperatorShare {
    let mut study = deployment("deepseek-v3", name(chip));
    study.layout = Degrees { dp: 8, ep: 8, ..Degrees::default() };
    study.batch = 8 * 32;
    study.service.kv = Some("bf16".to_owned());
    operator(&phase(&study), "decode_attention").clone()
}

#[test]
fn dense_decode_is_bound_by_memory_on_both() {
    // 32 sequences do at most 2 · 32 / 2 = 32 FLOP a byte of BF16 weights: below both ridges, 37 and 221.
    for chip in ["h20", "ascend-910b2"] {
        let mut study = deployment("llama-3.1-8b", name(chip));
        study.service.precisions = vec!["bf16".to_owned()];
        assert_eq!(phase(&study).bound, "HBM", "{chip}");
    }
}

#[test]
fn prefill_is_bound_by_matrix_on_h20() {
    // 2,048 rows do 2 · 2048 / 2 = 2,048 FLOP a byte of weights: 55 times the ridge.
    let mut study = deployment("llama-3.1-8b", name("h20"));
    study.phase = Phase::Prefill;
    study.service.precisions = vec!["bf16".to_owned()];
    assert_eq!(phase(&study).bound, "matrix");
}

#[test]
fn small_batches_of_fp8_products_take_the_same_time_on_h20() {
    // A tile of WGMMA has 64 rows, whatever of them is used: 16 rows occupy the tensor cores as long as 64 do, which at
    // 2 · 64 FLOP a byte of weights, against a ridge of 296 / 4.0 = 74, decides the time.
    let setup = setup("h20");
    let time = |m: u32| {
        let gemm =
            Gemm { m, n: 5120, k: 25_600, batch: 1, scheme: Scheme::Fp8Block, sparsity: Sparsity::Dense };
        setup.costs().estimate(&Operator::Gemm(gemm)).unwrap().time
    };
    for m in [24, 32, 48, 64] {
        let ratio = time(m) / time(16);
        assert!((ratio - 1.0).abs() < 0.05, "{m} rows take {ratio} times as long as 16");
    }
    assert!(time(1024) > time(64) * 4.0);
}

#[test]
fn two_chips_of_910b2_get_one_link() {
    // A full mesh of 7 links: eight ranks use all seven, two ranks the one between them.
    assert!((busbw("ascend-910b2", 2) / busbw("ascend-910b2", 8) * 7.0 - 1.0).abs() < 0.1);
    // A switch gives two ranks all their links; eight gain only what in-switch sums save.
    assert!(busbw("h20", 2) > 0.5 * busbw("h20", 8));
}

/// Bus bandwidth of a large all-reduce over `ranks`.
fn busbw(chip: &str, ranks: u32) -> f64 {
    let group = Group { size: ranks, stride: 1 };
    let exchange = Collective { kind: CollectiveKind::AllReduce, group, bytes: 1 << 30 };
    setup(chip).network().collective(&exchange).busbw.get()
}

#[test]
fn tensor_parallel_pairs_cost_910b2_more_than_h20() {
    // 64 layers · 2 all-reduces of 4096 · 5120 · 2 B = 42 MB: over one link of 28 GB/s against 18 of 25 GB/s.
    let share = |chip: &str| {
        let mut study = deployment("qwen3-32b", name(chip));
        study.phase = Phase::Prefill;
        study.layout.tp = 2;
        operator(&phase(&study), "tp_allreduce").share
    };
    assert!(share("ascend-910b2") > 4.0 * share("h20"));
}

#[test]
fn no_kernel_rounds_activations_that_are_multiplied_in_16_bits() {
    // Da Vinci has INT8 but no FP8: block FP8 runs weight-only there.
    let rounds = |chip: &str, scheme: &str| {
        let mut study = deployment("qwen3-8b", name(chip));
        study.service.precisions = vec![scheme.to_owned()];
        phase(&study).operators.iter().any(|operator| operator.operator == "quantise")
    };
    assert!(rounds("h20", "fp8-block"));
    assert!(rounds("ascend-910b2", "w8a8-dynamic"));
    assert!(!rounds("ascend-910b2", "fp8-block"));
}
