//! Which block of C is computed where and when.

use super::problem::{Epilogue, GemmProblem};
use crate::isa::Type;

/// Sizes that a GEMM kernel is cut into, in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GemmTiling {
    /// Rows of a block of C.
    pub m: u32,
    /// Columns of a block of C.
    pub n: u32,
    /// Depth of a chunk in L1.
    pub k_l1: u32,
    /// Depth of a step in L0.
    pub k_l0: u32,
    /// Blocks of C in L0C: with two, the cube goes on while FixPipe writes.
    pub l0c_buffers: u32,
    /// Parts that K is split into, summed in GM.
    pub split_k: u32,
    /// Block columns (or rows, whichever `along` says) that are walked together, so that neighbours share L2.
    pub swizzle: u32,
}

impl GemmTiling {
    /// Bytes of the A part of an L1 half.
    pub fn l1_a(&self, problem: &GemmProblem) -> u32 {
        if let Some(image) = problem.image {
            return self.k_l1 / image.group_depth(problem.ty) * image.band_bytes(self.m);
        }
        problem.ty.bytes(self.m.next_multiple_of(16) * self.k_l1)
    }

    /// Bytes of the B part of an L1 half.
    pub fn l1_b(&self, problem: &GemmProblem) -> u32 {
        let depth = if problem.sparse { self.k_l1 / 2 } else { self.k_l1 };
        problem.ty.bytes(self.n.next_multiple_of(problem.ty.fractal_depth()) * depth)
    }

    /// Bytes of an L1 half: A, B, and the indices of a sparse B.
    pub fn l1_half(&self, problem: &GemmProblem) -> u32 {
        let index = if problem.sparse { self.n.next_multiple_of(16) * self.k_l1 / 8 } else { 0 };
        self.l1_a(problem) + self.l1_b(problem) + index
    }

    /// Where the column tables (scales, bias) are staged in L1: behind the halves.
    pub fn l1_tables(&self, problem: &GemmProblem) -> u32 {
        2 * self.l1_half(problem)
    }

    /// Bytes of the column tables.
    pub fn table_bytes(&self, problem: &GemmProblem) -> u32 {
        let tables = u32::from(problem.epilogue == Epilogue::Dequantise) + u32::from(problem.bias);
        tables * 4 * self.n.next_multiple_of(16)
    }

    /// Bytes of a half of L0A (`rows` = m) or L0B (`rows` = n).
    pub fn l0_half(&self, rows: u32, ty: Type) -> u32 {
        ty.bytes(rows.next_multiple_of(16) * self.k_l0)
    }
}

/// A block of C over a part of K.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// First row and number of rows.
    pub m: (u32, u32),
    /// First column and number of columns.
    pub n: (u32, u32),
    /// First k and depth.
    pub k: (u32, u32),
}

/// All tasks in the order in which they are dealt to the cores, round robin.
///
/// Blocks are walked in bands of `swizzle` block columns, each band row by row, alternately down and up, so that the blocks
/// in flight at one time form a near-square of C and share rows of A and columns of B in L2.
pub fn tasks(problem: &GemmProblem, tiling: &GemmTiling) -> Vec<Task> {
    let (rows, columns) = (row_blocks(problem, tiling), problem.n.div_ceil(tiling.n));
    let depth = problem.k.div_ceil(tiling.split_k).next_multiple_of(tiling.k_l1);
    let parts = problem.k.div_ceil(depth);
    let mut tasks = Vec::with_capacity(rows.len() * (columns * parts) as usize);
    let band = tiling.swizzle.max(1);
    for (index, first) in (0..columns).step_by(band as usize).enumerate() {
        for row in 0..rows.len() {
            let row = if index % 2 == 0 { row } else { rows.len() - 1 - row };
            for column in first..columns.min(first + band) {
                let block = |part| Task {
                    m: rows[row],
                    n: part_of(problem.n, tiling.n, column),
                    k: part_of(problem.k, depth, part),
                };
                tasks.extend((0..parts).map(block));
            }
        }
    }
    tasks
}

/// First row and number of rows of the blocks of C.
pub fn row_blocks(problem: &GemmProblem, tiling: &GemmTiling) -> Vec<(u32, u32)> {
    match problem.image {
        None => parts(problem.m, tiling.m).collect(),
        Some(image) => image.blocks(tiling.m),
    }
}

/// A total cut into parts of a size: first and count of each.
pub(super) fn parts(total: u32, size: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..total.div_ceil(size)).map(move |index| part_of(total, size, index))
}

fn part_of(total: u32, size: u32, index: u32) -> (u32, u32) {
    let first = index * size;
    (first, size.min(total - first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Type;

    #[test]
    fn tasks_cover_every_product_once() {
        let problem = GemmProblem::new(300, 700, 1000, Type::Bf16);
        let tiling =
            GemmTiling { m: 128, n: 256, k_l1: 128, k_l0: 64, l0c_buffers: 1, split_k: 3, swizzle: 2 };
        let volume: u64 = tasks(&problem, &tiling)
            .iter()
            .map(|t| u64::from(t.m.1) * u64::from(t.n.1) * u64::from(t.k.1))
            .sum();
        assert_eq!(volume, 300 * 700 * 1000);
    }
}
