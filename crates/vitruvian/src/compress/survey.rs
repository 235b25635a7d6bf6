//! One pass over the weights: what each scheme loses of each linear layer.

use std::collections::BTreeSet;

use rayon::prelude::*;
use vitruvian_compression::checkpoint::Weight;
use vitruvian_compression::export::is_linear;
use vitruvian_compression::format::check_finite;
use vitruvian_compression::method::magnitude;
use vitruvian_compression::{Checkpoint, Energy, Matrix, quantise};
use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use super::answer::LayerAnswer;
use super::variant::Variant;
use super::{finite, refused};

/// What each scheme loses.
pub(crate) struct Survey {
    /// The schemes that fit every linear layer.
    pub(crate) variants: Vec<Variant>,
    /// The linear layers.
    pub(crate) weights: Vec<Weight>,
    /// Energies by layer and scheme.
    energies: Vec<Vec<Energy>>,
    /// Schemes that were left out, and why.
    pub(crate) left_out: Vec<String>,
}

impl Survey {
    /// Reads each linear layer once and rounds it to every scheme. A suggested scheme that does not fit is left out.
    pub(crate) fn of(
        checkpoint: &Checkpoint,
        asked: &[Variant],
        suggested: bool,
    ) -> Result<Self, Diagnostics> {
        let weights = checkpoint.weights()?;
        let weights: Vec<Weight> =
            weights.into_iter().filter(|weight| is_linear(checkpoint, weight)).collect();
        if weights.is_empty() {
            return Err(refused("no-linear-layer", "the checkpoint has no linear layers to quantise"));
        }
        let (variants, left_out) = fitting(asked, &weights, suggested)?;
        let linear: BTreeSet<&str> = weights.iter().map(|weight| weight.tensor.as_str()).collect();
        let others = checkpoint.tensors().keys().filter(|name| !linear.contains(name.as_str()));
        others.map(String::as_str).try_for_each(|name| checkpoint.check_finite(name))?;
        let mut energies = Vec::with_capacity(weights.len());
        for weight in &weights {
            let matrix = checkpoint.matrix(&weight.tensor)?;
            let lost: Result<Vec<Energy>, String> =
                variants.par_iter().map(|variant| energy(&matrix, variant)).collect();
            energies.push(lost.map_err(|what| {
                Diagnostic::error("weight", format!("`{}` cannot be quantised: {what}", weight.tensor))
            })?);
        }
        Ok(Self { variants, weights, energies, left_out })
    }

    /// Elements of the linear layers.
    pub(crate) fn parameters(&self) -> u64 {
        self.weights.iter().map(|weight| (weight.rows * weight.cols) as u64).sum()
    }

    /// Energies of all layers together.
    pub(crate) fn total(&self, variant: usize) -> Energy {
        let mut total = Energy::default();
        self.energies.iter().for_each(|energies| total += energies[variant]);
        total
    }

    /// `Σ(w − w')² / Σw²` of one layer.
    pub(crate) fn relative(&self, weight: usize, variant: usize) -> f64 {
        self.energies[weight][variant].relative()
    }

    /// Bits of a weight, mean of all.
    pub(crate) fn bits_per_weight(&self, variant: usize) -> f64 {
        let bits =
            |weight: &Weight| bits(&self.variants[variant], weight) * (weight.rows * weight.cols) as f64;
        self.weights.iter().map(bits).sum::<f64>() / self.parameters() as f64
    }

    /// Bytes that the scheme saves against 16 bits.
    pub(crate) fn saved_bytes(&self, variant: usize) -> f64 {
        (16.0 - self.bits_per_weight(variant)) / 8.0 * self.parameters() as f64
    }

    /// The layer that loses most.
    pub(crate) fn worst(&self, variant: usize) -> Option<String> {
        let relative = |index: &usize| self.relative(*index, variant);
        let worst = (0..self.weights.len()).max_by(|a, b| relative(a).total_cmp(&relative(b)))?;
        (relative(&worst) > 0.0).then(|| self.weights[worst].module.clone())
    }

    /// Every layer's error.
    pub(crate) fn layers(&self) -> Vec<LayerAnswer> {
        let layer = |(weight, energies): (&Weight, &Vec<Energy>)| LayerAnswer {
            module: weight.module.clone(),
            rows: weight.rows as u64,
            cols: weight.cols as u64,
            sqnr_db: energies.iter().map(|energy| finite(energy.sqnr_db())).collect(),
        };
        self.weights.iter().zip(&self.energies).map(layer).collect()
    }
}

/// Bits of one weight of a layer: of zeros only an index of two bits a kept weight is stored.
fn bits(variant: &Variant, weight: &Weight) -> f64 {
    let each = variant.recipe.map_or(16.0, |recipe| recipe.scheme.bits_per_weight(weight.rows, weight.cols));
    variant.sparsity.kept() * (each + variant.sparsity.index_bits())
}

/// The schemes whose groups divide every layer.
fn fitting(
    asked: &[Variant],
    weights: &[Weight],
    suggested: bool,
) -> Result<(Vec<Variant>, Vec<String>), Diagnostics> {
    let (mut kept, mut left_out, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for variant in asked {
        let unfit = weights.iter().find_map(|weight| Some((weight, unfit(variant, weight)?)));
        match unfit {
            None => kept.push(variant.clone()),
            Some((weight, what)) if suggested => {
                left_out.push(format!("{} is left out: `{}` has {what}", variant.name, weight.module));
            }
            Some((weight, what)) => faults.push(
                Diagnostic::error(
                    "shape-group",
                    format!("`{}` cannot be quantised to {}: {what}", weight.module, variant.name),
                )
                .help("choose a --group that divides its columns, or another scheme"),
            ),
        }
    }
    if faults.is_empty() { Ok((kept, left_out)) } else { Err(Diagnostics(faults)) }
}

fn unfit(variant: &Variant, weight: &Weight) -> Option<String> {
    let scheme =
        variant.recipe.and_then(|recipe| recipe.scheme.granularity.shape(weight.rows, weight.cols).err());
    scheme.or_else(|| variant.pattern().and_then(|pattern| pattern.check(weight.cols).err()))
}

/// What a scheme loses of a matrix: zeros by magnitude, then rounding to nearest.
fn energy(matrix: &Matrix, variant: &Variant) -> Result<Energy, String> {
    let pruned = match variant.pattern() {
        None => None,
        Some(pattern) => {
            let mut pruned = matrix.clone();
            magnitude(&mut pruned, pattern)?;
            Some(pruned)
        }
    };
    let kept = pruned.as_ref().unwrap_or(matrix);
    match variant.recipe {
        Some(recipe) => Ok(quantise(kept, &recipe.scheme)?.energy(matrix)),
        None => plain(matrix, kept),
    }
}

/// What zeros alone lose.
fn plain(matrix: &Matrix, kept: &Matrix) -> Result<Energy, String> {
    check_finite(matrix)?;
    if std::ptr::eq(matrix, kept) {
        return Ok(Energy::default());
    }
    let square = |value: f32| f64::from(value) * f64::from(value);
    Ok(Energy {
        signal: matrix.data.iter().map(|weight| square(*weight)).sum(),
        noise: matrix.data.iter().zip(&kept.data).map(|(weight, kept)| square(weight - kept)).sum(),
    })
}
