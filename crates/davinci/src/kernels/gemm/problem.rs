//! What a GEMM computes.

use std::fmt;

use super::image::Image;
use crate::isa::Type;

/// How B lies in GM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Weights {
    /// Row-major n × k: a framework's linear layer.
    RowsOfN,
    /// Row-major k × n.
    RowsOfK,
    /// NZ fractals of the n × k matrix, n padded to 16 and k to the fractal depth: loads need no conversion.
    Nz,
}

/// What happens to the accumulator on its way out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Epilogue {
    /// Conversion to the output type.
    None,
    /// Multiplication by an fp32 scale per column: int8 products back to a float type.
    Dequantise,
    /// Negative values become zero.
    Relu,
}

/// A matrix product C\[m,n\] = A\[m,k\] · B\[k,n\].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GemmProblem {
    /// Rows.
    pub m: u32,
    /// Columns.
    pub n: u32,
    /// Depth.
    pub k: u32,
    /// Type of A and B.
    pub ty: Type,
    /// Type of C; fp32 when K is split, whose partial sums meet in GM.
    pub out: Type,
    /// How B lies.
    pub weights: Weights,
    /// What happens on the way out.
    pub epilogue: Epilogue,
    /// Whether a bias of each column starts the accumulator.
    pub bias: bool,
    /// Whether B keeps two of every four k (int8 only).
    pub sparse: bool,
    /// If A is not a matrix but the patches of an image.
    pub image: Option<Image>,
}

impl GemmProblem {
    /// A plain product with weights as a linear layer has them.
    pub fn new(m: u32, n: u32, k: u32, ty: Type) -> Self {
        let image = None;
        let out = if ty.accumulator() == Type::S32 { Type::S32 } else { ty };
        Self {
            m,
            n,
            k,
            ty,
            out,
            weights: Weights::RowsOfN,
            epilogue: Epilogue::None,
            bias: false,
            sparse: false,
            image,
        }
    }

    /// A convolution with weights of n filters, k in the order of [`Image`].
    pub fn convolution(image: Image, filters: u32, ty: Type) -> Self {
        let pixels = image.rows() * image.columns();
        Self { image: Some(image), ..Self::new(pixels, filters, image.depth(ty), ty) }
    }

    /// Useful operations: 2·m·n·k, without the channels that fill up a group.
    pub fn flops(&self) -> f64 {
        let depth = self.image.map_or(self.k, |image| image.useful_depth());
        2.0 * f64::from(self.m) * f64::from(self.n) * f64::from(depth)
    }

    /// Depth of B as stored: half when sparse.
    pub fn stored_k(&self) -> u32 {
        if self.sparse { self.k / 2 } else { self.k }
    }

    /// Bytes of B.
    pub fn weight_bytes(&self) -> u64 {
        let (n, k) = match self.weights {
            Weights::Nz => {
                (self.n.next_multiple_of(16), self.stored_k().next_multiple_of(self.ty.fractal_depth()))
            }
            _ => (self.n, self.stored_k()),
        };
        (u64::from(n) * u64::from(k) * u64::from(self.ty.bits())).div_ceil(8)
    }

    /// Bytes of A, or of the image.
    pub fn left_bytes(&self) -> u64 {
        let matrix = || (u64::from(self.m) * u64::from(self.k) * u64::from(self.ty.bits())).div_ceil(8);
        self.image.map_or_else(matrix, |image| image.bytes(self.ty))
    }

    /// Bytes of A, B and C.
    pub fn footprint(&self) -> f64 {
        self.left_bytes() as f64 + self.weight_bytes() as f64 + self.written()
    }

    /// Bytes of C.
    pub fn written(&self) -> f64 {
        f64::from(self.m) * f64::from(self.n) * f64::from(self.out.bits()) / 8.0
    }
}

impl fmt::Display for GemmProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gemm {}x{}x{} {}", self.m, self.n, self.k, self.ty.name())
    }
}
