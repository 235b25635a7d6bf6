//! A closed form for the time of a GEMM kernel, good enough to rank tilings.

use crate::isa::Type;
use crate::kernels::gemm::{GemmProblem, GemmTiling, Weights, row_blocks};
use crate::machine::Machine;
use crate::timing::Warmth;

/// Cycles of a GEMM: rounds of blocks, each the slowest of its pipes, plus filling and draining.
///
/// ```text
/// T = ⌈blocks / cores⌉ · (max(cube, MTE1, MTE2) + store) + first chunk
/// ```
pub fn estimate(machine: &Machine, problem: &GemmProblem, tiling: &GemmTiling, warmth: Warmth) -> f64 {
    let blocks = row_blocks(problem, tiling).len() as f64
        * f64::from(problem.n.div_ceil(tiling.n))
        * f64::from(tiling.split_k);
    let cores = f64::from(machine.cube_cores).min(blocks);
    let rounds = (blocks / cores).ceil();
    let depth = (f64::from(problem.k) / f64::from(tiling.split_k)).ceil();
    let chunks = (depth / f64::from(tiling.k_l1)).ceil();
    let load = load_cycles(machine, problem, tiling, cores, warmth);
    let busiest = cube_cycles(machine, problem.ty, tiling, depth)
        .max(operand_cycles(machine, problem.ty, tiling, depth))
        .max(load * chunks);
    rounds * (busiest + store_cycles(machine, problem, tiling)) + load
}

fn cube_cycles(machine: &Machine, ty: Type, tiling: &GemmTiling, depth: f64) -> f64 {
    let steps = (depth / f64::from(tiling.k_l0)).ceil();
    let flop = 2.0 * f64::from(tiling.m) * f64::from(tiling.n) * depth;
    flop / machine.cube_rate(ty).max(1.0) + steps * f64::from(machine.core.mmad.head)
}

fn operand_cycles(machine: &Machine, ty: Type, tiling: &GemmTiling, depth: f64) -> f64 {
    let size = f64::from(ty.bits()) / 8.0;
    let a = f64::from(tiling.m) * size / machine.paths.l1_l0a;
    let b = f64::from(tiling.n) * size / machine.paths.l1_l0b;
    depth * (a + b)
}

/// One chunk of A and B, at the rate that the port, L2 or device memory leaves a core.
fn load_cycles(
    machine: &Machine,
    problem: &GemmProblem,
    tiling: &GemmTiling,
    cores: f64,
    warmth: Warmth,
) -> f64 {
    let size = f64::from(problem.ty.bits()) / 8.0;
    let depth = f64::from(tiling.k_l1.min(problem.k));
    let share = machine.shared.l2_read / cores;
    let port = machine.paths.gm_l1_nd2nz.min(share);
    let weights = if problem.weights == Weights::Nz { machine.paths.gm_l1.min(share) } else { port };
    let (a, b) = (left_bytes(problem, tiling, depth * size), f64::from(tiling.n) * depth * size);
    // A chunk of B comes from device memory once, for all blocks of a column.
    let rows = row_blocks(problem, tiling).len() as f64;
    let missed = (1.0 - warmth.resident) * b / rows;
    let starts = 2.0 * f64::from(machine.core.gm_l1_nd2nz.startup);
    starts + a / port + (b - missed) / weights + missed / weights.min(machine.shared.hbm / cores)
}

/// Bytes that a chunk of A brings, `row` of them for each row of a matrix.
fn left_bytes(problem: &GemmProblem, tiling: &GemmTiling, row: f64) -> f64 {
    problem.image.map_or(f64::from(tiling.m) * row, |_| f64::from(tiling.l1_a(problem)))
}

/// What of the store the cube cannot hide: a tenth with two accumulators or halves of one (measured on the simulator).
fn store_cycles(machine: &Machine, problem: &GemmProblem, tiling: &GemmTiling) -> f64 {
    let bytes = f64::from(tiling.m) * f64::from(tiling.n) * f64::from(problem.out.bits()) / 8.0;
    bytes / machine.paths.l0c_gm / 10.0
}
