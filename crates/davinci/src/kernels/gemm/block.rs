//! The instructions of one block of C.

use super::parts::{Chunk, Slice, Step};
use super::problem::{Epilogue, GemmProblem, Weights};
use super::schedule::{GemmTiling, Task};
use super::{Job, Operands};
use crate::isa::{
    Accumulate, Address, Fixpipe, FractalLoad, Instruction, Layout, Mmad, Pipe, Quant, Reg, Side, Space, Type,
};
use crate::program::{ProgramBuilder, at};

/// Registers that walk along K in A, B and the sparse indices.
pub(super) const A_ADDRESS: Reg = Reg(1);
pub(super) const B_ADDRESS: Reg = Reg(2);
pub(super) const INDEX_ADDRESS: Reg = Reg(3);

/// Events of the column tables.
pub(super) const SCALES: u8 = 2;
pub(super) const BIAS: u8 = 3;

/// Which halves the next chunk, step and block use. Blocks continue where the last one stopped, so that loads run ahead over
/// block borders.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parity {
    l1: u32,
    l0: u32,
    l0c: u32,
}

/// A block with everything its instructions need.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'p> {
    pub(super) problem: &'p GemmProblem,
    pub(super) tiling: &'p GemmTiling,
    pub(super) operands: Operands,
    pub(super) task: Task,
    /// Rows and columns padded to fractals.
    pub(super) m: u32,
    pub(super) n: u32,
}

impl<'p> Block<'p> {
    pub(super) fn new(job: &'p Job, tiling: &'p GemmTiling) -> Self {
        let Job { problem, operands, task } = job;
        let (operands, task) = (*operands, *task);
        let (m, n) = (task.m.1.next_multiple_of(16), task.n.1.next_multiple_of(16));
        Self { problem, tiling, operands, task, m, n }
    }

    pub(super) fn emit(&self, b: &mut ProgramBuilder, parity: &mut Parity) {
        b.mov(A_ADDRESS, self.a_address())
            .mov(B_ADDRESS, self.b_address())
            .mov(INDEX_ADDRESS, self.index_address());
        self.column_tables(b);
        self.depth(b, parity);
        if self.problem.epilogue == Epilogue::Dequantise {
            b.wait(Pipe::Mte1, Pipe::Fix, SCALES);
        }
        for slice in self.slices(parity.l0c) {
            b.wait(Pipe::M, Pipe::Fix, slice.flag).push(self.store(slice)).set(
                Pipe::Fix,
                Pipe::M,
                slice.flag,
            );
        }
        if self.problem.epilogue == Epilogue::Dequantise {
            b.set(Pipe::Fix, Pipe::Mte1, SCALES);
        }
        parity.l0c += 1;
    }

    /// The parts of the accumulator that change hands on their own. With one block in L0C it is two halves of the columns:
    /// FixPipe writes the first while the cube finishes the second, and the next block starts where FixPipe is done.
    fn slices(&self, block: u32) -> Vec<Slice> {
        let whole = self.accumulator_bytes();
        if self.tiling.l0c_buffers > 1 || self.problem.sparse {
            let flag = block % self.tiling.l0c_buffers;
            return vec![Slice { first: 0, columns: self.task.n.1, l0c: flag * whole, flag: flag as u8 }];
        }
        let half = (self.n / 2).next_multiple_of(self.slice_grain()).min(self.n);
        let part = |first: u32, end: u32, flag| Slice {
            first,
            columns: end.min(self.task.n.1).saturating_sub(first),
            l0c: first * self.m * 4,
            flag,
        };
        let slices = [part(0, half, 0), part(half, self.n, 1)];
        slices.into_iter().filter(|slice| slice.columns > 0).collect()
    }

    /// Columns of a slice are whole fractals of B in L1 and L0B, also when it is transposed, and whole rows of FB.
    fn slice_grain(&self) -> u32 {
        self.ty().fractal_depth().max(32)
    }

    /// All chunks of K: the first starts the accumulator, pairs run in a loop, and the last ends it.
    fn depth(&self, b: &mut ProgramBuilder, parity: &mut Parity) {
        let depth = self.task.k.1;
        let size = self.tiling.k_l1.min(depth);
        let chunks = depth.div_ceil(size);
        let last = depth - (chunks - 1) * size;
        let middle = Chunk { depth: size, first: false, last: false };
        if chunks > 1 {
            self.chunk(b, parity, Chunk { first: true, ..middle });
            b.repeat((chunks - 2) / 2, |b| {
                self.chunk(b, parity, middle);
                self.chunk(b, parity, middle);
            });
            if !chunks.is_multiple_of(2) {
                self.chunk(b, parity, middle);
            }
        }
        self.chunk(b, parity, Chunk { depth: last, first: chunks == 1, last: true });
    }

    /// One chunk: loads into an L1 half, then its steps through the L0 halves.
    fn chunk(&self, b: &mut ProgramBuilder, parity: &mut Parity, chunk: Chunk) {
        let half = parity.l1 % 2;
        let depth = chunk.depth;
        b.wait(Pipe::Mte1, Pipe::Mte2, half as u8);
        self.load_a(b, half, chunk);
        b.push(self.load_b(half, depth));
        if self.problem.sparse {
            b.push(self.load_index(half, depth));
        }
        b.order(Pipe::Mte2, Pipe::Mte1, half as u8);
        let mut done = 0;
        while done < depth {
            let step = self.tiling.k_l0.min(depth - done);
            let (init, finish) = (chunk.first && done == 0, chunk.last && done + step == depth);
            self.step(b, parity, Step { half, done, size: step, chunk: depth, init, finish });
            done += step;
        }
        b.set(Pipe::Mte1, Pipe::Mte2, half as u8);
        b.advance(A_ADDRESS, self.a_advance(depth)).advance(B_ADDRESS, self.b_advance(depth));
        if self.problem.sparse {
            b.advance(
                INDEX_ADDRESS,
                u64::from(depth / 2 / 32) * u64::from(self.problem.n.next_multiple_of(16)) * 8,
            );
        }
        parity.l1 += 1;
    }

    /// One step: operands into an L0 half, and the product. The first and last steps of a block go slice by slice.
    fn step(&self, b: &mut ProgramBuilder, parity: &mut Parity, step: Step) {
        let half = parity.l0 % 2;
        let slices = self.slices(parity.l0c);
        let sliced = step.init || step.finish;
        let parts = if sliced { slices.clone() } else { vec![self.whole(&slices)] };
        b.wait(Pipe::M, Pipe::Mte1, half as u8).push(self.cut_a(half, step));
        for part in &parts {
            b.push(self.cut_b(half, step, *part));
        }
        b.order(Pipe::Mte1, Pipe::M, half as u8);
        for part in &parts {
            if step.init {
                self.accumulator_ready(b, *part);
            }
            b.push(self.multiply(half, step, *part));
            if step.finish {
                b.set(Pipe::M, Pipe::Fix, part.flag);
            }
        }
        if step.init && self.problem.bias {
            b.set(Pipe::M, Pipe::Mte1, BIAS);
        }
        b.set(Pipe::M, Pipe::Mte1, half as u8);
        parity.l0 += 1;
    }

    fn accumulator_ready(&self, b: &mut ProgramBuilder, slice: Slice) {
        b.wait(Pipe::Fix, Pipe::M, slice.flag);
        if self.problem.bias && slice.first == 0 {
            b.wait(Pipe::Mte1, Pipe::M, BIAS);
        }
    }

    fn whole(&self, slices: &[Slice]) -> Slice {
        Slice { columns: self.task.n.1, ..slices[0] }
    }

    fn cut_a(&self, half: u32, step: Step) -> Instruction {
        let depth = self.ty().fractal_depth();
        let dst = at(Space::L0a, half * self.tiling.l0_half(self.tiling.m, self.ty()));
        if let Some(image) = self.problem.image {
            return self.cut_patches(image, dst, step);
        }
        Instruction::FractalLoad(FractalLoad {
            side: Side::A,
            dst,
            src: self.a_half(step.half).plus(u64::from(step.done / depth * self.m * 32)),
            index: at(Space::L1, 0),
            rows: self.m,
            cols: step.size.next_multiple_of(depth),
            src_rows: self.m,
            transpose: false,
            ty: self.ty(),
        })
    }

    fn cut_b(&self, half: u32, step: Step, slice: Slice) -> Instruction {
        let depth = self.ty().fractal_depth();
        let done = self.stored(step.done);
        let transpose = self.problem.weights == Weights::RowsOfK;
        let (offset, src_rows) = if transpose {
            let rows = step.chunk.next_multiple_of(depth.max(16));
            (done * 32 + slice.first / depth * rows * 32, rows)
        } else {
            (done / depth * self.n * 32 + slice.first * 32, self.n)
        };
        Instruction::FractalLoad(FractalLoad {
            side: if self.problem.sparse { Side::SparseB } else { Side::B },
            dst: self.operand_b(half, step, slice),
            src: at(Space::L1, self.b_half(step.half) + offset),
            index: at(
                Space::L1,
                if self.problem.sparse { self.index_half(step.half) + done / depth * self.n * 8 } else { 0 },
            ),
            rows: slice.columns.next_multiple_of(16),
            cols: self.stored(step.size).next_multiple_of(depth),
            src_rows,
            transpose,
            ty: self.ty(),
        })
    }

    /// Slices of B lie one behind the other in an L0B half.
    fn operand_b(&self, half: u32, step: Step, slice: Slice) -> Address {
        let depth = self.stored(step.size).next_multiple_of(self.ty().fractal_depth());
        at(
            Space::L0b,
            half * self.tiling.l0_half(self.tiling.n, self.ty()) + self.ty().bytes(slice.first * depth),
        )
    }

    fn multiply(&self, half: u32, step: Step, slice: Slice) -> Instruction {
        Instruction::Mmad(Mmad {
            dst: at(Space::L0c, slice.l0c),
            a: at(Space::L0a, half * self.tiling.l0_half(self.tiling.m, self.ty())),
            b: self.operand_b(half, step, slice),
            m: self.task.m.1,
            k: step.size,
            n: slice.columns,
            ty: self.ty(),
            accumulate: self.accumulate(step, slice),
            sparse: self.problem.sparse,
        })
    }

    fn accumulate(&self, step: Step, slice: Slice) -> Accumulate {
        match (step.init, self.problem.bias) {
            (false, _) => Accumulate::Add,
            (true, false) => Accumulate::Init,
            (true, true) => Accumulate::Bias(at(Space::Bt, 4 * slice.first)),
        }
    }

    fn store(&self, slice: Slice) -> Instruction {
        let size = u64::from(self.problem.out.bits() / 8);
        let column = u64::from(self.task.n.0 + slice.first);
        let offset = u64::from(self.task.m.0) * u64::from(self.problem.n) + column;
        Instruction::Fixpipe(Fixpipe {
            dst: Address::at(Space::Gm, self.operands.c + offset * size),
            src: at(Space::L0c, slice.l0c),
            m: self.task.m.1,
            n: slice.columns,
            src_rows: self.m,
            dst_pitch: self.problem.out.bytes(self.problem.n),
            ty: self.problem.out,
            from: self.ty().accumulator(),
            layout: Layout::Nd,
            quant: self.quant(slice),
            relu: self.problem.epilogue == Epilogue::Relu,
            atomic: self.tiling.split_k > 1,
        })
    }

    fn quant(&self, slice: Slice) -> Quant {
        match self.problem.epilogue {
            Epilogue::Dequantise => Quant::Vector(at(Space::Fb, 4 * slice.first)),
            _ => Quant::None,
        }
    }

    fn accumulator_bytes(&self) -> u32 {
        self.tiling.m.next_multiple_of(16) * self.tiling.n.next_multiple_of(16) * 4
    }

    pub(super) fn ty(&self) -> Type {
        self.problem.ty
    }

    pub(super) fn bytes(&self, elements: u32) -> u64 {
        u64::from(self.ty().bytes(elements))
    }

    /// Depth of B that stands for a depth of A.
    pub(super) fn stored(&self, depth: u32) -> u32 {
        if self.problem.sparse { depth / 2 } else { depth }
    }

    pub(super) fn index_half(&self, half: u32) -> u32 {
        self.b_half(half) + self.tiling.l1_b(self.problem)
    }

    pub(super) fn a_half(&self, half: u32) -> Address {
        at(Space::L1, half * self.tiling.l1_half(self.problem))
    }

    pub(super) fn b_half(&self, half: u32) -> u32 {
        half * self.tiling.l1_half(self.problem) + self.tiling.l1_a(self.problem)
    }
}
