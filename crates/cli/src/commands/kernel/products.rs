//! Kernels of the cube: products, alone, of experts, and of patches.

use clap::{Args, ValueEnum};
use vitruvian_davinci::answer;
use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::gemm::{Epilogue, GemmProblem, Image, Weights};
use vitruvian_davinci::tiling::Menu;
use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use super::{Common, machine, options, shown};
use crate::answer::Answer;

/// Arguments of `kernel gemm`.
#[derive(Debug, Args)]
pub(crate) struct GemmArgs {
    /// Rows of C
    #[arg(long)]
    m: u32,
    /// Columns of C
    #[arg(long)]
    n: u32,
    /// Depth
    #[arg(long)]
    k: u32,
    #[command(flatten)]
    how: How,
    /// Whether B keeps two of every four values along the depth (int8 only)
    #[arg(long)]
    sparse: bool,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `kernel grouped-gemm`.
#[derive(Debug, Args)]
pub(crate) struct GroupedArgs {
    /// Rows of each expert
    #[arg(long, value_delimiter = ',', required = true, value_name = "M,M,...")]
    rows: Vec<u32>,
    /// Columns of C
    #[arg(long)]
    n: u32,
    /// Depth
    #[arg(long)]
    k: u32,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    common: Common,
}

/// Arguments of `kernel convolution`.
#[derive(Debug, Args)]
pub(crate) struct ConvolutionArgs {
    /// Width and height of the image
    #[arg(long)]
    size: u32,
    /// Its channels; memory holds them in groups of 32 bytes
    #[arg(long)]
    channels: u32,
    /// Output channels
    #[arg(long)]
    filters: u32,
    /// Width and height of the kernel
    #[arg(long, default_value_t = 3)]
    kernel: u32,
    /// Distance of neighbouring patches
    #[arg(long, default_value_t = 1)]
    stride: u32,
    /// Pixels added on each side
    #[arg(long, default_value_t = 1)]
    padding: u32,
    /// Distance of neighbouring taps of the kernel
    #[arg(long, default_value_t = 1)]
    dilation: u32,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    common: Common,
}

/// How a product is computed.
#[derive(Debug, Args)]
struct How {
    /// Type of A and B
    #[arg(long, value_enum, default_value_t, value_name = "TYPE")]
    dtype: DtypeArg,
    /// Whether B is stored as NZ fractals
    #[arg(long)]
    nz: bool,
    /// Whether C stays in the accumulator's 32 bits: what a split depth needs
    #[arg(long)]
    wide: bool,
    /// Whether a bias of each column starts the accumulator
    #[arg(long)]
    bias: bool,
    /// What happens to the accumulator on its way out
    #[arg(long, value_enum, default_value_t, value_name = "OPERATION")]
    epilogue: EpilogueArg,
}

/// Types that the cube multiplies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum DtypeArg {
    #[default]
    Bf16,
    Fp16,
    Hf32,
    Fp32,
    Int8,
    Int4,
}

/// What happens to the accumulator on its way out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum EpilogueArg {
    /// Conversion to the output type
    #[default]
    None,
    /// A scale of each column turns integers into fp16
    Dequantise,
    /// Negative values become zero
    Relu,
}

pub(super) fn gemm(arguments: &GemmArgs) -> Result<Answer, Diagnostics> {
    let GemmArgs { m, n, k, sparse, .. } = *arguments;
    let problem = GemmProblem { sparse, ..arguments.how.problem((m, n, k))? };
    if sparse && (problem.ty != Type::S8 || !k.is_multiple_of(SPARSE_GRAIN)) {
        let help = format!("choose --dtype int8 and a depth that is a multiple of {SPARSE_GRAIN}");
        return Err(refused("the cube skips zeros of int8 weights only").help(help).into());
    }
    product(&problem, &arguments.common)
}

/// Depth of a fractal of 4:2 sparse int8 before compression.
const SPARSE_GRAIN: u32 = 64;

pub(super) fn convolution(arguments: &ConvolutionArgs) -> Result<Answer, Diagnostics> {
    let ConvolutionArgs { size, channels, filters, kernel, stride, padding, dilation, .. } = *arguments;
    let image = Image { width: size, height: size, channels, kernel, stride, padding, dilation };
    if !image.is_sound() {
        let message = "the kernel must fit the padded image; sizes are 1 to 32767";
        return Err(refused(message).into());
    }
    let shape = (image.rows() * image.columns(), filters, image.depth(arguments.how.dtype.ty()));
    product(&GemmProblem { image: Some(image), ..arguments.how.problem(shape)? }, &arguments.common)
}

fn product(problem: &GemmProblem, common: &Common) -> Result<Answer, Diagnostics> {
    let machine = machine(common)?;
    let run = answer::gemm(&machine, problem, &Menu::full(), options(common))?;
    Ok(shown(&machine, &run, common))
}

pub(super) fn grouped(arguments: &GroupedArgs) -> Result<Answer, Diagnostics> {
    let machine = machine(&arguments.common)?;
    let one = arguments.how.problem((1, arguments.n, arguments.k))?;
    let problems: Vec<GemmProblem> = arguments.rows.iter().map(|&m| GemmProblem { m, ..one }).collect();
    let run = answer::grouped_gemm(&machine, &problems, &Menu::full(), options(&arguments.common))?;
    Ok(shown(&machine, &run, &arguments.common))
}

impl How {
    fn problem(&self, (m, n, k): (u32, u32, u32)) -> Result<GemmProblem, Diagnostics> {
        if [m, n, k].contains(&0) {
            return Err(refused("a product needs at least one row, column and step of depth").into());
        }
        let plain = GemmProblem::new(m, n, k, self.dtype.ty());
        let integer = plain.ty.accumulator() == Type::S32;
        let epilogue = match self.epilogue {
            EpilogueArg::None => Epilogue::None,
            EpilogueArg::Relu => Epilogue::Relu,
            EpilogueArg::Dequantise if integer => Epilogue::Dequantise,
            EpilogueArg::Dequantise => {
                return Err(refused("only products of integers have a scale to come back from").into());
            }
        };
        let out = match epilogue {
            Epilogue::Dequantise => Type::F16,
            // An HF32 number is an fp32 number in memory.
            _ if self.wide || plain.ty == Type::Hf32 => plain.ty.accumulator(),
            _ => plain.out,
        };
        let weights = if self.nz { Weights::Nz } else { Weights::RowsOfN };
        Ok(GemmProblem { weights, epilogue, bias: self.bias, out, ..plain })
    }
}

fn refused(message: &str) -> Diagnostic {
    Diagnostic::error("kernel-shape", message.to_owned())
}

impl DtypeArg {
    fn ty(self) -> Type {
        match self {
            Self::Bf16 => Type::Bf16,
            Self::Fp16 => Type::F16,
            Self::Hf32 => Type::Hf32,
            Self::Fp32 => Type::F32,
            Self::Int8 => Type::S8,
            Self::Int4 => Type::S4,
        }
    }
}
