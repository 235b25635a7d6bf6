//! GEMM kernels against a plain product in f64.

use proptest::prelude::*;
use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::gemm::{Epilogue, GemmProblem, GemmTiling, Weights, grouped, kernel};
use vitruvian_davinci::tiling::is_legal;
use vitruvian_davinci::timing::{Options, simulate};

use crate::common::{machine, run, values};

/// C = A · Bᵀ with B as n × k, and for each element Σ|a·b|, which bounds the rounding.
fn reference(m: usize, n: usize, k: usize, a: &[f64], b: &[f64]) -> Vec<(f64, f64)> {
    let element = |row: usize, column: usize| {
        let products = (0..k).map(|i| a[row * k + i] * b[column * k + i]);
        products.fold((0.0, 0.0), |(sum, size), p| (sum + p, size + p.abs()))
    };
    (0..m)
        .flat_map(|row| (0..n).map(move |column| (row, column)))
        .map(|(row, column)| element(row, column))
        .collect()
}

/// B as the kernel wants it, from n × k.
fn laid_out(weights: Weights, ty: Type, n: usize, k: usize, b: &[f64]) -> Vec<f64> {
    match weights {
        Weights::RowsOfN => b.to_vec(),
        Weights::RowsOfK => {
            (0..k).flat_map(|i| (0..n).map(move |column| (i, column))).map(|(i, c)| b[c * k + i]).collect()
        }
        Weights::Nz => {
            let depth = ty.fractal_depth() as usize;
            let (rows, columns) = (n.next_multiple_of(16), k.next_multiple_of(depth));
            let mut out = vec![0.0; rows * columns];
            for row in 0..n {
                for i in 0..k {
                    out[i / depth * rows * depth + row * depth + i % depth] = b[row * k + i];
                }
            }
            out
        }
    }
}

fn check(problem: GemmProblem, tiling: GemmTiling, seed: u64) {
    let machine = machine("ascend-910b2");
    assert!(is_legal(&machine, &problem, &tiling), "{tiling:?}");
    let (m, n, k) = (problem.m as usize, problem.n as usize, problem.k as usize);
    let (a, b) = (values(problem.ty, m * k, seed), values(problem.ty, n * k, seed + 1));
    let kernel = kernel(&machine, &problem, &tiling);
    let b_in = laid_out(problem.weights, problem.ty, n, k, &b);
    let gm = run(&machine, &kernel, &[("a", problem.ty, &a), ("b", problem.ty, &b_in)]);
    let c = gm.read("c", problem.out);
    // k roundings of fp32, and one of the output type: relative, or half the distance of its subnormal numbers
    let (output, subnormal) = match problem.out {
        Type::F16 => (2f64.powi(-11), 2f64.powi(-25)),
        Type::Bf16 => (2f64.powi(-8), 0.0),
        _ => (0.0, 0.0),
    };
    let float = if problem.ty.accumulator() == Type::F32 { (k as f64 + 1.0) * 2f64.powi(-23) } else { 0.0 };
    for (index, ((want, size), got)) in reference(m, n, k, &a, &b).into_iter().zip(&c).enumerate() {
        let bound = size * float + (want.abs() * output).max(subnormal) + 1e-30;
        assert!(
            (got - want).abs() <= bound,
            "{problem} {tiling:?} element {index}: {got} against {want} +- {bound}"
        );
    }
    simulate(&machine, &kernel, Options::default()).unwrap();
}

fn tiling(m: u32, n: u32, k_l1: u32, k_l0: u32) -> GemmTiling {
    GemmTiling { m, n, k_l1, k_l0, l0c_buffers: 1, split_k: 1, swizzle: 4 }
}

#[test]
fn a_whole_block_of_each_type() {
    for (ty, out) in [
        (Type::Bf16, Type::Bf16),
        (Type::F16, Type::F16),
        (Type::F16, Type::F32),
        (Type::F32, Type::F32),
        (Type::S8, Type::S32),
        (Type::S4, Type::S32),
    ] {
        let problem = GemmProblem { out, ..GemmProblem::new(64, 64, 256, ty) };
        check(problem, tiling(32, 32, 128, 64), 7);
    }
}

#[test]
fn split_k_sums_in_global_memory() {
    let problem = GemmProblem { out: Type::F32, ..GemmProblem::new(40, 72, 700, Type::Bf16) };
    check(problem, GemmTiling { split_k: 3, ..tiling(32, 64, 128, 64) }, 3);
}

#[test]
fn two_accumulators_alternate() {
    let problem = GemmProblem::new(96, 160, 128, Type::F16);
    check(problem, GemmTiling { l0c_buffers: 2, ..tiling(32, 32, 64, 32) }, 5);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_shape_and_layout(
        m in 1u32..100, n in 1u32..150, k in 1u32..300, seed in 0u64..1000,
        ty in prop::sample::select(vec![Type::Bf16, Type::F16, Type::S8]),
        weights in prop::sample::select(vec![Weights::RowsOfN, Weights::RowsOfK, Weights::Nz]),
        bm in 1u32..4, bn in 1u32..6, deep in 1u32..4,
    ) {
        let problem = GemmProblem { weights, ..GemmProblem::new(m, n, k, ty) };
        let step = ty.fractal_depth() * deep;
        check(problem, tiling(16 * bm, 16 * bn, 2 * step, step), seed);
    }
}

#[test]
fn int8_is_dequantised_and_biased_exactly_once_rounded() {
    let machine = machine("ascend-910b2");
    let problem = GemmProblem {
        epilogue: Epilogue::Dequantise,
        bias: true,
        out: Type::F16,
        ..GemmProblem::new(37, 130, 200, Type::S8)
    };
    let tiling = tiling(16, 64, 64, 32);
    assert!(is_legal(&machine, &problem, &tiling));
    let (a, b) = (values(Type::S8, 37 * 200, 1), values(Type::S8, 130 * 200, 2));
    let scales: Vec<f64> = (0..130).map(|i| f64::from(1 + i % 7) * 2f64.powi(-12)).collect();
    let bias: Vec<f64> = (0..130).map(|i| f64::from(100 * i - 5000)).collect();
    let kernel = kernel(&machine, &problem, &tiling);
    let inputs: [(&str, Type, &[f64]); 4] = [
        ("a", Type::S8, &a),
        ("b", Type::S8, &b),
        ("scales", Type::F32, &scales),
        ("bias", Type::S32, &bias),
    ];
    let c = run(&machine, &kernel, &inputs).read("c", Type::F16);
    for (index, ((sum, _), got)) in reference(37, 130, 200, &a, &b).into_iter().zip(&c).enumerate() {
        let column = index % 130;
        let want = half::f16::from_f64((sum + bias[column]) * scales[column]).to_f64();
        assert_eq!(*got, want, "element {index}");
    }
}

#[test]
fn sparse_weights_meet_the_elements_their_indices_name() {
    let machine = machine("ascend-910b2");
    let (m, n, k) = (33usize, 48usize, 256usize);
    let problem = GemmProblem { sparse: true, ..GemmProblem::new(33, 48, 256, Type::S8) };
    let tiling = GemmTiling { l0c_buffers: 2, ..tiling(32, 32, 128, 64) };
    assert!(is_legal(&machine, &problem, &tiling));
    let (a, kept) = (values(Type::S8, m * k, 1), values(Type::S8, n * k / 2, 2));
    // Element j of a row stands for k = 4·(j / 2) + index; the two of a group differ.
    let index = |row: usize, j: usize| (row + j / 2) % 3 + j % 2;
    let mut dense = vec![0.0; n * k];
    let mut packed = vec![0u8; n * k / 8];
    for row in 0..n {
        for j in 0..k / 2 {
            dense[row * k + j / 2 * 4 + index(row, j)] = kept[row * k / 2 + j];
            let nz = j / 32 * n * 32 + row * 32 + j % 32;
            packed[nz / 4] |= (index(row, j) as u8) << (2 * (nz % 4));
        }
    }
    let packed: Vec<f64> = packed.into_iter().map(|byte| f64::from(byte as i8)).collect();
    let kernel = kernel(&machine, &problem, &tiling);
    let gm =
        run(&machine, &kernel, &[("a", Type::S8, &a), ("b", Type::S8, &kept), ("index", Type::S8, &packed)]);
    let want: Vec<f64> = reference(m, n, k, &a, &dense).into_iter().map(|(sum, _)| sum).collect();
    assert_eq!(gm.read("c", Type::S32), want);
}

#[test]
fn experts_are_products_of_their_own() {
    let machine = machine("ascend-910b2");
    let problems: Vec<GemmProblem> = [5, 0, 40, 17]
        .map(|m| GemmProblem { out: Type::F32, ..GemmProblem::new(m, 64, 96, Type::F16) })
        .to_vec();
    let kernel = grouped(&machine, &problems, &tiling(16, 32, 64, 32));
    let inputs: Vec<(String, Vec<f64>)> = problems
        .iter()
        .enumerate()
        .flat_map(|(i, p)| {
            let seed = i as u64;
            [
                (format!("a{i}"), values(Type::F16, p.m as usize * 96, seed)),
                (format!("b{i}"), values(Type::F16, 64 * 96, seed + 9)),
            ]
        })
        .collect();
    let named: Vec<(&str, Type, &[f64])> =
        inputs.iter().map(|(name, v)| (name.as_str(), Type::F16, v.as_slice())).collect();
    let gm = run(&machine, &kernel, &named);
    for (i, p) in problems.iter().enumerate().filter(|(_, p)| p.m > 0) {
        let want = reference(p.m as usize, 64, 96, &inputs[2 * i].1, &inputs[2 * i + 1].1);
        for ((want, size), got) in want.into_iter().zip(gm.read(&format!("c{i}"), Type::F32)) {
            assert!((want - got).abs() <= size * 97.0 * 2f64.powi(-23));
        }
    }
}
