//! Writing a checkpoint in one scheme, or in the scheme of each layer.

use std::collections::BTreeMap;

use vitruvian_compression::checkpoint::Weight;
use vitruvian_compression::export::{Export, Recipe, Style, Target, Written};
use vitruvian_compression::recipe::{Rounder, Treatment, treat};
use vitruvian_compression::{Checkpoint, Matrix, quantise};
use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use super::measured::{recipe_of, rounded};
use super::variant::{Variant, named};
use super::{CompressStudy, refused};

/// What to write.
pub struct WriteStudy<'a> {
    /// The checkpoint, method and texts.
    pub study: &'a CompressStudy<'a>,
    /// The scheme of all linear layers that are not named.
    pub scheme: Option<String>,
    /// Schemes by module; `bf16` keeps one.
    pub layers: BTreeMap<String, String>,
    /// The dialect; nothing for the one in which engines expect the scheme.
    pub style: Option<Style>,
}

/// Writes the checkpoint through `target`.
///
/// # Errors
/// A scheme or method that cannot be written, everything that [`Export::new`] and [`Export::write`] refuse.
pub fn write(study: &WriteStudy<'_>, target: &mut dyn Target) -> Result<Written, Diagnostics> {
    let variants = Variants::of(study)?;
    let style = style(study, &variants);
    let choose = |weight: &Weight| variants.of_module(&weight.module).and_then(|variant| variant.recipe);
    let checkpoint: &Checkpoint = study.study.checkpoint;
    let mut export = Export::new(checkpoint, style, choose)?;
    let any = variants.default.as_ref().or_else(|| variants.named.values().next());
    let Some(any) = any else { return Err(refused("write-scheme", "no scheme is named to write")) };
    let how = recipe_of(study.study, any).map_err(|what| refused("method-unknown", what))?;
    let whole = how.smooth.is_some() || how.rotate.is_some();
    let recorded = study.study.statistics.filter(|_| how.needs_inputs());
    let ready = match (&study.study.texts, whole || (how.needs_inputs() && recorded.is_none())) {
        (None, true) if recorded.is_none() => return Err(needs_text(&how.to_string())),
        (_, true) => {
            let mut recipe = how.clone();
            recipe.formats.named = variants.formats(checkpoint)?;
            Some(rounded(study.study, &recipe)?)
        }
        (_, false) => None,
    };
    let (ready, changed) = ready.map_or_else(Default::default, |ready| (ready.rounded, ready.changed));
    export
        .replace(changed)
        .map_err(|what| refused("write-method", format!("{how} cannot be written: {what}")))?;
    let mut round = |weight: &Weight, matrix: Matrix, recipe: &Recipe| {
        if let Some(quantised) = ready.get(&weight.tensor) {
            return Ok(quantised.clone());
        }
        if how.prune.is_none() && how.round == Rounder::Nearest {
            return quantise(&matrix, &recipe.scheme);
        }
        let treatment = Treatment { prune: how.prune, round: Some((how.round, recipe.scheme)) };
        let seen = recorded.map(|recorded| recorded.of(&weight.tensor)).transpose()?;
        treat(matrix, seen.as_ref(), &treatment)?.quantised.ok_or_else(|| "nothing was rounded".to_owned())
    };
    Ok(export.write(target, &mut round)?)
}

/// Schemes by module.
struct Variants {
    default: Option<Variant>,
    named: BTreeMap<String, Variant>,
}

impl Variants {
    fn of(study: &WriteStudy<'_>) -> Result<Self, Diagnostics> {
        let read = |name: &str| named(name, study.study.group);
        let default = study.scheme.as_deref().map(read).transpose()?;
        let named = study.layers.iter().map(|(module, name)| Ok((module.clone(), read(name)?)));
        Ok(Self { default, named: named.collect::<Result<_, Diagnostic>>()? })
    }

    fn of_module(&self, module: &str) -> Option<&Variant> {
        self.named.get(module).or(self.default.as_ref())
    }

    /// The format of each weight, for methods that work on the whole model.
    fn formats(
        &self,
        checkpoint: &Checkpoint,
    ) -> Result<BTreeMap<String, Option<vitruvian_compression::Scheme>>, Diagnostics> {
        let weights = checkpoint.weights()?;
        let format = |weight: Weight| {
            let recipe = self.of_module(&weight.module).and_then(|variant| variant.recipe);
            (weight.tensor, recipe.map(|recipe| recipe.scheme))
        };
        Ok(weights.into_iter().map(format).collect())
    }
}

/// One dialect for all: `DeepSeek`'s where every layer fits it, else compressed-tensors.
fn style(study: &WriteStudy<'_>, variants: &Variants) -> Style {
    let all = || variants.default.iter().chain(variants.named.values()).filter_map(|variant| variant.recipe);
    let block = all().all(|recipe| recipe.style() == Style::Fp8Block);
    study.style.unwrap_or(if block { Style::Fp8Block } else { Style::CompressedTensors })
}

fn needs_text(method: &str) -> Diagnostics {
    Diagnostic::error("calibration-missing", format!("the method {method} needs activations"))
        .help("give a text to calibrate on with --calibration or what was recorded with --statistics, or use rtn, clip or hqq")
        .into()
}
