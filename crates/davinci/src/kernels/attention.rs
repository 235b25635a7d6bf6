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

mod plan;
mod softmax;

pub use plan::{Attention, AttentionTiling};

use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use crate::kernel::{CoreKind, Kernel, Role};
use crate::machine::{Design, Machine};
use plan::{Places, Step};

/// Attention of whole sequences over themselves.
///
/// # Errors
/// If the core is not split, or a shape is not whole tiles (sequence a multiple of 128, width of 64 up to 128).
pub fn prefill(
    machine: &Machine,
    problem: &Attention,
    tiling: &AttentionTiling,
) -> Result<Kernel, Diagnostics> {
    check(machine, problem, tiling)?;
    let mut kernel = Kernel { name: problem.to_string(), flops: problem.flops(), ..Kernel::default() };
    let (groups, vectors) = (machine.cube_cores.min(problem.tasks() as u32), machine.core.vector_per_cube);
    let places = place(&mut kernel, problem, tiling, groups);
    for (group, tasks) in plan::deal(problem, groups).into_iter().enumerate() {
        let group = group as u32;
        let steps: Vec<Step> =
            tasks.into_iter().flat_map(|task| plan::steps(problem, tiling, task)).collect();
        let places = places.of_group(problem, tiling, group);
        kernel.add_core(CoreKind::Cube, group, cube::program(problem, tiling, places, &steps));
        for vector in 0..vectors {
            kernel.add_core(
                CoreKind::Vector,
                group,
                softmax::program(problem, tiling, places, &steps, (vector, vectors)),
            );
        }
    }
    Ok(kernel)
}

fn check(machine: &Machine, problem: &Attention, tiling: &AttentionTiling) -> Result<(), Diagnostics> {
    let refuse =
        |message: &str| Err(Diagnostics(vec![Diagnostic::error("attention-shape", message.to_owned())]));
    if machine.core.design != Design::Split {
        return refuse("fused attention is written for split cores");
    }
    if !problem.seq.is_multiple_of(tiling.rows) || !problem.dim.is_multiple_of(64) || problem.dim > 128 {
        return refuse("the sequence must be a multiple of 128, the head width 64 or 128");
    }
    if !problem.heads.is_multiple_of(problem.kv_heads) {
        return refuse("query heads must be a multiple of key-value heads");
    }
    Ok(())
}

fn place(kernel: &mut Kernel, problem: &Attention, tiling: &AttentionTiling, groups: u32) -> Places {
    let rows = u64::from(problem.batch) * u64::from(problem.seq) * u64::from(problem.dim);
    let size = u64::from(problem.ty.bits() / 8);
    let tile = u64::from(tiling.rows) * u64::from(tiling.keys);
    let output = u64::from(tiling.rows) * u64::from(problem.dim) * 4;
    let slots = 2 * u64::from(groups);
    Places {
        q: kernel.place("q", rows * u64::from(problem.heads) * size, Role::Input),
        k: kernel.place("k", rows * u64::from(problem.kv_heads) * size, Role::Input),
        v: kernel.place("v", rows * u64::from(problem.kv_heads) * size, Role::Input),
        mask: kernel.place("mask", u64::from(tiling.rows) * u64::from(tiling.rows) * 4, Role::Input),
        out: kernel.place("out", rows * u64::from(problem.heads) * size, Role::Output),
        scores: kernel.place("scores", slots * tile * 4, Role::Workspace),
        weights: kernel.place("weights", slots * tile * size, Role::Workspace),
        partial: kernel.place("partial", slots * output, Role::Workspace),
    }
}

/// The additive mask of a diagonal block, row-major `rows` × `rows`: zero on and below the diagonal.
pub fn causal_mask(rows: u32) -> Vec<f64> {
    /// Far below any score, and finite in fp32 after a difference.
    const NEVER: f64 = -1e30;
    (0..rows).flat_map(|row| (0..rows).map(move |column| if column > row { NEVER } else { 0.0 })).collect()
}
