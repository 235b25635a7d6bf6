//! How weights and activations are stored and multiplied.

use std::fmt;
use std::str::FromStr;

use vitruvian_quantity::Dtype;

/// A quantisation scheme of a linear layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// 16-bit brain float throughout.
    Bf16,
    /// 16-bit half float throughout.
    Fp16,
    /// FP8 weights in 128×128 blocks, activations quantised per 1×128 tile at run time (`DeepSeek` recipe).
    Fp8Block,
    /// FP8 weights and activations, one scale a tensor or channel.
    Fp8Tensor,
    /// INT8 weights and activations, activation scales fixed beforehand.
    W8A8Static,
    /// INT8 weights and activations, activation scales per token at run time.
    W8A8Dynamic,
    /// 8-bit weights, 16-bit activations and multiplier.
    W8A16,
    /// 4-bit integer weights, 16-bit activations and multiplier.
    W4A16,
    /// 4-bit integer weights, 8-bit activations and multiplier.
    W4A8,
    /// OCP MXFP8 weights and activations.
    Mxfp8,
    /// OCP MXFP4 weights, 16-bit activations.
    Mxfp4,
    /// NVIDIA NVFP4 weights and activations.
    Nvfp4,
}

/// Structured sparsity of a weight matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sparsity {
    /// None.
    #[default]
    Dense,
    /// Two of four kept (NVIDIA 2:4).
    TwoOfFour,
    /// Two of four kept with an index matrix (Da Vinci 4:2).
    FourToTwo,
}

impl Scheme {
    /// All schemes, in declaration order.
    pub const ALL: [Self; 12] = [
        Self::Bf16,
        Self::Fp16,
        Self::Fp8Block,
        Self::Fp8Tensor,
        Self::W8A8Static,
        Self::W8A8Dynamic,
        Self::W8A16,
        Self::W4A16,
        Self::W4A8,
        Self::Mxfp8,
        Self::Mxfp4,
        Self::Nvfp4,
    ];

    /// The name used in files and on the command line: `"fp8-block"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bf16 => "bf16",
            Self::Fp16 => "fp16",
            Self::Fp8Block => "fp8-block",
            Self::Fp8Tensor => "fp8",
            Self::W8A8Static => "w8a8",
            Self::W8A8Dynamic => "w8a8-dynamic",
            Self::W8A16 => "w8a16",
            Self::W4A16 => "w4a16",
            Self::W4A8 => "w4a8",
            Self::Mxfp8 => "mxfp8",
            Self::Mxfp4 => "mxfp4",
            Self::Nvfp4 => "nvfp4",
        }
    }

    /// Format the weights are stored in.
    pub const fn weight(self) -> Dtype {
        match self {
            Self::Bf16 => Dtype::Bf16,
            Self::Fp16 => Dtype::Fp16,
            Self::Fp8Block | Self::Fp8Tensor => Dtype::Fp8,
            Self::W8A8Static | Self::W8A8Dynamic | Self::W8A16 => Dtype::Int8,
            Self::W4A16 | Self::W4A8 => Dtype::Int4,
            Self::Mxfp8 => Dtype::Mxfp8,
            Self::Mxfp4 => Dtype::Mxfp4,
            Self::Nvfp4 => Dtype::Nvfp4,
        }
    }

    /// Format the activations are multiplied in.
    pub const fn activation(self) -> Dtype {
        match self {
            Self::Fp16 => Dtype::Fp16,
            Self::Bf16 | Self::W8A16 | Self::W4A16 | Self::Mxfp4 => Dtype::Bf16,
            Self::Fp8Block | Self::Fp8Tensor => Dtype::Fp8,
            Self::W8A8Static | Self::W8A8Dynamic | Self::W4A8 => Dtype::Int8,
            Self::Mxfp8 => Dtype::Mxfp8,
            Self::Nvfp4 => Dtype::Nvfp4,
        }
    }

    /// Whether activations are quantised by a kernel at run time.
    pub const fn quantises_activations(self) -> bool {
        matches!(
            self,
            Self::Fp8Block
                | Self::Fp8Tensor
                | Self::W8A8Static
                | Self::W8A8Dynamic
                | Self::W4A8
                | Self::Mxfp8
                | Self::Nvfp4
        )
    }

    /// Bytes of one stored weight, shared scales included: 128×128 blocks carry one fp32, 4-bit integers one bf16 every 128.
    pub const fn weight_bytes(self) -> f64 {
        match self {
            Self::Fp8Block => 1.0 + 4.0 / (128.0 * 128.0),
            Self::W4A16 | Self::W4A8 => 0.5 + 2.0 / 128.0,
            other => other.weight().bytes(),
        }
    }

    /// Bytes of one weight of a matrix in this scheme, of which a structured sparsity keeps a share and its index.
    pub const fn stored_bytes(self, sparsity: Sparsity) -> f64 {
        sparsity.kept() * (self.weight_bytes() + sparsity.index_bits() / 8.0)
    }

    /// The 16-bit scheme of what stays unquantised beside this one: router, norms, embedding.
    #[must_use]
    pub const fn sixteen_bit(self) -> Self {
        match self {
            Self::Fp16 => Self::Fp16,
            _ => Self::Bf16,
        }
    }
}

impl Sparsity {
    /// Share of the weights that is stored.
    pub const fn kept(self) -> f64 {
        match self {
            Self::Dense => 1.0,
            Self::TwoOfFour | Self::FourToTwo => 0.5,
        }
    }

    /// Bits of index stored per kept weight: two each, the position in its group of four.
    pub const fn index_bits(self) -> f64 {
        match self {
            Self::Dense => 0.0,
            Self::TwoOfFour | Self::FourToTwo => 2.0,
        }
    }

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dense => "dense",
            Self::TwoOfFour => "2:4",
            Self::FourToTwo => "4:2",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Sparsity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scheme {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|scheme| scheme.name() == text);
        let names = || Self::ALL.map(Self::name).join(", ");
        found.ok_or_else(|| format!("`{text}` is not a precision: use one of {}", names()))
    }
}

impl FromStr for Sparsity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Dense, Self::TwoOfFour, Self::FourToTwo];
        let found = all.into_iter().find(|sparsity| sparsity.name() == text);
        found.ok_or_else(|| format!("`{text}` is not a sparsity: use one of dense, 2:4, 4:2"))
    }
}
