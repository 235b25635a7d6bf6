//! Parts of a split cache become one output.
//!
//! Each part leaves its maximum m, sum l and unscaled output O. When all have, vector cores take them together row by row, by
//! the recurrence that joins blocks of keys:
//!
//! ```text
//! m' = max(m, mᵢ)   α = e^(m − m')   β = e^(mᵢ − m')   l' = l·α + lᵢ·β   O' = O·α + Oᵢ·β
//! ```

use super::plan::{AttentionTiling, Step, Task, Work, flag, steps};
use super::softmax::{Softmax, f32s};
use crate::isa::{CrossMode, Instruction, Move, Pipe, Sync, VectorOp};
use crate::kernels::lanes::{Span, binary, broadcast, scalar, unary};

/// Rows of a task that a vector core merges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Merged {
    task: Task,
    /// First of the rows.
    first: u32,
}

/// What each of so many vector cores merges.
pub(super) fn deal(problem: &Work, tiling: &AttentionTiling, rows: u32, cores: u32) -> Vec<Vec<Merged>> {
    let mut dealt = vec![Vec::new(); cores as usize];
    if tiling.parts == 1 {
        return dealt;
    }
    let tasks = (0..problem.batch).flat_map(|batch| {
        (0..problem.heads).flat_map(move |head| {
            let firsts = (0..problem.queries).step_by(tiling.rows as usize);
            firsts.map(move |first| Task { batch, head, first, part: 0 })
        })
    });
    let shares = tasks
        .flat_map(|task| (0..tiling.rows).step_by(rows as usize).map(move |first| Merged { task, first }));
    for (index, share) in shares.enumerate() {
        dealt[index % cores as usize].push(share);
    }
    dealt
}

impl Softmax<'_> {
    /// Leaves maximum, sum and output of a part in GM.
    pub(super) fn leave(&mut self, step: &Step) {
        let places = self.places_of(&step.task, step.task.part, self.first);
        let sources = [self.ub.maximum, self.ub.sum, self.ub.output];
        let bytes = [self.rows * 4, self.rows * 4, self.rows * self.problem.dim * 4];
        self.b.order(Pipe::V, Pipe::Mte3, 2);
        for ((gm, ub), bytes) in places.into_iter().zip(sources).zip(bytes) {
            self.copy(Move::UbToGm, gm, ub, bytes);
        }
        self.b.order(Pipe::Mte3, Pipe::V, 2);
    }

    /// Waits for all parts of all groups and merges this core's share.
    pub(super) fn merge(&mut self, shares: &[Merged]) {
        let (mode, id) = (CrossMode::SameKind, flag::PARTS);
        self.b.push(Instruction::Sync(Sync::CrossSet { pipe: Pipe::Mte3, mode, id }));
        self.b.push(Instruction::Sync(Sync::CrossWait { pipe: Pipe::Mte2, mode, id }));
        for share in shares {
            self.first = share.first;
            self.begin();
            for part in 0..self.tiling.parts {
                let task = Task { part, ..share.task };
                if !steps(self.problem, self.tiling, task).is_empty() {
                    self.join(&task);
                }
            }
            self.finish(&share.task);
        }
    }

    fn join(&mut self, task: &Task) {
        let (dim, piece) = (self.problem.dim, self.tiling.piece);
        for first in (0..self.rows).step_by(piece as usize) {
            let [maximum, sum, output] = self.places_of(task, task.part, self.first + first);
            self.b.wait(Pipe::V, Pipe::Mte2, 2);
            self.copy(Move::GmToUb, maximum, self.ub.fresh, piece * 4);
            self.copy(Move::GmToUb, sum, self.ub.alpha[1], piece * 4);
            self.copy(Move::GmToUb, output, self.ub.partial, piece * dim * 4);
            self.b.order(Pipe::Mte2, Pipe::V, 2);
            self.take(first);
            self.b.set(Pipe::V, Pipe::Mte2, 2);
        }
    }

    /// One step of the recurrence for a piece of rows: what arrived lies in `fresh`, `alpha[1]` and `partial`.
    fn take(&mut self, first: u32) {
        let (dim, piece) = (self.problem.dim, self.tiling.piece);
        let (maximum, sum) = (f32s(self.ub.maximum).skip(first), f32s(self.ub.sum).skip(first));
        let (beta, other) = (f32s(self.ub.fresh), f32s(self.ub.alpha[1]));
        let (alpha, larger) = (f32s(self.ub.alpha[0]), f32s(self.ub.fold));
        let output = f32s(self.ub.output).skip(first * dim);
        let b = &mut self.b;
        binary(b, VectorOp::Max, larger, (maximum, beta), piece);
        binary(b, VectorOp::Sub, alpha, (maximum, larger), piece);
        binary(b, VectorOp::Sub, beta, (beta, larger), piece);
        unary(b, VectorOp::Exp, alpha, alpha, piece);
        unary(b, VectorOp::Exp, beta, beta, piece);
        scalar(b, VectorOp::Adds, maximum, larger, 0.0, piece);
        binary(b, VectorOp::Mul, sum, (sum, alpha), piece);
        binary(b, VectorOp::Mul, other, (other, beta), piece);
        binary(b, VectorOp::Add, sum, (sum, other), piece);
        self.scale(output, alpha);
        self.scale(f32s(self.ub.partial), beta);
        binary(&mut self.b, VectorOp::Add, output, (output, f32s(self.ub.partial)), piece * dim);
    }

    /// Each row of a piece times its factor.
    fn scale(&mut self, rows: Span, factors: Span) {
        let (dim, blocks) = (self.problem.dim, f32s(self.ub.blocks));
        broadcast(&mut self.b, blocks, factors, self.tiling.piece);
        self.columns(VectorOp::Mul, rows, (rows, blocks), (dim, dim));
    }

    /// Where maximum, sum and output of a part stand in GM, from a row on.
    fn places_of(&self, task: &Task, part: u32, row: u32) -> [u64; 3] {
        let start = self.places.parts + self.problem.part(self.tiling, task, part);
        let rows = u64::from(self.tiling.rows);
        let row = u64::from(row);
        [
            start + row * 4,
            start + (rows + row) * 4,
            start + (2 * rows + row * u64::from(self.problem.dim)) * 4,
        ]
    }
}
