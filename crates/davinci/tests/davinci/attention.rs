//! Fused attention against plain f64.

use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::attention::{
    Attention, AttentionTiling, Decode, causal_mask, decode, prefill, tail_mask,
};
use vitruvian_davinci::timing::{Options, simulate};

use crate::common::{machine, run, values};

fn check(problem: Attention) {
    let machine = machine("ascend-910b2");
    let kernel = prefill(&machine, &problem, &AttentionTiling::default()).unwrap();
    simulate(&machine, &kernel, Options::default()).unwrap();
    let (s, d) = (problem.seq as usize, problem.dim as usize);
    let count = |heads: u32| problem.batch as usize * heads as usize * s * d;
    let scaled = |seed, heads| {
        values(problem.ty, count(heads), seed).into_iter().map(|v| v * 4.0).collect::<Vec<f64>>()
    };
    let (q, k, v) = (scaled(1, problem.heads), scaled(2, problem.kv_heads), scaled(3, problem.kv_heads));
    let mask = causal_mask(128);
    let gm = run(
        &machine,
        &kernel,
        &[("q", problem.ty, &q), ("k", problem.ty, &k), ("v", problem.ty, &v), ("mask", Type::F32, &mask)],
    );
    let out = gm.read("out", problem.ty);
    let unit = if problem.ty == Type::F16 { 2f64.powi(-11) } else { 2f64.powi(-8) };
    for batch in 0..problem.batch as usize {
        for head in 0..problem.heads as usize {
            let kv = head / (problem.heads / problem.kv_heads) as usize;
            let q = &q[(batch * problem.heads as usize + head) * s * d..];
            let start = (batch * problem.kv_heads as usize + kv) * s * d;
            let got = &out[(batch * problem.heads as usize + head) * s * d..];
            for row in (0..s).step_by(37) {
                let end = if problem.causal { row + 1 } else { s };
                let scores: Vec<f64> = (0..end)
                    .map(|j| {
                        (0..d).map(|i| q[row * d + i] * k[start + j * d + i]).sum::<f64>() / (d as f64).sqrt()
                    })
                    .collect();
                let max = scores.iter().copied().fold(f64::MIN, f64::max);
                let weights: Vec<f64> = scores.iter().map(|s| (s - max).exp()).collect();
                let sum: f64 = weights.iter().sum();
                for i in 0..d {
                    let terms = (0..end).map(|j| weights[j] / sum * v[start + j * d + i]);
                    let (want, size) = terms.fold((0.0, 0.0), |(a, b), t| (a + t, b + t.abs()));
                    // P and O are rounded to the type, once each; the fp32 steps vanish beside that.
                    let bound = 1.1 * unit * (size + want.abs()) + 2f64.powi(-24);
                    let got = got[row * d + i];
                    assert!(
                        (got - want).abs() <= bound,
                        "head {head} row {row} column {i}: {got} against {want} +- {bound}"
                    );
                }
            }
        }
    }
}

fn problem(seq: u32, dim: u32, causal: bool) -> Attention {
    Attention { batch: 1, heads: 2, kv_heads: 1, seq, dim, ty: Type::F16, causal }
}

#[test]
fn causal_attention_over_several_blocks() {
    check(problem(768, 128, true));
}

#[test]
fn full_attention_of_narrow_heads() {
    check(Attention { ty: Type::Bf16, ..problem(640, 64, false) });
}

#[test]
fn many_tasks_follow_each_other_on_a_group() {
    check(Attention { batch: 2, heads: 8, kv_heads: 4, ..problem(256, 64, true) });
}

/// O = softmax(q·Kᵀ/√d)·V of every sequence and query head, in f64.
fn check_decode(problem: Decode) {
    let machine = machine("ascend-910b2");
    let kernel = decode(&machine, &problem, &AttentionTiling::decode(&problem, machine.cube_cores)).unwrap();
    simulate(&machine, &kernel, Options::default()).unwrap();
    let (d, rows, cached) = (problem.dim as usize, problem.rows() as usize, problem.cached_rows() as usize);
    let jobs = (problem.batch * problem.kv_heads) as usize;
    let group = (problem.heads / problem.kv_heads) as usize;
    let [q, k, v] = [(1, rows), (2, cached), (3, cached)].map(|(seed, rows)| {
        values(problem.ty, jobs * rows * d, seed).into_iter().map(|x| x * 4.0).collect::<Vec<f64>>()
    });
    let mask = tail_mask(problem.rows(), problem.kv_len);
    let inputs =
        [("q", problem.ty, &q[..]), ("k", problem.ty, &k), ("v", problem.ty, &v), ("mask", Type::F32, &mask)];
    let out = run(&machine, &kernel, &inputs).read("out", problem.ty);
    for job in 0..jobs {
        for row in 0..group {
            let query = &q[(job * rows + row) * d..][..d];
            let score = |j: usize| {
                let key = &k[(job * cached + j) * d..][..d];
                key.iter().zip(query).map(|(k, q)| k * q).sum::<f64>() / (d as f64).sqrt()
            };
            let scores: Vec<f64> = (0..problem.kv_len as usize).map(score).collect();
            let max = scores.iter().copied().fold(f64::MIN, f64::max);
            let sum: f64 = scores.iter().map(|s| (s - max).exp()).sum();
            for i in 0..d {
                let terms = scores
                    .iter()
                    .enumerate()
                    .map(|(j, s)| (s - max).exp() / sum * v[(job * cached + j) * d + i]);
                let (want, size) = terms.fold((0.0, 0.0), |(a, b), t| (a + t, b + t.abs()));
                // P and O are rounded to bf16, 8 bits, once each
                let bound = 1.1 * 2f64.powi(-8) * (size + f64::abs(want)) + 2f64.powi(-24);
                let got = out[(job * rows + row) * d + i];
                assert!(
                    (got - want).abs() <= bound,
                    "job {job} row {row} column {i}: {got} against {want} +- {bound}"
                );
            }
        }
    }
}

fn cache(kv_len: u32) -> Decode {
    Decode { batch: 3, heads: 8, kv_heads: 2, kv_len, dim: 128, ty: Type::Bf16 }
}

#[test]
fn decode_over_whole_blocks() {
    check_decode(cache(1152));
}

#[test]
fn decode_hides_what_is_not_cached_yet() {
    check_decode(Decode { dim: 64, ..cache(513) });
    check_decode(Decode { batch: 1, heads: 40, kv_heads: 1, ..cache(127) });
}

#[test]
fn decode_of_ungrouped_heads() {
    check_decode(Decode { batch: 13, heads: 4, kv_heads: 4, ..cache(300) });
}

#[test]
fn a_split_cache_is_merged() {
    // Twelve parts of 512 keys and less; three groups of 13 blocks between two heads; one part without keys.
    check_decode(Decode { batch: 1, heads: 16, kv_heads: 1, ..cache(5900) });
    check_decode(Decode { batch: 2, heads: 2, kv_heads: 1, dim: 64, ..cache(6600) });
    check_decode(Decode { batch: 1, heads: 80, kv_heads: 2, ..cache(2000) });
}

#[test]
fn decode_refuses_what_it_cannot_tile() {
    let machine = machine("ascend-910b2");
    for wrong in [
        Decode { dim: 96, ..cache(128) },
        Decode { heads: 7, ..cache(128) },
        cache(0),
        Decode { heads: 512, ..cache(128) },
    ] {
        assert!(
            decode(&machine, &wrong, &AttentionTiling::decode(&wrong, machine.cube_cores)).is_err(),
            "{wrong}"
        );
    }
}
