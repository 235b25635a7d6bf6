//! Precision recipes: what is multiplied in which format, and what is kept of each parameter.

use vitruvian_model::{QuantPlan, Scheme};

/// Formats of a training job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Recipe {
    /// BF16 products, FP32 master weights, moments and accumulated gradients.
    Bf16,
    /// FP16 products with loss scaling; the same bytes.
    Fp16,
    /// FP8 products of the layers (per-tensor scales), the rest as BF16.
    Fp8,
    /// DeepSeek-V3's recipe (arXiv 2412.19437): block-scaled FP8 products, BF16 moments, FP8 cached activations.
    Fp8Block,
    /// INT8 products of the layers (forward and input gradient); weight gradients stay in BF16.
    Int8,
}

/// Bytes kept of each parameter on a rank that shards nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StateBytes {
    /// The copy that the products read.
    pub parameter: f64,
    /// The accumulated gradient.
    pub gradient: f64,
    /// Master copy and moments.
    pub optimizer: f64,
}

impl StateBytes {
    /// The master copy keeps the 16 bits that the working copy lacks (MindSpeed, `--reuse-fp32-param`).
    #[must_use]
    pub fn with_reused_master(self) -> Self {
        Self { optimizer: self.optimizer - self.parameter, ..self }
    }
}

impl Recipe {
    /// All of them with their names.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("bf16", Self::Bf16),
        ("fp16", Self::Fp16),
        ("fp8", Self::Fp8),
        ("fp8-block", Self::Fp8Block),
        ("int8", Self::Int8),
    ];

    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, value)| *value == self).map_or("", |(name, _)| name)
    }

    /// Formats of the forward and input-gradient products.
    pub fn plan(self) -> QuantPlan {
        QuantPlan::uniform(match self {
            Self::Bf16 => Scheme::Bf16,
            Self::Fp16 => Scheme::Fp16,
            Self::Fp8 => Scheme::Fp8Tensor,
            Self::Fp8Block => Scheme::Fp8Block,
            Self::Int8 => Scheme::W8A8Dynamic,
        })
    }

    /// Format of a weight-gradient product: INT8 leaves too few bits for it.
    pub fn weight_gradient(self, forward: Scheme) -> Scheme {
        if self == Self::Int8 { forward.sixteen_bit() } else { forward }
    }

    /// Bytes of one element of the input that a product keeps for its weight gradient, given its scheme.
    pub fn kept_input(self, scheme: Scheme) -> f64 {
        if self == Self::Int8 { 2.0 } else { f64::from(scheme.activation().bits()) / 8.0 }
    }

    /// Bytes a parameter. Mixed Adam (arXiv 1910.02054): 2 + gradient + master 4 + m 4 + v 4; DeepSeek-V3 keeps the
    /// moments in BF16. `gradient` is what a stack accumulates in: 2 or 4 bytes.
    pub fn states(self, gradient: f64) -> StateBytes {
        let moments = if self == Self::Fp8Block { 2.0 + 2.0 } else { 4.0 + 4.0 };
        StateBytes { parameter: 2.0, gradient, optimizer: 4.0 + moments }
    }
}

impl std::str::FromStr for Recipe {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            format!("there is no training precision `{text}`: use {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_adam_takes_sixteen_bytes_with_short_gradients_and_eighteen_with_long_ones() {
        // 2 + 2 + 4 + 4 + 4 and 2 + 4 + 12
        let sum = |s: StateBytes| s.parameter + s.gradient + s.optimizer;
        assert_eq!(sum(Recipe::Bf16.states(2.0)), 16.0);
        assert_eq!(sum(Recipe::Bf16.states(4.0)), 18.0);
        // DeepSeek-V3: 2 + 4 + 4 + 2 + 2
        assert_eq!(sum(Recipe::Fp8Block.states(4.0)), 14.0);
        // 2 + 4 + (4 − 2) + 4 + 4
        assert_eq!(sum(Recipe::Bf16.states(4.0).with_reused_master()), 16.0);
    }
}
