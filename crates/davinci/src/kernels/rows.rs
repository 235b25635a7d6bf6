//! Kernels of the vector cores that work row by row: norms, activations, rotary embedding, softmax, quantisation.
//!
//! ```text
//! MTE2  | rows 0 | rows 1 | rows 2 …      UB halves  0 1 0
//! V              | rows 0 | rows 1 …
//! MTE3                    | rows 0 …
//! ```

mod dequantise;
mod frame;
mod quantise;
mod rms_norm;
mod rope;
mod softmax;
mod swiglu;

pub use dequantise::dequantise;
pub use quantise::quantise;
pub use rms_norm::rms_norm;
pub use rope::rope;
pub use softmax::softmax;
pub use swiglu::swiglu;

use vitruvian_diagnostics::Diagnostics;

use crate::isa::Type;
use crate::kernel::Kernel;
use crate::machine::Machine;

/// A matrix that a row kernel works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowShape {
    /// Rows.
    pub rows: u32,
    /// Elements a row.
    pub width: u32,
    /// Type in GM: `F16`, `Bf16` or `F32`. Arithmetic is fp32.
    pub ty: Type,
}

/// A kernel, unless a row does not fit UB.
pub type RowKernel = Result<Kernel, Diagnostics>;

/// What is done to each row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RowKind {
    /// [`softmax`].
    Softmax,
    /// [`rms_norm`].
    RmsNorm {
        /// Added to the mean square.
        epsilon: f32,
    },
    /// [`rope`].
    Rope,
    /// [`swiglu`].
    Swiglu,
    /// [`quantise`].
    Quantise,
}

impl RowKind {
    /// The kernel.
    ///
    /// # Errors
    /// If a row does not fit UB.
    pub fn kernel(self, machine: &Machine, shape: RowShape) -> RowKernel {
        match self {
            Self::Softmax => softmax(machine, shape),
            Self::RmsNorm { epsilon } => rms_norm(machine, shape, epsilon),
            Self::Rope => rope(machine, shape),
            Self::Swiglu => swiglu(machine, shape),
            Self::Quantise => quantise(machine, shape),
        }
    }
}
