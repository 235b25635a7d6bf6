//! A vector core: weights of step j, then the output tile of step j − 1.
//!
//! For its rows it keeps the running maximum m, the sum l and the output O in UB:
//!
//! ```text
//! m' = max(m, max S)   α = e^(m − m')   P = e^(S − m')   l' = l·α + Σ P   O' = O·α + P·V
//! ```

use super::merge::Merged;
use super::plan::{AttentionTiling, BLOCK, Places, Step, Task, Work, flag};
use crate::isa::{
    Address, Burst, CrossMode, Instruction, Mask, Move, Pipe, Space, Strides, Sync, Type, Vector, VectorOp,
};
use crate::kernels::lanes::{Span, binary, broadcast, convert, scalar, unary, vector};
use crate::program::{Program, ProgramBuilder, at};

/// fp32 lanes of a repeat.
const LANES: u32 = 64;

/// UB of a vector core, byte offsets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) scores: [u32; 2],
    pub(super) output: u32,
    pub(super) partial: u32,
    pub(super) fold: u32,
    pub(super) blocks: u32,
    pub(super) maximum: u32,
    pub(super) sum: u32,
    pub(super) fresh: u32,
    pub(super) alpha: [u32; 2],
}

pub(super) struct Softmax<'a> {
    pub(super) b: ProgramBuilder,
    pub(super) problem: &'a Work,
    pub(super) tiling: &'a AttentionTiling,
    pub(super) places: Places,
    /// Rows of this core within a task.
    pub(super) first: u32,
    pub(super) rows: u32,
    pub(super) ub: Layout,
}

pub(super) fn program(
    problem: &Work,
    tiling: &AttentionTiling,
    places: Places,
    steps: &[Step],
    (core, cores): (u32, u32),
    merged: &[Merged],
) -> Program {
    let rows = tiling.rows / cores;
    let ub = layout(problem, tiling, rows);
    let b = ProgramBuilder::default();
    let mut softmax = Softmax { b, problem, tiling, places, first: core * rows, rows, ub };
    softmax.free(true);
    for (index, step) in steps.iter().enumerate() {
        // The state of a task begins with its first step; the last step of the task before still needs the old one.
        if step.begins {
            if let Some(before) = index.checked_sub(1) {
                softmax.accumulate(&steps[before], before % 2);
            }
            softmax.begin();
        }
        softmax.weights(step, index % 2);
        if let Some(before) = index.checked_sub(1).filter(|_| !step.begins) {
            softmax.accumulate(&steps[before], before % 2);
        }
    }
    if let Some(last) = steps.len().checked_sub(1) {
        softmax.accumulate(&steps[last], last % 2);
    }
    if tiling.parts > 1 {
        softmax.merge(merged);
    }
    softmax.free(false);
    softmax.b.finish()
}

fn layout(problem: &Work, tiling: &AttentionTiling, rows: u32) -> Layout {
    let mut next = 0;
    let mut take = |bytes: u32| {
        let start = next;
        next += bytes.next_multiple_of(32);
        start
    };
    let piece = tiling.piece * tiling.keys * 4;
    Layout {
        scores: [take(piece), take(piece)],
        output: take(rows * problem.dim * 4),
        // also holds a piece of the mask
        partial: take(tiling.piece * problem.dim.max(BLOCK) * 4),
        fold: take(tiling.piece * LANES * 4),
        blocks: take(tiling.piece * 32),
        maximum: take(rows * 4),
        sum: take(rows * 4),
        fresh: take(tiling.piece * 4),
        alpha: [take(rows * 4), take(rows * 4)],
    }
}

impl Softmax<'_> {
    fn free(&mut self, set: bool) {
        for (src, dst, id) in
            [(Pipe::Mte3, Pipe::Mte2, 0u8), (Pipe::Mte3, Pipe::Mte2, 1), (Pipe::V, Pipe::Mte2, 2)]
        {
            if set {
                self.b.set(src, dst, id)
            } else {
                self.b.wait(src, dst, id)
            };
        }
    }

    /// m = −∞, l = 0, O = 0.
    pub(super) fn begin(&mut self) {
        let (maximum, sum, output) = (f32s(self.ub.maximum), f32s(self.ub.sum), f32s(self.ub.output));
        scalar(&mut self.b, VectorOp::Dup, maximum, maximum, -1e30, self.rows);
        scalar(&mut self.b, VectorOp::Dup, sum, sum, 0.0, self.rows);
        scalar(&mut self.b, VectorOp::Dup, output, output, 0.0, self.rows * self.problem.dim);
    }

    /// Scores to weights, a piece of rows at a time.
    fn weights(&mut self, step: &Step, slot: usize) {
        self.cross_wait(flag::SCORES);
        for (turn, first) in (0..self.rows).step_by(self.tiling.piece as usize).enumerate() {
            let half = (turn % 2) as u8;
            let scores = f32s(self.ub.scores[usize::from(half)]);
            self.load_scores(step, slot, first, half);
            self.exponentiate(step, slot, first, scores);
            self.store_weights(step, slot, first, half);
        }
        self.b.push(Instruction::Sync(Sync::CrossSet {
            pipe: Pipe::Mte3,
            mode: CrossMode::Group,
            id: flag::WEIGHTS,
        }));
    }

    fn load_scores(&mut self, step: &Step, slot: usize, first: u32, half: u8) {
        let tile = u64::from(self.tiling.rows * self.tiling.keys) * 4;
        let row = u64::from(self.first + first) * u64::from(step.keys) * 4;
        let gm = self.places.scores + slot as u64 * tile + row;
        self.b.wait(Pipe::Mte3, Pipe::Mte2, half);
        self.copy(Move::GmToUb, gm, self.ub.scores[usize::from(half)], self.tiling.piece * step.keys * 4);
        if step.masked {
            let width = BLOCK * 4;
            let gm = self.places.mask + u64::from(self.first + first) * u64::from(width);
            self.b.wait(Pipe::V, Pipe::Mte2, 2);
            self.copy(Move::GmToUb, gm, self.ub.partial, self.tiling.piece * width);
        }
        self.b.order(Pipe::Mte2, Pipe::V, half);
    }

    fn exponentiate(&mut self, step: &Step, slot: usize, first: u32, scores: Span) {
        let (piece, keys) = (self.tiling.piece, step.keys);
        let elements = piece * keys;
        let row = |address: u32| f32s(address).skip(first);
        let (maximum, sum, alpha) = (row(self.ub.maximum), row(self.ub.sum), row(self.ub.alpha[slot]));
        let fresh = f32s(self.ub.fresh);
        scalar(&mut self.b, VectorOp::Muls, scores, scores, 1.0 / (self.problem.dim as f32).sqrt(), elements);
        if step.masked {
            self.add_mask(scores, keys);
        }
        self.fold(VectorOp::Max, VectorOp::Cmax, fresh, scores, keys);
        binary(&mut self.b, VectorOp::Max, fresh, (fresh, maximum), piece);
        binary(&mut self.b, VectorOp::Sub, alpha, (maximum, fresh), piece);
        unary(&mut self.b, VectorOp::Exp, alpha, alpha, piece);
        scalar(&mut self.b, VectorOp::Adds, maximum, fresh, 0.0, piece);
        broadcast(&mut self.b, f32s(self.ub.blocks), fresh, piece);
        self.columns(VectorOp::Sub, scores, (scores, f32s(self.ub.blocks)), (keys, keys));
        unary(&mut self.b, VectorOp::Exp, scores, scores, elements);
        self.fold(VectorOp::Add, VectorOp::Cadd, fresh, scores, keys);
        binary(&mut self.b, VectorOp::Mul, sum, (sum, alpha), piece);
        binary(&mut self.b, VectorOp::Add, sum, (sum, fresh), piece);
        convert(&mut self.b, Span::new(scores.address, self.problem.ty), scores, elements);
    }

    /// Adds the mask to the last block of columns.
    fn add_mask(&mut self, scores: Span, keys: u32) {
        let width = BLOCK;
        for column in (0..width).step_by(LANES as usize) {
            let target = scores.skip(keys - width + column);
            let strides = Strides {
                dst_repeat: pitch(keys),
                src0_repeat: pitch(keys),
                src1_repeat: pitch(width),
                ..Strides::UNIT
            };
            let base = vector(VectorOp::Add, target, target, f32s(self.ub.partial).skip(column));
            self.b.push(Instruction::Vector(Vector { repeat: self.tiling.piece, strides, ..base }));
        }
        self.b.set(Pipe::V, Pipe::Mte2, 2);
    }

    /// One value of each row: columns are folded 64 at a time, then the 64 lanes of each row.
    fn fold(&mut self, pair: VectorOp, whole: VectorOp, dst: Span, rows: Span, width: u32) {
        let fold = f32s(self.ub.fold);
        let strided =
            Strides { dst_repeat: 8, src0_repeat: pitch(width), src1_repeat: pitch(width), ..Strides::UNIT };
        let first = match width / LANES {
            1 => Vector { strides: strided, scalar: 0.0, ..vector(VectorOp::Adds, fold, rows, rows) },
            _ => Vector { strides: strided, ..vector(pair, fold, rows, rows.skip(LANES)) },
        };
        self.b.push(Instruction::Vector(Vector { repeat: self.tiling.piece, ..first }));
        for column in (2 * LANES..width).step_by(LANES as usize) {
            let strides =
                Strides { dst_repeat: 8, src0_repeat: 8, src1_repeat: pitch(width), ..Strides::UNIT };
            let base = vector(pair, fold, fold, rows.skip(column));
            self.b.push(Instruction::Vector(Vector { repeat: self.tiling.piece, strides, ..base }));
        }
        let reduce = vector(whole, dst, fold, fold);
        self.b.push(Instruction::Vector(Vector { repeat: self.tiling.piece, mask: Mask::All, ..reduce }));
    }

    /// Each row of a piece combined with its block of equal values, 64 columns at a time.
    pub(super) fn columns(
        &mut self,
        op: VectorOp,
        dst: Span,
        (rows, blocks): (Span, Span),
        (width, row): (u32, u32),
    ) {
        for column in (0..width).step_by(LANES as usize) {
            let strides = Strides {
                dst_repeat: pitch(row),
                src0_repeat: pitch(row),
                src1_block: 0,
                src1_repeat: 1,
                ..Strides::UNIT
            };
            let base = vector(op, dst.skip(column), rows.skip(column), blocks);
            self.b.push(Instruction::Vector(Vector { repeat: self.tiling.piece, strides, ..base }));
        }
    }

    fn store_weights(&mut self, step: &Step, slot: usize, first: u32, half: u8) {
        let size = u64::from(self.problem.ty.bits() / 8);
        let tile = u64::from(self.tiling.rows * self.tiling.keys) * size;
        let gm = self.places.weights
            + slot as u64 * tile
            + u64::from(self.first + first) * u64::from(step.keys) * size;
        self.b.order(Pipe::V, Pipe::Mte3, half);
        self.copy(
            Move::UbToGm,
            gm,
            self.ub.scores[usize::from(half)],
            self.problem.ty.bytes(self.tiling.piece * step.keys),
        );
        self.b.set(Pipe::Mte3, Pipe::Mte2, half);
    }

    /// O = O·α + output tile; after the last step O / l goes out.
    fn accumulate(&mut self, step: &Step, slot: usize) {
        self.cross_wait(flag::OUTPUT);
        let (dim, piece) = (self.problem.dim, self.tiling.piece);
        let tile = u64::from(self.tiling.rows * dim) * 4;
        for first in (0..self.rows).step_by(piece as usize) {
            let gm = self.places.partial + slot as u64 * tile + u64::from((self.first + first) * dim) * 4;
            self.b.wait(Pipe::V, Pipe::Mte2, 2);
            self.copy(Move::GmToUb, gm, self.ub.partial, piece * dim * 4);
            self.b.order(Pipe::Mte2, Pipe::V, 2);
            let output = f32s(self.ub.output).skip(first * dim);
            let blocks = f32s(self.ub.blocks);
            broadcast(&mut self.b, blocks, f32s(self.ub.alpha[slot]).skip(first), piece);
            self.columns(VectorOp::Mul, output, (output, blocks), (dim, dim));
            binary(&mut self.b, VectorOp::Add, output, (output, f32s(self.ub.partial)), piece * dim);
            self.b.set(Pipe::V, Pipe::Mte2, 2);
        }
        if step.ends && self.tiling.parts > 1 {
            self.leave(step);
        } else if step.ends {
            self.finish(&step.task);
        }
    }

    pub(super) fn finish(&mut self, task: &Task) {
        let (dim, piece) = (self.problem.dim, self.tiling.piece);
        for first in (0..self.rows).step_by(piece as usize) {
            let output = f32s(self.ub.output).skip(first * dim);
            let blocks = f32s(self.ub.blocks);
            broadcast(&mut self.b, blocks, f32s(self.ub.sum).skip(first), piece);
            self.columns(VectorOp::Div, output, (output, blocks), (dim, dim));
            convert(&mut self.b, Span::new(output.address, self.problem.ty), output, piece * dim);
        }
        self.b.order(Pipe::V, Pipe::Mte3, 2);
        for first in (0..self.rows).step_by(piece as usize) {
            let row = self.problem.query(task, self.first + first);
            let gm = self.places.out + row * u64::from(self.problem.ty.bits() / 8);
            self.copy(Move::UbToGm, gm, self.ub.output + first * dim * 4, self.problem.ty.bytes(piece * dim));
        }
        self.b.order(Pipe::Mte3, Pipe::V, 2);
    }

    pub(super) fn copy(&mut self, route: Move, gm: u64, ub: u32, bytes: u32) {
        let (gm, ub) = (Address::at(Space::Gm, gm), at(Space::Ub, ub));
        let (dst, src) = if route == Move::GmToUb { (ub, gm) } else { (gm, ub) };
        let burst =
            Burst { route, dst, src, count: 1, bytes, src_pitch: bytes, dst_pitch: bytes, atomic: false };
        self.b.push(Instruction::Burst(burst));
    }

    fn cross_wait(&mut self, id: u8) {
        self.b.push(Instruction::Sync(Sync::CrossWait { pipe: Pipe::Mte2, mode: CrossMode::Group, id }));
    }
}

pub(super) fn f32s(address: u32) -> Span {
    Span::new(address, Type::F32)
}

/// 32-byte blocks of so many fp32.
fn pitch(elements: u32) -> u16 {
    (elements / 8) as u16
}
