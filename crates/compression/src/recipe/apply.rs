//! A recipe on a model, block after block.

use std::collections::BTreeMap;

use crate::forward::{Detail, InputStatistics, Network, Reads, Run};
use crate::measure::{LayerError, layer_error};
use crate::method::{divide_rows, scale_columns};
use crate::{Matrix, Quantised, Scheme};

use super::observe::{embed, observe_block};
use super::smoothing::fold;
use super::{Recipe, Recorded, Treatment, class, treat};

/// What became of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerOutcome {
    /// Name of the weight.
    pub name: String,
    /// Its class: `mlp.down_proj`.
    pub class: String,
    /// Its format.
    pub scheme: Option<Scheme>,
    /// Errors against the weights as they came, on the inputs that the compressed blocks before it put out.
    pub error: LayerError,
    /// Codes and scales, for export. They stand for the weights of the smoothed or rotated model, which the network holds.
    pub quantised: Option<Quantised>,
    /// What a kernel must divide the input by, where nothing before the layer could take the factors.
    pub input_factors: Option<Vec<f32>>,
}

/// Smooths, prunes and rounds the linear layers of a model in place; the model afterwards holds what its layers multiply by.
///
/// A rotation is for [`super::rotate`], before. Each block is calibrated on the sequences as the compressed blocks before it
/// hand them on, activations rounded as the recipe says.
///
/// # Errors
/// What methods and forward pass refuse, with the name of the layer.
pub fn compress(
    network: &mut dyn Network,
    recipe: &Recipe,
    sequences: &[Vec<u32>],
) -> Result<Vec<LayerOutcome>, String> {
    let mut hidden = embed(network, sequences)?;
    let mut outcomes = Vec::new();
    for block in 0..network.blocks() {
        let inputs = observe_block(network, block, &mut hidden.clone(), Detail::Gram)?;
        outcomes.extend(compress_block(network, block, recipe, &inputs)?);
        for hidden in &mut hidden {
            *hidden = network.block(block, hidden, &mut Run::rounded(recipe.activations))?;
        }
    }
    Ok(outcomes)
}

/// The same with statistics that were recorded of the model as it came: nothing is run.
///
/// # Errors
/// A rotation, which recorded statistics know nothing of; an input without statistics; what methods refuse.
pub fn compress_recorded(
    network: &mut dyn Network,
    recipe: &Recipe,
    recorded: &Recorded,
) -> Result<Vec<LayerOutcome>, String> {
    if recipe.rotate.is_some() {
        return Err(
            "recorded statistics are of a model that is not rotated: give a text to calibrate on".to_owned()
        );
    }
    let mut outcomes = Vec::new();
    for block in 0..network.blocks() {
        let seen = |reads: Reads| Ok((reads.input.clone(), recorded.of(&reads.input)?));
        let inputs = network.reads(block).into_iter().map(seen).collect::<Result<_, String>>()?;
        outcomes.extend(compress_block(network, block, recipe, &inputs)?);
    }
    Ok(outcomes)
}

/// Factors of the columns and rows of weights, by name.
#[derive(Default)]
struct Factors {
    columns: BTreeMap<String, Vec<f32>>,
    rows: BTreeMap<String, Vec<f32>>,
}

fn compress_block(
    network: &mut dyn Network,
    block: usize,
    recipe: &Recipe,
    inputs: &BTreeMap<String, InputStatistics>,
) -> Result<Vec<LayerOutcome>, String> {
    let all = network.reads(block);
    let factors = smooth_block(network, &all, recipe, inputs)?;
    let mut outcomes = Vec::new();
    for reads in &all {
        let Some(seen) = inputs.get(&reads.input) else { continue };
        for name in &reads.weights {
            let named = |error: String| format!("{name}: {error}");
            outcomes.push(compress_layer(network, (name, reads), recipe, seen, &factors).map_err(named)?);
        }
    }
    Ok(outcomes)
}

/// Folds factors into a block and says which.
fn smooth_block(
    network: &mut dyn Network,
    all: &[Reads],
    recipe: &Recipe,
    inputs: &BTreeMap<String, InputStatistics>,
) -> Result<Factors, String> {
    let mut found = Factors::default();
    let Some(smoothing) = recipe.smooth else { return Ok(found) };
    for reads in all.iter().filter(|reads| !recipe.folded || reads.producer.is_some()) {
        let Some(seen) = inputs.get(&reads.input) else { continue };
        let scheme = recipe.formats.of(&reads.input);
        let Some(factors) = smoothing.factors(network, reads, seen, scheme.as_ref())? else { continue };
        fold(network.parameters_mut(), reads, &factors)?;
        if let Some(crate::forward::Producer::Rows(name)) = &reads.producer {
            found.rows.insert(format!("{name}.weight"), factors.clone());
        }
        found.columns.extend(reads.weights.iter().map(|name| (name.clone(), factors.clone())));
    }
    Ok(found)
}

fn compress_layer(
    network: &mut dyn Network,
    (name, reads): (&str, &Reads),
    recipe: &Recipe,
    seen: &InputStatistics,
    factors: &Factors,
) -> Result<LayerOutcome, String> {
    let columns = factors.columns.get(name);
    let inputs = columns.map(|columns| seen.clone().divided(columns));
    let weights = network.parameters().matrix(name)?.clone();
    let scheme = recipe.formats.of(name);
    let how = Treatment { prune: recipe.prune, round: scheme.map(|scheme| (recipe.round, scheme)) };
    let mut treated = treat(weights.clone(), Some(inputs.as_ref().unwrap_or(seen)), &how)?;
    let plain = |matrix: &Matrix| restored(matrix.clone(), columns, factors.rows.get(name));
    let error = layer_error(&plain(&weights), &plain(&treated.weights), Some(seen))?;
    let input_factors = columns.filter(|_| reads.producer.is_none()).cloned();
    if let Some(factors) = &input_factors {
        scale_columns(&mut treated.weights, &inverse(factors));
    }
    *network.parameters_mut().matrix_mut(name)? = treated.weights;
    Ok(LayerOutcome {
        name: name.to_owned(),
        class: class(name).to_owned(),
        scheme,
        error,
        quantised: treated.quantised,
        input_factors,
    })
}

/// A matrix without the factors that smoothing gave its columns and took from its rows.
fn restored(mut matrix: Matrix, columns: Option<&Vec<f32>>, rows: Option<&Vec<f32>>) -> Matrix {
    if let Some(columns) = columns {
        scale_columns(&mut matrix, &inverse(columns));
    }
    if let Some(rows) = rows {
        divide_rows(&mut matrix, &inverse(rows));
    }
    matrix
}

fn inverse(factors: &[f32]) -> Vec<f32> {
    factors.iter().map(|factor| 1.0 / factor).collect()
}
