//! Named recipes: a format of weights, and what engines are told of activations.

use super::Style;
use crate::{Granularity, Grid, ScaleFormat, Scheme, Symmetry};

/// How an engine quantises activations before it multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activations {
    /// Not at all.
    Plain,
    /// At run time, in the grid of the weights, a scale a token.
    Token,
    /// At run time, in the grid of the weights, a scale for so many neighbours.
    Group(usize),
}

/// A format of weights under the name that it has in plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The name of the precision: `w8a8-dynamic`.
    pub name: &'static str,
    /// The format.
    pub scheme: Scheme,
    /// What happens to activations.
    pub activations: Activations,
}

impl Recipe {
    /// Names of all recipes.
    pub const NAMES: [&'static str; 8] =
        ["w8a8-dynamic", "w8a16", "w4a16", "fp8", "fp8-block", "mxfp8", "mxfp4", "nvfp4"];

    /// The recipe of a precision; `group` weights share a scale in `w4a16`.
    pub fn named(name: &str, group: usize) -> Option<Self> {
        let channel = Granularity::Channel;
        let narrow = |scheme: Scheme| Scheme { symmetry: Symmetry::Narrow, ..scheme };
        let (name, scheme, activations) = match name {
            // Activations meet INT8 weights in INT8 products: without −128 the range is symmetric.
            "w8a8-dynamic" => {
                ("w8a8-dynamic", narrow(Scheme::symmetric(Grid::Int8, channel)), Activations::Token)
            }
            "w8a16" => ("w8a16", Scheme::symmetric(Grid::Int8, channel), Activations::Plain),
            "w4a16" => {
                let scheme = Scheme::symmetric(Grid::Int4, Granularity::Group(group));
                ("w4a16", scheme.with_scales(ScaleFormat::Bf16), Activations::Plain)
            }
            "fp8" => ("fp8", Scheme::symmetric(Grid::E4m3, channel), Activations::Token),
            "fp8-block" => ("fp8-block", Scheme::fp8_block(), Activations::Group(128)),
            "mxfp8" => ("mxfp8", Scheme::mxfp8(), Activations::Group(32)),
            "mxfp4" => ("mxfp4", Scheme::mxfp4(), Activations::Plain),
            "nvfp4" => ("nvfp4", Scheme::nvfp4(), Activations::Group(16)),
            _ => return None,
        };
        Some(Self { name, scheme, activations })
    }

    /// Whether a style can express it.
    pub fn fits(&self, style: Style) -> bool {
        match style {
            Style::CompressedTensors => true,
            Style::Fp8Block => self.scheme == Scheme::fp8_block(),
            Style::ModelSlim => {
                self.scheme.grid == Grid::Int8 && self.scheme.granularity == Granularity::Channel
            }
        }
    }

    /// The style that engines of NVIDIA chips load it in.
    pub fn style(&self) -> Style {
        if self.fits(Style::Fp8Block) { Style::Fp8Block } else { Style::CompressedTensors }
    }
}
