//! What one estimate takes: uncached by family, and from a memo. `cargo bench -p vitruvian-cost`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use vitruvian_cost::{Costs, Fidelity, Library, Memo};
use vitruvian_hardware::catalog;
use vitruvian_model::operator::{
    DecodeAttention, Gemm, GroupedGemm, Imbalance, MlaDecode, PrefillAttention, VectorKind, VectorOp,
};
use vitruvian_model::{Operator, Scheme, Sparsity};
use vitruvian_quantity::Dtype;

fn operators() -> Vec<(&'static str, Operator)> {
    let (compute, kv, sparsity) = (Dtype::Bf16, Dtype::Bf16, Sparsity::Dense);
    let scheme = Scheme::Fp8Block;
    let gemm = Gemm { m: 64, n: 5120, k: 5120, batch: 1, scheme, sparsity };
    let experts = GroupedGemm {
        tokens: 512,
        topk: 8,
        experts: 256,
        local_experts: 32,
        n: 4096,
        k: 7168,
        inner: 2048,
        scheme,
        sparsity,
        imbalance: Imbalance::Uniform,
    };
    let prefill = PrefillAttention {
        batch: 1,
        new: 4096,
        cached: 0,
        heads: 64,
        kv_heads: 8,
        qk_dim: 128,
        v_dim: 128,
        window: 0,
        causal: true,
        compute,
        kv,
    };
    let decode = DecodeAttention {
        batch: 64,
        queries: 1,
        context: 4096,
        heads: 64,
        kv_heads: 8,
        qk_dim: 128,
        v_dim: 128,
        window: 0,
        compute,
        kv,
    };
    let latent = MlaDecode {
        batch: 64,
        queries: 1,
        context: 4096,
        attended: 4096,
        heads: 128,
        latent: 512,
        rope: 64,
        compute,
        kv,
    };
    vec![
        ("gemm", Operator::Gemm(gemm)),
        ("gemm of a prefill", Operator::Gemm(Gemm { m: 8192, ..gemm })),
        ("grouped gemm", Operator::GroupedGemm(experts)),
        (
            "grouped gemm, power law",
            Operator::GroupedGemm(GroupedGemm { imbalance: Imbalance::PowerLaw(1010), ..experts }),
        ),
        ("prefill attention", Operator::PrefillAttention(prefill)),
        ("decode attention", Operator::DecodeAttention(decode)),
        ("latent decode", Operator::MlaDecode(latent)),
        (
            "norm",
            Operator::Vector(VectorOp { kind: VectorKind::Norm, rows: 64, width: 5120, dtype: compute }),
        ),
    ]
}

fn uncached(criterion: &mut Criterion) {
    let library = Library::catalog().unwrap();
    for name in ["h20", "ascend-910b2"] {
        let chip = catalog::chip(name).unwrap();
        let profiles = library.profiles(&chip, None).unwrap();
        let costs = Costs::new(&chip, &profiles, Fidelity::Tile);
        let mut group = criterion.benchmark_group(name);
        for (what, operator) in operators() {
            group.bench_function(what, |bencher| bencher.iter(|| costs.estimate(black_box(&operator))));
        }
    }
}

/// A decode step of a dense model looks up about 15 different operators, however many layers repeat them.
fn remembered(criterion: &mut Criterion) {
    let chip = catalog::chip("h20").unwrap();
    let profiles = Library::catalog().unwrap().profiles(&chip, None).unwrap();
    let mut memo = Memo::new(Costs::new(&chip, &profiles, Fidelity::Tile));
    let step: Vec<Operator> =
        operators().into_iter().map(|(_, operator)| operator).cycle().take(15).collect();
    criterion.bench_function("15 operators from a memo", |bencher| {
        bencher.iter(|| {
            step.iter().map(|operator| memo.estimate(operator).map_or(0.0, |e| e.time.get())).sum::<f64>()
        });
    });
}

fn reading(criterion: &mut Criterion) {
    criterion.bench_function("all profiles of the catalog", |bencher| bencher.iter(Library::catalog));
    let (library, chip) = (Library::catalog().unwrap(), catalog::chip("h20").unwrap());
    criterion
        .bench_function("profiles of one chip", |bencher| bencher.iter(|| library.profiles(&chip, None)));
}

criterion_group!(benches, uncached, remembered, reading);
criterion_main!(benches);
