//! One matrix: pruned, rounded, or both.

use crate::forward::InputStatistics;
use crate::method::{Pattern, gptq, hqq, magnitude, round_clipped, sparsegpt, sparsegpt_rounded, wanda};
use crate::{Matrix, Quantised, Scheme, quantise};

use super::{Pruner, Rounder};

/// What is done to a matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Treatment {
    /// Which weights become zero.
    pub prune: Option<(Pruner, Pattern)>,
    /// How it is rounded, and to what.
    pub round: Option<(Rounder, Scheme)>,
}

/// What became of a matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Treated {
    /// What the layer multiplies by.
    pub weights: Matrix,
    /// The same as codes and scales, if it was rounded.
    pub quantised: Option<Quantised>,
}

/// Prunes and rounds a matrix, in its own memory where the method changes what it has not settled yet.
///
/// SparseGPT and GPTQ together are one sweep; other pruning comes before rounding, which leaves zeros zero.
///
/// # Errors
/// A weight that is not finite; a method that needs inputs, without them; GPTQ after a pruning that it would undo; a shape
/// that pattern or scheme do not divide.
pub fn treat(
    mut weights: Matrix,
    inputs: Option<&InputStatistics>,
    how: &Treatment,
) -> Result<Treated, String> {
    if let Some((row, col, value)) = weights.first_not_finite() {
        return Err(format!("the weight in row {row}, column {col} is {value}"));
    }
    let needed = |what: &str| inputs.ok_or_else(|| format!("{what} needs calibration inputs"));
    if let (Some((Pruner::SparseGpt(walk), pattern)), Some((Rounder::Gptq(_), scheme))) =
        (how.prune, &how.round)
    {
        return Ok(from_codes(sparsegpt_rounded(weights, needed("SparseGPT")?, pattern, scheme, walk)?));
    }
    match how.prune {
        None => {}
        Some((Pruner::Magnitude, pattern)) => magnitude(&mut weights, pattern)?,
        Some((Pruner::Wanda, pattern)) => wanda(&mut weights, needed("Wanda")?, pattern)?,
        Some((Pruner::SparseGpt(walk), pattern)) => {
            sparsegpt(&mut weights, needed("SparseGPT")?, pattern, walk)?;
        }
    }
    let Some((rounder, scheme)) = &how.round else { return Ok(Treated { weights, quantised: None }) };
    Ok(from_codes(match rounder {
        Rounder::Nearest => quantise(&weights, scheme)?,
        Rounder::Clipped(search) => round_clipped(&weights, scheme, *search)?,
        Rounder::Hqq(figures) => hqq(&weights, scheme, *figures)?,
        Rounder::Gptq(_) if how.prune.is_some() => {
            return Err("GPTQ would move weights that were pruned before it: prune by SparseGPT".to_owned());
        }
        Rounder::Gptq(walk) => gptq(weights, needed("GPTQ")?, scheme, *walk)?,
    }))
}

fn from_codes(quantised: Quantised) -> Treated {
    Treated { weights: quantised.dequantise(), quantised: Some(quantised) }
}
