//! Fused attention: O = softmax(Q·Kᵀ/√d)·V without the scores ever being whole in memory (arXiv 2205.14135).
//!
//! On a split core the cube and its vector cores exchange through L2. A group works on 128 query rows at a time and walks over
//! the keys in blocks; step j of a block passes through three tiles in a ring of two slots each:
//!
//! ```text
//! AIC   S0  S1  O0  S2  O1  S3  O2 …      S = Q·Kᵀ, O = P·V
//! AIV       P0  P1  +0  P2  +1  P3 …      P = e^(S − max), + = rescale and add O
//! ```
//!
//! The cube is one step of scores ahead, so both sides work at the same time. A slot is reused two steps later; the flags that hand
//! tiles forwards also prove that: score tile j + 2 is written after output tile j, which waited for P of step j.

mod cube;
mod merge;
mod plan;
mod softmax;

pub use plan::{Attention, AttentionTiling, Decode};

use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use crate::kernel::{CoreKind, Kernel, Role};
use crate::machine::{Design, Machine};
use plan::{BLOCK, Places, Step, Work};

/// Attention of whole sequences over themselves.
///
/// # Errors
/// If the core is not split, or a shape is not whole tiles (sequence a multiple of 128, width of 64 or 128).
pub fn prefill(
    machine: &Machine,
    problem: &Attention,
    tiling: &AttentionTiling,
) -> Result<Kernel, Diagnostics> {
    if !problem.seq.is_multiple_of(tiling.rows) {
        return refuse(format!("the sequence must be a multiple of {}", tiling.rows));
    }
    let kernel = Kernel { name: problem.to_string(), flops: problem.flops(), ..Kernel::default() };
    build(machine, &problem.work(), tiling, kernel)
}

/// Attention of one new token of each sequence over its cache: a task a sequence, key-value head and part of the cache.
///
/// # Errors
/// If the core is not split, or a width is not 64 or 128, or more than 128 query heads share a key-value head.
pub fn decode(machine: &Machine, problem: &Decode, tiling: &AttentionTiling) -> Result<Kernel, Diagnostics> {
    let Decode { heads, kv_heads, .. } = *problem;
    if heads == 0 || kv_heads == 0 || !heads.is_multiple_of(kv_heads) || problem.rows() > 128 {
        return refuse("query heads must be a multiple of key-value heads, at most 128 of each".to_owned());
    }
    let kernel = Kernel { name: problem.to_string(), flops: problem.flops(), ..Kernel::default() };
    build(machine, &problem.work(), tiling, kernel)
}

fn build(
    machine: &Machine,
    problem: &Work,
    tiling: &AttentionTiling,
    mut kernel: Kernel,
) -> Result<Kernel, Diagnostics> {
    check(machine, problem)?;
    let (groups, vectors) = (machine.cube_cores.min(problem.tasks(tiling)), machine.core.vector_per_cube);
    let places = place(&mut kernel, problem, tiling, groups);
    let rows = tiling.rows / vectors.max(1);
    let merged = merge::deal(problem, tiling, rows, groups * vectors);
    for (group, tasks) in plan::deal(problem, tiling, groups).into_iter().enumerate() {
        let group = group as u32;
        let steps: Vec<Step> =
            tasks.into_iter().flat_map(|task| plan::steps(problem, tiling, task)).collect();
        let places = places.of_group(problem, tiling, group);
        kernel.add_core(CoreKind::Cube, group, cube::program(problem, tiling, places, &steps));
        for vector in 0..vectors {
            let merged = &merged[(group * vectors + vector) as usize];
            let program = softmax::program(problem, tiling, places, &steps, (vector, vectors), merged);
            kernel.add_core(CoreKind::Vector, group, program);
        }
    }
    Ok(kernel)
}

fn refuse<T>(message: String) -> Result<T, Diagnostics> {
    Err(Diagnostics(vec![Diagnostic::error("attention-shape", message)]))
}

fn check(machine: &Machine, problem: &Work) -> Result<(), Diagnostics> {
    if machine.core.design != Design::Split {
        return refuse("fused attention is written for split cores".to_owned());
    }
    if problem.dim != 64 && problem.dim != 128 {
        return refuse("the width of a head must be 64 or 128".to_owned());
    }
    let counts = [problem.batch, problem.heads, problem.kv_heads, problem.queries, problem.keys];
    if counts.contains(&0) || !problem.heads.is_multiple_of(problem.kv_heads) {
        return refuse(
            "nothing may be zero, and query heads must be a multiple of key-value heads".to_owned(),
        );
    }
    Ok(())
}

fn place(kernel: &mut Kernel, problem: &Work, tiling: &AttentionTiling, groups: u32) -> Places {
    let size = u64::from(problem.ty.bits() / 8);
    let bytes = |heads: u32, rows: u32| {
        u64::from(problem.batch * heads) * u64::from(rows) * u64::from(problem.dim) * size
    };
    let (queries, keys) = (bytes(problem.heads, problem.queries), bytes(problem.kv_heads, problem.keys));
    let tile = u64::from(tiling.rows) * u64::from(tiling.keys);
    let output = u64::from(tiling.rows) * u64::from(problem.dim) * 4;
    let slots = 2 * u64::from(groups);
    Places {
        q: kernel.place("q", queries, Role::Input),
        k: kernel.place("k", keys, Role::Input),
        v: kernel.place("v", keys, Role::Input),
        mask: kernel.place("mask", u64::from(tiling.rows * BLOCK) * 4, Role::Input),
        out: kernel.place("out", queries, Role::Output),
        scores: kernel.place("scores", slots * tile * 4, Role::Workspace),
        weights: kernel.place("weights", slots * tile * size, Role::Workspace),
        partial: kernel.place("partial", slots * output, Role::Workspace),
        parts: if tiling.parts > 1 {
            let parts = u64::from(problem.tasks(tiling)) * problem.part_bytes(tiling);
            kernel.place("parts", parts, Role::Workspace)
        } else {
            0
        },
    }
}

/// Far below any score, and finite in fp32 after a difference.
const NEVER: f64 = -1e30;

/// The additive mask of a cache of `kv_len` tokens, row-major `rows` × 128: zero up to the last token of the last block.
pub fn tail_mask(rows: u32, kv_len: u32) -> Vec<f64> {
    let used = kv_len - kv_len.saturating_sub(1) / BLOCK * BLOCK;
    (0..rows).flat_map(|_| (0..BLOCK).map(move |column| if column < used { 0.0 } else { NEVER })).collect()
}

/// The additive mask of a diagonal block, row-major `rows` × `rows`: zero on and below the diagonal.
pub fn causal_mask(rows: u32) -> Vec<f64> {
    (0..rows).flat_map(|row| (0..rows).map(move |column| if column > row { NEVER } else { 0.0 })).collect()
}
