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
mod image;
mod loads;
mod parts;
mod problem;
mod schedule;

pub use image::Image;
pub use problem::{Epilogue, GemmProblem, Weights};
pub use schedule::{GemmTiling, Task, row_blocks, tasks};

use crate::isa::{Pipe, Type};
use crate::kernel::{CoreKind, Kernel, Role};
use crate::machine::{Design, Machine};
use crate::program::{Program, ProgramBuilder};
use block::{BIAS, Block, Parity, SCALES};

/// Where the operands of a GEMM are in GM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operands {
    /// A: row-major, or an image as [`Image`] says.
    pub a: u64,
    /// B, as [`Weights`] says.
    pub b: u64,
    /// C, row-major.
    pub c: u64,
    /// Two-bit indices of the kept elements, NZ order, four a byte, when sparse.
    pub index: u64,
    /// fp32 scale of each column, when dequantised.
    pub scales: u64,
    /// Bias of each column in the accumulator's type.
    pub bias: u64,
}

/// A block of one product: with several products in a kernel, each brings its own operands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// The product.
    pub problem: GemmProblem,
    /// Where its operands are.
    pub operands: Operands,
    /// Which block.
    pub task: Task,
}

/// The kernel of one product.
pub fn kernel(machine: &Machine, problem: &GemmProblem, tiling: &GemmTiling) -> Kernel {
    let mut kernel = Kernel { name: problem.to_string(), flops: problem.flops(), ..Kernel::default() };
    let operands = place(&mut kernel, problem, "");
    let jobs: Vec<Job> =
        tasks(problem, tiling).into_iter().map(|task| Job { problem: *problem, operands, task }).collect();
    deal(&mut kernel, machine, tiling, &jobs);
    kernel
}

/// Many products with the same K and N and weights of their own in one launch: the experts of a layer.
pub fn grouped(machine: &Machine, problems: &[GemmProblem], tiling: &GemmTiling) -> Kernel {
    let flops = problems.iter().map(GemmProblem::flops).sum();
    let mut kernel =
        Kernel { name: format!("grouped gemm of {}", problems.len()), flops, ..Kernel::default() };
    let mut jobs = Vec::new();
    for (index, problem) in problems.iter().enumerate().filter(|(_, problem)| problem.m > 0) {
        let operands = place(&mut kernel, problem, &index.to_string());
        jobs.extend(tasks(problem, tiling).into_iter().map(|task| Job { problem: *problem, operands, task }));
    }
    deal(&mut kernel, machine, tiling, &jobs);
    kernel
}

/// Gives each core its jobs, round robin.
fn deal(kernel: &mut Kernel, machine: &Machine, tiling: &GemmTiling, jobs: &[Job]) {
    let cores = machine.cube_cores.min(jobs.len() as u32);
    for core in 0..cores {
        let own = jobs.iter().copied().skip(core as usize).step_by(cores as usize);
        kernel.add_core(core_kind(machine), core, program(tiling, own));
    }
}

/// What kind of core runs a cube kernel.
pub(crate) fn core_kind(machine: &Machine) -> CoreKind {
    if machine.core.design == Design::Coupled { CoreKind::Coupled } else { CoreKind::Cube }
}

fn place(kernel: &mut Kernel, problem: &GemmProblem, suffix: &str) -> Operands {
    let (m, n, k) = (u64::from(problem.m), u64::from(problem.n), u64::from(problem.k));
    let bytes = |count: u64, ty: Type| (count * u64::from(ty.bits())).div_ceil(8);
    let mut tensor = |name: &str, bytes, role| kernel.place(&format!("{name}{suffix}"), bytes, role);
    let optional = |wanted: bool, bytes: u64| if wanted { Some(bytes) } else { None };
    let a = tensor("a", problem.left_bytes(), Role::Input);
    let b = tensor("b", problem.weight_bytes(), Role::Input);
    let c = tensor("c", bytes(m * n, problem.out), Role::Output);
    let mut side = |name: &str, bytes: Option<u64>| bytes.map_or(0, |bytes| tensor(name, bytes, Role::Input));
    Operands {
        a,
        b,
        c,
        index: side("index", optional(problem.sparse, n.next_multiple_of(16) * k.div_ceil(64) * 8)),
        scales: side("scales", optional(problem.epilogue == Epilogue::Dequantise, 4 * n)),
        bias: side("bias", optional(problem.bias, 4 * n)),
    }
}

/// The program of one core: its blocks one after the other.
pub fn program(tiling: &GemmTiling, own: impl Iterator<Item = Job>) -> Program {
    let mut builder = ProgramBuilder::default();
    open(&mut builder);
    let mut parity = Parity::default();
    for job in own {
        Block::new(&job, tiling).emit(&mut builder, &mut parity);
    }
    close(&mut builder);
    builder.finish()
}

/// Events that say "free", by pipe that frees and pipe that waits.
const FREE: [(Pipe, Pipe, u8); 10] = [
    (Pipe::Mte1, Pipe::Mte2, 0),
    (Pipe::Mte1, Pipe::Mte2, 1),
    (Pipe::M, Pipe::Mte1, 0),
    (Pipe::M, Pipe::Mte1, 1),
    (Pipe::Fix, Pipe::M, 0),
    (Pipe::Fix, Pipe::M, 1),
    (Pipe::Mte1, Pipe::Mte2, SCALES),
    (Pipe::Fix, Pipe::Mte1, SCALES),
    (Pipe::Mte1, Pipe::Mte2, BIAS),
    (Pipe::M, Pipe::Mte1, BIAS),
];

/// All buffers are free at the start.
fn open(builder: &mut ProgramBuilder) {
    for (src, dst, id) in FREE {
        builder.set(src, dst, id);
    }
}

/// And at the end.
fn close(builder: &mut ProgramBuilder) {
    for (src, dst, id) in FREE {
        builder.wait(src, dst, id);
    }
}
