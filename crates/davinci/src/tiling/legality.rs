//! What the buffers allow, as inequalities.

use std::fmt;

use crate::isa::{Space, Type};
use crate::kernels::gemm::{Epilogue, GemmProblem, GemmTiling};
use crate::machine::Machine;

/// `need ≤ capacity`, both in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inequality {
    /// Which buffer.
    pub space: Space,
    /// The left side in symbols: `"2·m·k0·size"`.
    pub formula: &'static str,
    /// The left side in bytes.
    pub need: u64,
    /// The right side in bytes.
    pub capacity: u64,
}

impl Inequality {
    /// Whether it holds.
    pub fn holds(&self) -> bool {
        self.need <= self.capacity
    }
}

impl fmt::Display for Inequality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relation = if self.holds() { "<=" } else { ">" };
        write!(f, "{}: {} = {} {relation} {}", self.space.name(), self.formula, self.need, self.capacity)
    }
}

/// The conditions on a tiling.
pub fn inequalities(machine: &Machine, problem: &GemmProblem, tiling: &GemmTiling) -> Vec<Inequality> {
    let ty = problem.ty;
    let (m, n) = (tiling.m.next_multiple_of(16), tiling.n.next_multiple_of(16));
    let accumulator = u64::from(tiling.l0c_buffers) * u64::from(m) * u64::from(n) * 4;
    let row = |space, formula, need| Inequality { space, formula, need, capacity: machine.bytes(space) };
    vec![
        row(Space::L0a, "2·m·k0·size", 2 * u64::from(tiling.l0_half(tiling.m, ty))),
        row(Space::L0b, "2·n·k0·size", 2 * u64::from(tiling.l0_half(tiling.n, ty))),
        row(Space::L0c, "buffers·m·n·4", accumulator),
        row(
            Space::L1,
            if problem.image.is_some() {
                "2·(band + n·k1·size) + tables"
            } else {
                "2·(m + n)·k1·size + tables"
            },
            u64::from(tiling.l1_tables(problem) + tiling.table_bytes(problem)),
        ),
        row(Space::Bt, "4·n if bias", if problem.bias { 4 * u64::from(n) } else { 0 }),
        row(
            Space::Fb,
            "4·n if dequantised",
            if problem.epilogue == Epilogue::Dequantise { 4 * u64::from(n) } else { 0 },
        ),
    ]
}

/// Whether a tiling fits all buffers, its steps are whole fractals and divide its chunks.
pub fn is_legal(machine: &Machine, problem: &GemmProblem, tiling: &GemmTiling) -> bool {
    let fractal = Type::fractal_depth(problem.ty);
    // The last step of a chunk of patches may be shorter; the chunk is whole groups of channels.
    let grain = problem.image.map_or(tiling.k_l0, |image| image.group_depth(problem.ty));
    let whole = tiling.k_l0.is_multiple_of(fractal)
        && tiling.k_l1.is_multiple_of(grain)
        && tiling.m.is_multiple_of(16)
        && tiling.n.is_multiple_of(16);
    // Partial sums of a split K meet by fp32 addition in GM.
    let sums = tiling.split_k == 1 || problem.out == Type::F32;
    // A sparse step is a whole fractal of B after compression.
    let sparse = !problem.sparse
        || tiling.k_l0.is_multiple_of(2 * fractal)
            && problem.k.is_multiple_of(2 * fractal)
            && tiling.split_k == 1;
    whole && sums && sparse && inequalities(machine, problem, tiling).iter().all(Inequality::holds)
}
