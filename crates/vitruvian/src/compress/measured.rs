//! What schemes cost a small model end to end: perplexity and agreement against the original, on the same text.

use std::collections::{BTreeMap, BTreeSet};

use vitruvian_compression::export::{Activations, round_plain};
use vitruvian_compression::forward::{Decoder, DecoderConfig, Network, Precision};
use vitruvian_compression::measure::{perplexity, token_agreement};
use vitruvian_compression::recipe::{self, Assignment, Pruner, Recipe, rotate};
use vitruvian_compression::{Granularity, Grid, Matrix, Quantised, Scheme};
use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use super::variant::Variant;
use super::{CompressStudy, refused};

/// Texts as tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Texts {
    /// Windows that methods are calibrated on.
    pub calibration: Vec<Vec<u32>>,
    /// Where they come from.
    pub calibration_name: String,
    /// Tokens that perplexity is measured on.
    pub held_out: Vec<u32>,
    /// Where they come from.
    pub held_out_name: String,
    /// Tokens of a window.
    pub window: usize,
    /// What a token is: `per byte`, `per token`.
    pub unit: String,
}

/// What was measured.
pub(crate) struct Measured {
    /// Perplexity of the original.
    pub(crate) baseline: f64,
    /// Tokens predicted.
    pub(crate) tokens: u64,
    found: Vec<Option<Found>>,
}

/// One scheme.
pub(crate) struct Found {
    pub(crate) perplexity: f64,
    pub(crate) same_token: f64,
    pub(crate) divergence: f64,
    pub(crate) output_error: Option<f64>,
    /// Relative output error by tensor.
    pub(crate) errors: BTreeMap<String, f64>,
}

impl Measured {
    /// Loads the model, compresses it in each scheme and runs it.
    pub(crate) fn of(
        study: &CompressStudy<'_>,
        texts: &Texts,
        variants: &[Variant],
    ) -> Result<Self, Diagnostics> {
        let decoder = decoder(study)?;
        let failed = |what: String| refused("forward", what);
        let original =
            perplexity(&decoder, &texts.held_out, texts.window, Precision::Full).map_err(failed)?;
        let found = variants.iter().map(|variant| {
            if variant.is_plain() { Ok(None) } else { scheme(study, texts, &decoder, variant).map(Some) }
        });
        let found = found.collect::<Result<_, String>>().map_err(failed)?;
        Ok(Self { baseline: original.per_token, tokens: original.tokens, found })
    }

    /// What was found of a scheme; nothing for the original.
    pub(crate) fn of_variant(&self, index: usize) -> Option<&Found> {
        self.found[index].as_ref()
    }
}

/// The checkpoint as a model that can be run here.
pub(crate) fn decoder(study: &CompressStudy<'_>) -> Result<Decoder, Diagnostics> {
    let checkpoint = study.checkpoint;
    let read = || -> Result<Decoder, String> {
        let config = DecoderConfig::parse(&checkpoint.config().to_string())?;
        let has = |name: &str| checkpoint.tensors().contains_key(name);
        Decoder::load(config, has, |name| checkpoint.matrix(name).map_err(|error| error.message))
    };
    read().map_err(|what| {
        Diagnostic::error("forward", format!("the model cannot be run here: {what}"))
            .help("without --calibration errors are measured on the weights alone")
            .into()
    })
}

/// The recipe of a scheme: the method asked for, its zeros and its formats.
pub(crate) fn recipe_of(study: &CompressStudy<'_>, variant: &Variant) -> Result<Recipe, String> {
    let mut recipe = Recipe { folded: true, ..study.method.parse()? };
    if let Some(pattern) = variant.pattern() {
        recipe.prune = Some((recipe.prune.map_or(Pruner::Magnitude, |(pruner, _)| pruner), pattern));
    } else {
        recipe.prune = None;
    }
    if let Some(found) = variant.recipe {
        recipe.formats = Assignment::all(found.scheme);
        recipe.activations = precision(&found.scheme, found.activations);
    }
    Ok(recipe)
}

/// How activations are rounded: in the grid of the weights, a scale a token or for so many neighbours.
fn precision(scheme: &Scheme, activations: Activations) -> Precision {
    match activations {
        Activations::Plain => Precision::Full,
        Activations::Token if scheme.grid == Grid::Int8 => Precision::INT8_PER_TOKEN,
        Activations::Token => Precision::Dynamic(Scheme { granularity: Granularity::Channel, ..*scheme }),
        Activations::Group(size) => {
            let granularity = Granularity::Block { rows: 1, cols: size };
            Precision::Dynamic(Scheme { granularity, ..*scheme })
        }
    }
}

fn scheme(
    study: &CompressStudy<'_>,
    texts: &Texts,
    original: &Decoder,
    variant: &Variant,
) -> Result<Found, String> {
    let recipe = recipe_of(study, variant)?;
    let (compressed, outcomes) = compressed(study, original, &recipe)?;
    let precision = recipe.activations;
    let after = perplexity(&compressed, &texts.held_out, texts.window, precision)?;
    let agreement = token_agreement(original, (&compressed, precision), &texts.held_out, texts.window)?;
    let errors: BTreeMap<String, f64> = outcomes
        .iter()
        .filter_map(|outcome| Some((outcome.name.clone(), outcome.error.output_error?)))
        .collect();
    let output_error = (!errors.is_empty()).then(|| errors.values().sum::<f64>() / errors.len() as f64);
    Ok(Found {
        perplexity: after.per_token,
        same_token: agreement.top1,
        divergence: agreement.divergence,
        output_error,
        errors,
    })
}

/// A compressed copy of a model, as a checkpoint holds it: what methods changed beside the rounded weights is in its type.
fn compressed(
    study: &CompressStudy<'_>,
    original: &Decoder,
    recipe: &Recipe,
) -> Result<(Decoder, Vec<recipe::LayerOutcome>), String> {
    let mut decoder = original.clone();
    if let Some(seed) = recipe.rotate {
        rotate(&mut decoder, seed)?;
    }
    let outcomes = match (study.statistics, &study.texts) {
        (Some(recorded), _) => recipe::compress_recorded(&mut decoder, recipe, recorded)?,
        (None, Some(texts)) => recipe::compress(&mut decoder, recipe, &texts.calibration)?,
        (None, None) => return Err("there is no text to calibrate on".to_owned()),
    };
    for name in changed(original, &decoder, &outcomes) {
        if let Some(stored) = study.checkpoint.tensors().get(&name) {
            round_plain(stored.kind, &mut decoder.parameters_mut().matrix_mut(&name)?.data);
        }
    }
    Ok((decoder, outcomes))
}

/// Runs the original on the text to calibrate on: the bytes of a file of statistics.
///
/// # Errors
/// No text; a model that cannot be run here.
pub fn record(study: &CompressStudy<'_>) -> Result<Vec<u8>, Diagnostics> {
    let texts = study.texts.as_ref();
    let texts =
        texts.ok_or_else(|| refused("calibration-missing", "statistics need a text to calibrate on"))?;
    recipe::record(&decoder(study)?, &texts.calibration).map_err(|what| refused("forward", what))
}

/// Tensors that a method changed without giving them codes.
fn changed(original: &Decoder, after: &Decoder, outcomes: &[recipe::LayerOutcome]) -> Vec<String> {
    let coded: BTreeSet<&String> =
        outcomes.iter().filter(|outcome| outcome.quantised.is_some()).map(|outcome| &outcome.name).collect();
    let before = &original.parameters().0;
    let all = after.parameters().0.iter().filter(|(name, _)| !coded.contains(name));
    all.filter(|(name, matrix)| before.get(*name) != Some(matrix)).map(|(name, _)| name.clone()).collect()
}

/// What a checkpoint holds after a method.
pub(crate) struct Ready {
    /// Rounded weights by tensor.
    pub(crate) rounded: BTreeMap<String, Quantised>,
    /// Tensors that keep their type and change their values.
    pub(crate) changed: BTreeMap<String, Matrix>,
}

/// Runs a method on the whole model, for a checkpoint.
pub(crate) fn rounded(study: &CompressStudy<'_>, recipe: &Recipe) -> Result<Ready, Diagnostics> {
    let original = decoder(study)?;
    let (mut after, outcomes) =
        compressed(study, &original, recipe).map_err(|what| refused("forward", what))?;
    let names = changed(&original, &after, &outcomes);
    let take = |name: String| after.parameters_mut().0.remove_entry(&name);
    let changed = names.into_iter().filter_map(take).collect();
    let rounded = outcomes.into_iter().filter_map(|outcome| Some((outcome.name, outcome.quantised?)));
    Ok(Ready { rounded: rounded.collect(), changed })
}
