//! Kernels of the vector cores.

use clap::{Args, ValueEnum};
use vitruvian_davinci::answer;
use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::rows::{RowKind, RowShape};
use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use super::{Common, machine, options, shown};
use crate::answer::Answer;

/// What models commonly add to the mean square.
pub(super) const RMS_NORM: RowKind = RowKind::RmsNorm { epsilon: 1e-6 };

/// Arguments of a kernel that works row by row.
#[derive(Debug, Args)]
pub(crate) struct RowArgs {
    /// Rows
    #[arg(long)]
    rows: u32,
    /// Values a row
    #[arg(long)]
    width: u32,
    /// Type in memory; arithmetic is fp32
    #[arg(long, value_enum, default_value_t, value_name = "TYPE")]
    dtype: DtypeArg,
    #[command(flatten)]
    common: Common,
}

/// Types of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum DtypeArg {
    #[default]
    Bf16,
    Fp16,
    Fp32,
}

pub(super) fn run(arguments: &RowArgs, kind: RowKind) -> Result<Answer, Diagnostics> {
    if arguments.rows == 0 || arguments.width == 0 || !arguments.width.is_multiple_of(GRAIN) {
        let message = format!("a row kernel needs rows, and a width that is a multiple of {GRAIN}");
        return Err(Diagnostic::error("kernel-shape", message).into());
    }
    let machine = machine(&arguments.common)?;
    let shape = RowShape { rows: arguments.rows, width: arguments.width, ty: arguments.dtype.ty() };
    let run = answer::rows(&machine, kind, shape, options(&arguments.common))?;
    Ok(shown(&machine, &run, &arguments.common))
}

/// Halves of a rotated row start on blocks of 32 bytes.
const GRAIN: u32 = 16;

impl DtypeArg {
    fn ty(self) -> Type {
        match self {
            Self::Bf16 => Type::Bf16,
            Self::Fp16 => Type::F16,
            Self::Fp32 => Type::F32,
        }
    }
}
