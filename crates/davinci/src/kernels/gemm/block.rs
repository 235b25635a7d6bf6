//! The instructions of one block of C.

use super::problem::{Epilogue, GemmProblem, Weights};
use super::schedule::{GemmTiling, Task};
use super::Operands;
use crate::isa::{
    Accumulate, Address, Burst, Fixpipe, FractalLoad, Instruction, Layout, Mmad, Move, Nd2Nz, Pipe, Quant, Reg, Side, Space,
    Type,
};
use crate::program::{ProgramBuilder, at};

/// Registers that walk along K in A, B and the sparse indices.
const A_ADDRESS: Reg = Reg(1);
const B_ADDRESS: Reg = Reg(2);

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
    problem: &'p GemmProblem,
    tiling: &'p GemmTiling,
    operands: Operands,
    task: Task,
    /// Rows and columns padded to fractals.
    m: u32,
    n: u32,
}

impl<'p> Block<'p> {
    pub(super) fn new(problem: &'p GemmProblem, tiling: &'p GemmTiling, operands: Operands, task: Task) -> Self {
        let (m, n) = (task.m.1.next_multiple_of(16), task.n.1.next_multiple_of(16));
        Self { problem, tiling, operands, task, m, n }
    }

    pub(super) fn emit(&self, b: &mut ProgramBuilder, parity: &mut Parity) {
        b.mov(A_ADDRESS, self.a_address()).mov(B_ADDRESS, self.b_address());
        let l0c = parity.l0c % self.tiling.l0c_buffers;
        b.wait(Pipe::Fix, Pipe::M, l0c as u8);
        self.depth(b, parity, l0c);
        b.order(Pipe::M, Pipe::Fix, l0c as u8);
        b.push(self.store(l0c));
        b.set(Pipe::Fix, Pipe::M, l0c as u8);
        parity.l0c += 1;
    }

    /// All chunks of K: the first starts the accumulator, then pairs in a loop, then what is left.
    fn depth(&self, b: &mut ProgramBuilder, parity: &mut Parity, l0c: u32) {
        let depth = self.task.k.1;
        let chunk = self.tiling.k_l1;
        let (whole, tail) = (depth / chunk, depth % chunk);
        let mut first = true;
        let mut one = |b: &mut ProgramBuilder, parity: &mut Parity, size: u32| {
            self.chunk(b, parity, size, l0c, std::mem::take(&mut first));
        };
        if whole > 0 {
            one(b, parity, chunk);
        }
        let rest = whole.saturating_sub(1);
        b.repeat(rest / 2, |b| {
            one(b, parity, chunk);
            one(b, parity, chunk);
        });
        if rest % 2 == 1 {
            one(b, parity, chunk);
        }
        if tail > 0 {
            one(b, parity, tail);
        }
    }

    /// One chunk: loads into an L1 half, then its steps through the L0 halves.
    fn chunk(&self, b: &mut ProgramBuilder, parity: &mut Parity, depth: u32, l0c: u32, first: bool) {
        let half = parity.l1 % 2;
        b.wait(Pipe::Mte1, Pipe::Mte2, half as u8);
        b.push(self.load_a(half, depth)).push(self.load_b(half, depth));
        b.order(Pipe::Mte2, Pipe::Mte1, half as u8);
        let mut done = 0;
        while done < depth {
            let step = self.tiling.k_l0.min(depth - done);
            self.step(b, parity, Step { half, done, step, chunk: depth, l0c, init: first && done == 0 });
            done += step;
        }
        b.set(Pipe::Mte1, Pipe::Mte2, half as u8);
        b.advance(A_ADDRESS, self.bytes(depth)).advance(B_ADDRESS, self.b_advance(depth));
        parity.l1 += 1;
    }

    /// One step: operands into an L0 half, and the product.
    fn step(&self, b: &mut ProgramBuilder, parity: &mut Parity, step: Step) {
        let half = parity.l0 % 2;
        b.wait(Pipe::M, Pipe::Mte1, half as u8);
        b.push(self.cut_a(half, step)).push(self.cut_b(half, step));
        b.order(Pipe::Mte1, Pipe::M, half as u8);
        b.push(self.multiply(half, step));
        b.set(Pipe::M, Pipe::Mte1, half as u8);
        parity.l0 += 1;
    }

    fn load_a(&self, half: u32, depth: u32) -> Instruction {
        Instruction::Nd2Nz(Nd2Nz {
            dst: at(Space::L1, half * self.tiling.l1_half(self.problem)),
            src: Address::indexed(Space::Gm, A_ADDRESS, 0),
            rows: self.task.m.1,
            cols: depth,
            src_pitch: self.ty().bytes(self.problem.k),
            dst_rows: self.m,
            ty: self.ty(),
        })
    }

    fn load_b(&self, half: u32, depth: u32) -> Instruction {
        let dst = at(Space::L1, self.b_half(half));
        let src = Address::indexed(Space::Gm, B_ADDRESS, 0);
        let ty = self.ty();
        match self.problem.weights {
            Weights::RowsOfN => {
                let src_pitch = ty.bytes(self.problem.k);
                Instruction::Nd2Nz(Nd2Nz { dst, src, rows: self.task.n.1, cols: depth, src_pitch, dst_rows: self.n, ty })
            }
            Weights::RowsOfK => {
                let (src_pitch, dst_rows) = (ty.bytes(self.problem.n), depth.next_multiple_of(ty.fractal_depth().max(16)));
                Instruction::Nd2Nz(Nd2Nz { dst, src, rows: depth, cols: self.task.n.1, src_pitch, dst_rows, ty })
            }
            Weights::Nz => Instruction::Burst(Burst {
                route: Move::GmToL1,
                dst,
                src,
                count: depth.div_ceil(ty.fractal_depth()),
                bytes: self.n * 32,
                src_pitch: self.problem.n.next_multiple_of(16) * 32,
                dst_pitch: self.n * 32,
                atomic: false,
            }),
        }
    }

    fn cut_a(&self, half: u32, step: Step) -> Instruction {
        let depth = self.ty().fractal_depth();
        let column = step.done / depth * self.m * 32;
        Instruction::FractalLoad(FractalLoad {
            side: Side::A,
            dst: at(Space::L0a, half * self.tiling.l0_half(self.tiling.m, self.ty())),
            src: at(Space::L1, step.half * self.tiling.l1_half(self.problem) + column),
            index: at(Space::L1, 0),
            rows: self.m,
            cols: step.step.next_multiple_of(depth),
            src_rows: self.m,
            transpose: false,
            ty: self.ty(),
        })
    }

    fn cut_b(&self, half: u32, step: Step) -> Instruction {
        let depth = self.ty().fractal_depth();
        let transpose = self.problem.weights == Weights::RowsOfK;
        let (offset, src_rows) = if transpose {
            (step.done * 32, step.chunk.next_multiple_of(depth.max(16)))
        } else {
            (step.done / depth * self.n * 32, self.n)
        };
        Instruction::FractalLoad(FractalLoad {
            side: Side::B,
            dst: at(Space::L0b, half * self.tiling.l0_half(self.tiling.n, self.ty())),
            src: at(Space::L1, self.b_half(step.half) + offset),
            index: at(Space::L1, 0),
            rows: self.n,
            cols: step.step.next_multiple_of(depth),
            src_rows,
            transpose,
            ty: self.ty(),
        })
    }

    fn multiply(&self, half: u32, step: Step) -> Instruction {
        Instruction::Mmad(Mmad {
            dst: self.accumulator(step.l0c),
            a: at(Space::L0a, half * self.tiling.l0_half(self.tiling.m, self.ty())),
            b: at(Space::L0b, half * self.tiling.l0_half(self.tiling.n, self.ty())),
            m: self.task.m.1,
            k: step.step,
            n: self.task.n.1,
            ty: self.ty(),
            accumulate: if step.init { Accumulate::Init } else { Accumulate::Add },
            sparse: false,
        })
    }

    fn store(&self, l0c: u32) -> Instruction {
        let size = u64::from(self.problem.out.bits() / 8);
        let offset = u64::from(self.task.m.0) * u64::from(self.problem.n) + u64::from(self.task.n.0);
        Instruction::Fixpipe(Fixpipe {
            dst: Address::at(Space::Gm, self.operands.c + offset * size),
            src: self.accumulator(l0c),
            m: self.task.m.1,
            n: self.task.n.1,
            src_rows: self.m,
            dst_pitch: self.problem.out.bytes(self.problem.n),
            ty: self.problem.out,
            from: self.ty().accumulator(),
            layout: Layout::Nd,
            quant: Quant::None,
            relu: self.problem.epilogue == Epilogue::Relu,
            atomic: self.tiling.split_k > 1,
        })
    }

    fn accumulator(&self, l0c: u32) -> Address {
        at(Space::L0c, l0c * self.tiling.m.next_multiple_of(16) * self.tiling.n.next_multiple_of(16) * 4)
    }

    fn ty(&self) -> Type {
        self.problem.ty
    }

    fn bytes(&self, elements: u32) -> u64 {
        u64::from(self.ty().bytes(elements))
    }

    fn a_address(&self) -> u64 {
        let elements = u64::from(self.task.m.0) * u64::from(self.problem.k) + u64::from(self.task.k.0);
        self.operands.a + elements * u64::from(self.ty().bits()) / 8
    }

    fn b_address(&self) -> u64 {
        let (n, k) = (u64::from(self.task.n.0), u64::from(self.task.k.0));
        let bits = u64::from(self.ty().bits());
        let elements = match self.problem.weights {
            Weights::RowsOfN => n * u64::from(self.problem.k) + k,
            Weights::RowsOfK => k * u64::from(self.problem.n) + n,
            Weights::Nz => k * u64::from(self.problem.n.next_multiple_of(16)) + n * u64::from(self.ty().fractal_depth()),
        };
        self.operands.b + elements * bits / 8
    }

    fn b_advance(&self, depth: u32) -> u64 {
        match self.problem.weights {
            Weights::RowsOfN => self.bytes(depth),
            Weights::RowsOfK => self.bytes(self.problem.n) * u64::from(depth),
            Weights::Nz => self.bytes(self.problem.n.next_multiple_of(16)) * u64::from(depth),
        }
    }

    fn b_half(&self, half: u32) -> u32 {
        half * self.tiling.l1_half(self.problem) + self.tiling.l1_a(self.problem)
    }
}

/// A step within a chunk.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// L1 half.
    half: u32,
    /// Depth done before it in the chunk.
    done: u32,
    /// Its depth.
    step: u32,
    /// Depth of the chunk.
    chunk: u32,
    /// L0C buffer.
    l0c: u32,
    /// Whether it starts the accumulator.
    init: bool,
}
