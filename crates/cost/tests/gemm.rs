//! Matrix products against what libraries and chips are known to do.
#![allow(clippy::unwrap_used)]

use vitruvian_cost::{Choice, Costs, Estimate, Fidelity, Library, Residency};
use vitruvian_hardware::{Chip, catalog};
use vitruvian_model::operator::{Gemm, GroupedGemm, Imbalance};
use vitruvian_model::{Operator, Scheme, Sparsity};

fn gemm([m, n, k]: [u32; 3], scheme: Scheme) -> Operator {
    Operator::Gemm(Gemm { m, n, k, batch: 1, scheme, sparsity: Sparsity::Dense })
}

fn estimate(chip: &Chip, operator: &Operator, residency: Residency) -> Estimate {
    let profiles = Library::catalog().unwrap().profiles(chip, None).unwrap();
    let costs = Costs { residency, ..Costs::new(chip, &profiles, Fidelity::Tile) };
    costs.estimate(operator).unwrap()
}

fn microseconds(chip: &Chip, operator: &Operator) -> f64 {
    estimate(chip, operator, Residency::Cold).time.get() * 1e6
}

#[test]
fn small_batches_are_flat_on_h20() {
    // DeepGEMM has no tile below 64 rows and does not swap operands: InferSim measures 53.4, 53.9 and 54.5 µs.
    let h20 = catalog::chip("h20").unwrap();
    for [n, k] in [[24576, 4096], [6144, 4096], [51200, 5120]] {
        let [few, many] = [16, 64].map(|m| microseconds(&h20, &gemm([m, n, k], Scheme::Fp8Block)));
        assert!(many / few < 1.05, "n={n} k={k}: {few} us at 16 rows, {many} at 64");
        let twice = microseconds(&h20, &gemm([128, n, k], Scheme::Fp8Block));
        assert!(twice / many > 1.4, "n={n} k={k}: {many} us at 64 rows, {twice} at 128");
    }
}

#[test]
fn one_row_is_swapped_on_h100() {
    let h100 = catalog::chip("h100-sxm").unwrap();
    let Choice::Tile { rows, swapped, .. } =
        estimate(&h100, &gemm([1, 8192, 8192], Scheme::Bf16), Residency::Cold).choice
    else {
        panic!("no tile")
    };
    assert!(swapped && rows < 64);
}

#[test]
fn a_deep_and_narrow_product_splits_its_depth_on_hopper() {
    let h200 = catalog::chip("h200-sxm").unwrap();
    let estimate = estimate(&h200, &gemm([16, 1024, 16384], Scheme::Bf16), Residency::Cold);
    assert!(matches!(estimate.choice, Choice::Tile { split, .. } if split > 1), "{:?}", estimate.choice);
}

#[test]
fn a_deep_and_narrow_product_is_slower_with_fewer_rows_on_910b() {
    // Eight columns of 128 on eight cores: 39.2 µs measured at one row, 17.2 at 16.
    let ascend = catalog::chip("ascend-910b2").unwrap();
    let rotating = Residency::Rotating { copies: 6 };
    let time = |m| estimate(&ascend, &gemm([m, 1024, 12288], Scheme::Bf16), rotating).time.get() * 1e6;
    assert!(time(1) > 1.5 * time(16), "{} against {}", time(1), time(16));
}

#[test]
fn a_benchmark_that_rotates_reads_small_weights_from_l2() {
    // 6 · 12288 · 1024 · 2 B = 151 MB of 192 MiB
    let ascend = catalog::chip("ascend-910b2").unwrap();
    let operator = gemm([64, 12288, 1024], Scheme::Bf16);
    let cold = estimate(&ascend, &operator, Residency::Cold);
    let rotating = estimate(&ascend, &operator, Residency::Rotating { copies: 6 });
    assert!(cold.time > rotating.time);
    // 12288·1024·2 B of weights, 64·1024·2 B of activations, 64·12288·2 B of outputs
    assert_eq!(cold.work.hbm.get(), 25_165_824.0 + 131_072.0 + 1_572_864.0);
    assert!(rotating.work.hbm.get() < 0.2 * cold.work.hbm.get());
}

#[test]
fn a_larger_l0a_makes_taller_tiles() {
    let ascend = catalog::chip("ascend-910b2").unwrap();
    let mut larger = ascend.clone();
    larger.buffers.l0a = larger.buffers.l0a * 2.0;
    larger.buffers.l0c = larger.buffers.l0c * 2.0;
    let height =
        |chip: &Chip| match estimate(chip, &gemm([4096, 8192, 8192], Scheme::Bf16), Residency::Cold).choice {
            Choice::Tile { rows, .. } => rows,
            other => panic!("{other:?}"),
        };
    // 32 KiB of a half / (128 · 2 B) = 128 rows
    assert_eq!(height(&ascend), 128);
    assert_eq!(height(&larger), 256);
}

#[test]
fn sparse_weights_are_half_the_bytes_and_an_index() {
    let h100 = catalog::chip("h100-sxm").unwrap();
    let op = Gemm { m: 16, n: 8192, k: 8192, batch: 1, scheme: Scheme::Bf16, sparsity: Sparsity::TwoOfFour };
    let [dense, sparse] = [Sparsity::Dense, Sparsity::TwoOfFour]
        .map(|sparsity| estimate(&h100, &Operator::Gemm(Gemm { sparsity, ..op }), Residency::Cold));
    // 8192² · (2·½ + ½·2/8) B against 8192² · 2 B
    let saved = dense.work.hbm.get() - sparse.work.hbm.get();
    assert!((saved - 8192.0 * 8192.0 * (2.0 - 1.125)).abs() < 1.0, "{saved}");
    assert!(sparse.time < dense.time);
}

#[test]
fn weight_only_wins_few_rows_and_loses_many() {
    let h100 = catalog::chip("h100-sxm").unwrap();
    let time = |m, scheme| microseconds(&h100, &gemm([m, 8192, 8192], scheme));
    assert!(time(1, Scheme::W4A16) < time(1, Scheme::Bf16));
    assert!(time(8192, Scheme::W4A16) > time(8192, Scheme::Bf16));
}

#[test]
fn half_of_the_experts_are_idle_when_each_expects_one_row() {
    // ⌊1·u⌋ with u even on 0.7 to 1.3 is zero half of the time: 166.6 µs measured against 350.1 with three rows.
    let h20 = catalog::chip("h20").unwrap();
    let op = GroupedGemm {
        tokens: 1,
        topk: 96,
        experts: 96,
        local_experts: 96,
        n: 3120,
        k: 2048,
        inner: 1560,
        scheme: Scheme::Fp8Block,
        sparsity: Sparsity::Dense,
        imbalance: Imbalance::Spread(300),
    };
    let one = microseconds(&h20, &Operator::GroupedGemm(op));
    let three = microseconds(&h20, &Operator::GroupedGemm(GroupedGemm { tokens: 3, ..op }));
    assert!((1.7..2.3).contains(&(three / one)), "{one} and {three}");
}
