//! C\[m,n\] = A\[m,k\] · B: the matrix product on the cube.
//!
//! A block of C stays in L0C while K runs. MTE2 brings chunks of A and B into one of two L1 halves, MTE1 cuts each chunk into
//! steps in one of two halves of L0A and L0B, the cube accumulates, FixPipe writes the block out. Every hand-over is a pair of
//! flags: "full" forwards, "free" backwards.
//!
//! ```text
//! MTE2  | chunk 0 | chunk 1 | chunk 2 …          L1 halves   0 1 0
//! MTE1       | s0 | s1 | s2 | s3 | s0 …          L0 halves   0 1 0 1 0
//! M               | s0 | s1 | s2 | s3 …
//! FIX                                  | C block
//! ```

mod block;
mod problem;
mod schedule;

pub use problem::{Epilogue, GemmProblem, Weights};
pub use schedule::{GemmTiling, Task, tasks};

use crate::isa::{Pipe, Type};
use crate::kernel::{CoreKind, Kernel, Role};
use crate::machine::{Design, Machine};
use crate::program::{Program, ProgramBuilder};
use block::{Block, Parity};

/// Where the operands of a GEMM are in GM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operands {
    /// A, row-major.
    pub a: u64,
    /// B, as [`Weights`] says.
    pub b: u64,
    /// C, row-major.
    pub c: u64,
    /// fp32 scale of each column, when dequantised.
    pub scales: u64,
    /// Bias of each column in the accumulator's type.
    pub bias: u64,
}

/// The kernel of one product.
pub fn kernel(machine: &Machine, problem: &GemmProblem, tiling: &GemmTiling) -> Kernel {
    let mut kernel = Kernel { name: problem.to_string(), flops: problem.flops(), ..Kernel::default() };
    let operands = place(&mut kernel, problem);
    let tasks = tasks(problem, tiling);
    let cores = machine.cube_cores.min(tasks.len() as u32);
    for core in 0..cores {
        let own = tasks.iter().copied().skip(core as usize).step_by(cores as usize);
        kernel.add_core(core_kind(machine), core, program(problem, tiling, operands, own));
    }
    kernel
}

/// What kind of core runs a cube kernel.
pub(crate) fn core_kind(machine: &Machine) -> CoreKind {
    if machine.core.design == Design::Coupled { CoreKind::Coupled } else { CoreKind::Cube }
}

fn place(kernel: &mut Kernel, problem: &GemmProblem) -> Operands {
    let (m, n, k) = (u64::from(problem.m), u64::from(problem.n), u64::from(problem.k));
    let bytes = |count: u64, ty: Type| (count * u64::from(ty.bits())).div_ceil(8);
    let a = kernel.place("a", bytes(m * k, problem.ty), Role::Input);
    let b = kernel.place("b", problem.weight_bytes(), Role::Input);
    let c = kernel.place("c", bytes(m * n, problem.out), Role::Output);
    let scales = match problem.epilogue {
        Epilogue::Dequantise => kernel.place("scales", 4 * n, Role::Input),
        _ => 0,
    };
    let bias = if problem.bias { kernel.place("bias", 4 * n, Role::Input) } else { 0 };
    Operands { a, b, c, scales, bias }
}

/// The program of one core: its blocks one after the other.
pub fn program(
    problem: &GemmProblem,
    tiling: &GemmTiling,
    operands: Operands,
    own: impl Iterator<Item = Task>,
) -> Program {
    let mut builder = ProgramBuilder::default();
    open(&mut builder);
    let mut parity = Parity::default();
    for task in own {
        let block = Block::new(problem, tiling, operands, task);
        block.emit(&mut builder, &mut parity);
    }
    close(&mut builder);
    builder.finish()
}

/// All buffers are free at the start.
fn open(builder: &mut ProgramBuilder) {
    for half in 0..2 {
        builder.set(Pipe::Mte1, Pipe::Mte2, half).set(Pipe::M, Pipe::Mte1, half).set(Pipe::Fix, Pipe::M, half);
    }
}

/// And at the end.
fn close(builder: &mut ProgramBuilder) {
    for half in 0..2 {
        builder.wait(Pipe::Mte1, Pipe::Mte2, half).wait(Pipe::M, Pipe::Mte1, half).wait(Pipe::Fix, Pipe::M, half);
    }
}
