//! Work of the vector units.

use vitruvian_quantity::{Bytes, Dtype, Flops};

/// Work of the vector units over `rows` × `width` elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VectorOp {
    /// What is done.
    pub kind: VectorKind,
    /// Rows: tokens, or tokens × heads.
    pub rows: u32,
    /// Elements a row.
    pub width: u32,
    /// Format of the elements.
    pub dtype: Dtype,
}

/// What a vector operator does. Reads and writes are in elements of its `width`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VectorKind {
    /// `RMSNorm` or `LayerNorm`: one read, one write.
    Norm,
    /// Norm of a sum, the sum kept: two reads, two writes.
    AddNorm,
    /// Rotary embedding in place: one read, one write.
    Rope,
    /// Gated activation such as `SwiGLU`; `width` is the output width: two reads, one write.
    GatedActivation,
    /// Plain activation: one read, one write.
    Activation,
    /// Sum of two: two reads, one write.
    Add,
    /// Element-wise product with a gate: two reads, one write.
    Gate,
    /// Dynamic quantisation to 8 bits: one read, half a write.
    Quantise,
    /// Router scores to weights and indices over `width` experts: one read.
    TopK,
    /// Gather of token rows into expert order: one read, one write.
    Permute,
    /// Weighted sum of expert outputs back to token order: one read, one write.
    Unpermute,
    /// Copy of new keys and values into the paged cache: one read in 16 bits, one write in the cache's format.
    CacheWrite,
}

impl VectorOp {
    /// Elements: rows · width.
    pub fn elements(&self) -> f64 {
        f64::from(self.rows) * f64::from(self.width)
    }

    /// Operations an element, by kind; order of magnitude, since these kernels are bound by memory or launch.
    pub fn flops(&self) -> Flops {
        let each = match self.kind {
            VectorKind::Norm => 4.0,
            VectorKind::AddNorm | VectorKind::GatedActivation => 5.0,
            VectorKind::Rope | VectorKind::Activation | VectorKind::TopK => 3.0,
            VectorKind::Quantise | VectorKind::Unpermute => 2.0,
            VectorKind::Add | VectorKind::Gate => 1.0,
            VectorKind::Permute | VectorKind::CacheWrite => 0.0,
        };
        Flops::new(each * self.elements())
    }

    /// Reads and writes as [`VectorKind`] lists them.
    pub fn bytes(&self) -> Bytes {
        let one = self.dtype.bytes();
        let each = match self.kind {
            VectorKind::AddNorm => 4.0 * one,
            VectorKind::GatedActivation | VectorKind::Add | VectorKind::Gate => 3.0 * one,
            VectorKind::Quantise => 1.5 * one,
            VectorKind::TopK => one,
            VectorKind::CacheWrite => 2.0 + one,
            VectorKind::Norm
            | VectorKind::Rope
            | VectorKind::Activation
            | VectorKind::Permute
            | VectorKind::Unpermute => 2.0 * one,
        };
        Bytes::new(each * self.elements())
    }
}
