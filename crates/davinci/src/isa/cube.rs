//! The cube.

use super::{Address, Type};

/// What the accumulator starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accumulate {
    /// Zero.
    Init,
    /// What L0C holds.
    Add,
    /// One value a column, from the bias table.
    Bias(Address),
}

/// `mmad`: C\[m,n\] (+)= A\[m,k\] · B\[k,n\], fp32 or int32 accumulation.
///
/// C is in L0C in NZ order of 16 × 16 fractals: element (m, n) at `(n/16)·⌈M/16⌉·256 + m·16 + n%16`.
///
/// Order of accumulation: k ascending in fractals of 32 B; the products of a fractal are summed in ascending k from
/// zero in the accumulator's type, and the sum is then added to C, rounding to nearest even at each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mmad {
    /// Accumulator, in L0C.
    pub dst: Address,
    /// Left operand, in L0A.
    pub a: Address,
    /// Right operand, in L0B.
    pub b: Address,
    /// Rows.
    pub m: u32,
    /// Depth, before compression.
    pub k: u32,
    /// Columns.
    pub n: u32,
    /// Type of the operands.
    pub ty: Type,
    /// What the accumulator starts from.
    pub accumulate: Accumulate,
    /// `mmad_sparse`: B holds two of every four k, with indices.
    pub sparse: bool,
}
