//! The instruction set: one variant an instruction family, named as the vendor's published intrinsics.
//!
//! An instruction is `Copy` data. Extents are immediates; only addresses may use a scalar register, so the cost of an
//! instruction is known before a program runs.

mod address;
mod copy;
mod cube;
mod patches;
mod pipe;
mod sync;
mod types;
mod vector;

pub use address::{Address, Reg, Space};
pub use copy::{Burst, Fixpipe, FractalLoad, Layout, Move, Nd2Nz, Quant, Side};
pub use cube::{Accumulate, Mmad};
pub use patches::{Img2col, Patches};
pub use pipe::Pipe;
pub use sync::{CrossMode, EventId, Sync};
pub use types::Type;
pub use vector::{Condition, Mask, Strides, Vector, VectorOp};

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instruction {
    /// `mov x1, 64`: a scalar register takes a value.
    Mov {
        /// Register written.
        dst: Reg,
        /// Its value.
        value: i64,
    },
    /// `add x1, x2, 64`: scalar addition of an immediate.
    AddImmediate {
        /// Register written.
        dst: Reg,
        /// Register read.
        src: Reg,
        /// Added.
        value: i64,
    },
    /// `add x1, x2, x3`: scalar addition.
    Add {
        /// Register written.
        dst: Reg,
        /// First operand.
        a: Reg,
        /// Second operand.
        b: Reg,
    },
    /// `mul x1, x2, 64`: scalar multiplication by an immediate.
    Mul {
        /// Register written.
        dst: Reg,
        /// Register read.
        src: Reg,
        /// Factor.
        value: i64,
    },
    /// `loop 16`: the instructions up to the matching `end` run `count` times.
    Loop {
        /// Times the body runs; at least one.
        count: u32,
    },
    /// `end`: closes the innermost `loop`.
    End,
    /// A strided copy of contiguous bursts.
    Burst(Burst),
    /// Row-major to fractal layout on the way from GM to L1.
    Nd2Nz(Nd2Nz),
    /// L1 to L0A or L0B.
    FractalLoad(FractalLoad),
    /// L1 to L0A or L0B, as patches of a feature map.
    Img2col(Img2col),
    /// L0C to GM or L1, with conversion.
    Fixpipe(Fixpipe),
    /// Matrix multiply-accumulate.
    Mmad(Mmad),
    /// Vector arithmetic on UB.
    Vector(Vector),
    /// Flags and barriers.
    Sync(Sync),
}

impl Instruction {
    /// The queue the instruction goes to.
    pub fn pipe(&self) -> Pipe {
        match self {
            Self::Burst(burst) => burst.route.pipe(),
            Self::Nd2Nz(_) => Pipe::Mte2,
            Self::FractalLoad(_) | Self::Img2col(_) => Pipe::Mte1,
            Self::Fixpipe(_) => Pipe::Fix,
            Self::Mmad(_) => Pipe::M,
            Self::Vector(_) => Pipe::V,
            Self::Sync(sync) => sync.pipe(),
            _ => Pipe::S,
        }
    }
}
