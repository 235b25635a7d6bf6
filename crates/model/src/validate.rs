//! Whether a layout divides a model.

use std::error::Error;
use std::fmt;

use crate::ffn::{Ffn, Moe};
use crate::layout::Layout;
use crate::mixer::{Linear, Mixer};
use crate::model::{Layer, Model};
use crate::quant::QuantPlan;
use crate::scheme::Scheme;
use crate::weights::Module;

/// Why a layout does not fit a model's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutError {
    /// A degree is zero.
    ZeroDegree {
        /// Which degree.
        degree: &'static str,
    },
    /// A number of parts cannot be shared out equally.
    Indivisible {
        /// What is shared out: `"query heads"`.
        what: &'static str,
        /// How many there are.
        value: u32,
        /// Which degree shares them out.
        degree: &'static str,
        /// That degree.
        by: u32,
    },
    /// More pipeline stages than layers.
    Stages {
        /// Stages.
        pp: u32,
        /// Layers.
        layers: u32,
    },
    /// A rank's share cuts a block of weights that share a scale.
    SplitBlock {
        /// What is cut: `"columns of an expert"`.
        what: &'static str,
        /// How many of them a rank has.
        width: u32,
    },
    /// Expert parallelism without experts.
    NoExperts {
        /// Expert-parallel degree.
        ep: u32,
    },
}

/// Rows and columns of weights that share a scale in block-scaled FP8.
const BLOCK: u32 = 128;

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroDegree { degree } => write!(f, "{degree} is zero"),
            Self::Indivisible { what, value, degree, by } => {
                write!(f, "{value} {what} do not divide by {degree}{by}")
            }
            Self::Stages { pp, layers } => write!(f, "{pp} pipeline stages for {layers} layers"),
            Self::SplitBlock { what, width } => {
                write!(f, "{width} {what} on a rank are not whole blocks of {BLOCK} that share a scale")
            }
            Self::NoExperts { ep } => write!(f, "EP{ep} for a model without experts"),
        }
    }
}

impl Error for LayoutError {}

/// Checks that every shape divides by the layout's degrees. Key-value heads may be fewer than TP ranks if these divide.
pub fn validate(model: &Model, layout: Layout) -> Result<(), LayoutError> {
    let Layout { tp, pp, dp, ep, cp } = layout;
    for (degree, value) in [("TP", tp), ("PP", pp), ("DP", dp), ("EP", ep), ("CP", cp)] {
        if value == 0 {
            return Err(LayoutError::ZeroDegree { degree });
        }
    }
    if pp as usize > model.depth() {
        return Err(LayoutError::Stages { pp, layers: model.depth() as u32 });
    }
    if ep > 1 && !model.kinds.iter().any(|layer| matches!(layer.ffn, Ffn::Moe(_))) {
        return Err(LayoutError::NoExperts { ep });
    }
    divides("ranks of an expert layer", layout.expert_ranks(), "EP", ep)?;
    let drafting = model.mtp.iter().flat_map(|mtp| &mtp.layers);
    model.kinds.iter().chain(drafting).try_for_each(|layer| validate_layer(layer, layout))
}

/// Checks that the shares of the ranks are whole 128 × 128 blocks where a plan scales weights by such blocks; serving
/// engines refuse others.
pub fn validate_blocks(model: &Model, plan: &QuantPlan, layout: Layout) -> Result<(), LayoutError> {
    let blocks = |module, what, width: u32, ranks: u32| {
        let whole = plan.scheme(module) != Scheme::Fp8Block || (width / ranks).is_multiple_of(BLOCK);
        if whole { Ok(()) } else { Err(LayoutError::SplitBlock { what, width: width / ranks }) }
    };
    model.kinds.iter().try_for_each(|layer| match layer.ffn {
        Ffn::None => Ok(()),
        Ffn::Dense(dense) => {
            blocks(Module::DenseFfn, "columns of the feed-forward layer", dense.width, layout.tp)
        }
        Ffn::Moe(moe) => {
            blocks(Module::Experts, "columns of an expert", moe.width, layout.expert_tp())?;
            blocks(Module::SharedExperts, "columns of the shared experts", moe.shared, layout.shared_tp())
        }
    })
}

fn validate_layer(layer: &Layer, layout: Layout) -> Result<(), LayoutError> {
    let tp = layout.tp;
    match &layer.mixer {
        Mixer::None => Ok(()),
        Mixer::Attention(shape) => {
            divides("query heads", shape.heads, "TP", tp)?;
            whole_heads("key-value heads", shape.kv_heads, tp)
        }
        Mixer::Mla(shape) => divides("query heads", shape.heads, "TP", tp),
        Mixer::Compressed(shape) => {
            divides("query heads", shape.heads, "TP", tp)?;
            divides("output groups", shape.o_groups, "TP", tp)
        }
        Mixer::Linear(shape) => validate_linear(shape, tp),
    }?;
    match &layer.ffn {
        Ffn::None => Ok(()),
        Ffn::Dense(dense) => divides("columns of the feed-forward layer", dense.width, "TP", tp),
        Ffn::Moe(moe) => validate_moe(moe, layout),
    }
}

fn validate_linear(shape: &Linear, tp: u32) -> Result<(), LayoutError> {
    divides("value heads", shape.value_heads, "TP", tp)?;
    whole_heads("key heads", shape.key_heads, tp)
}

fn validate_moe(moe: &Moe, layout: Layout) -> Result<(), LayoutError> {
    divides("routed experts", moe.experts, "EP", layout.ep)?;
    divides("columns of an expert", moe.width, "expert TP", layout.expert_tp())?;
    divides("columns of the shared experts", moe.shared, "TP", layout.shared_tp())
}

/// Heads share out over ranks, or ranks over heads.
fn whole_heads(what: &'static str, heads: u32, tp: u32) -> Result<(), LayoutError> {
    if tp > heads && tp.is_multiple_of(heads) { Ok(()) } else { divides(what, heads, "TP", tp) }
}

fn divides(what: &'static str, value: u32, degree: &'static str, by: u32) -> Result<(), LayoutError> {
    if value.is_multiple_of(by) { Ok(()) } else { Err(LayoutError::Indivisible { what, value, degree, by }) }
}
