//! Which method is better than which, on every layer of both models.

use std::collections::BTreeMap;

use vitruvian_compression::forward::{Detail, InputStatistics, Network};
use vitruvian_compression::measure::layer_error;
use vitruvian_compression::method::{Awq, ClipSearch, Gptq, Pattern, SparseGpt, awq, scale_columns};
use vitruvian_compression::recipe::{Pruner, Rounder, Treatment, class, observe, treat};
use vitruvian_compression::{Granularity, Grid, Matrix, Scheme, quantise};

use crate::common::{decoder, encoder, sentences, windows};

const INT4: Scheme = Scheme::symmetric(Grid::Int4, Granularity::Channel);

/// A layer with the statistics of what it read in calibration and on text that no method saw.
struct Layer {
    name: String,
    weights: Matrix,
    seen: InputStatistics,
    unseen: InputStatistics,
}

fn layers(network: &dyn Network, calibration: &[Vec<u32>], held: &[Vec<u32>]) -> Vec<Layer> {
    let (seen, unseen) =
        (observe(network, calibration, Detail::Gram).unwrap(), observe(network, held, Detail::Gram).unwrap());
    let mut found = Vec::new();
    for reads in (0..network.blocks()).flat_map(|block| network.reads(block)) {
        for name in reads.weights {
            let weights = network.parameters().matrix(&name).unwrap().clone();
            let (seen, unseen) = (seen[&reads.input].clone(), unseen[&reads.input].clone());
            found.push(Layer { name, weights, seen, unseen });
        }
    }
    found
}

/// Output error of a treatment on the inputs it saw and on those it did not.
fn errors(layer: &Layer, how: Treatment) -> [f64; 2] {
    let treated = treat(layer.weights.clone(), Some(&layer.seen), &how).unwrap();
    [&layer.seen, &layer.unseen].map(|inputs| {
        layer_error(&layer.weights, &treated.weights, Some(inputs)).unwrap().output_error.unwrap()
    })
}

/// Errors of a method on every layer, in calibration and on held-out inputs.
type Errors = Vec<[f64; 2]>;

fn all(layers: &[Layer], how: Treatment) -> Errors {
    layers.iter().map(|layer| errors(layer, how)).collect()
}

fn round(rounder: Rounder) -> Treatment {
    Treatment { prune: None, round: Some((rounder, INT4)) }
}

fn prune(pruner: Pruner, pattern: Pattern) -> Treatment {
    Treatment { prune: Some((pruner, pattern)), round: None }
}

/// Holds each class of layers, on average over its layers, to an error of the first method no larger than that of the second,
/// on inputs that neither saw. Names the single layers where it is larger, on either inputs.
fn worse(layers: &[Layer], (name, good): (&str, &Errors), (other, bad): (&str, &Errors)) -> Vec<String> {
    let mut classes: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut found = Vec::new();
    for ((layer, good), bad) in layers.iter().zip(good).zip(bad) {
        if good[0] > bad[0] || good[1] > bad[1] {
            println!("{}: {name} {good:?} is worse than {other} {bad:?}", layer.name);
            found.push(layer.name.clone());
        }
        classes.entry(class(&layer.name)).or_default().push(good[1] / bad[1]);
    }
    for (class, ratios) in classes {
        let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
        println!("{name} over {other}, {class}: {mean:.3} of the held-out error");
        assert!(mean <= 1.0, "{name} over {other}, {class}: {mean}");
    }
    found
}

/// Returns the layers where unstructured Wanda is worse than unstructured magnitude.
fn check(layers: &[Layer]) -> Vec<String> {
    let (gptq, rtn) =
        (all(layers, round(Rounder::Gptq(Gptq::default()))), all(layers, round(Rounder::Nearest)));
    assert_eq!(worse(layers, ("gptq", &gptq), ("rtn", &rtn)), [""; 0]);
    let half = Pattern::Unstructured { sparsity: 0.5 };
    let mut exceptions = Vec::new();
    for pattern in [Pattern::TWO_OF_FOUR, Pattern::FOUR_OF_EIGHT, half] {
        println!("{pattern}");
        let sparsegpt = all(layers, prune(Pruner::SparseGpt(SparseGpt::default()), pattern));
        let wanda = all(layers, prune(Pruner::Wanda, pattern));
        let magnitude = all(layers, prune(Pruner::Magnitude, pattern));
        assert_eq!(worse(layers, ("sparsegpt", &sparsegpt), ("wanda", &wanda)), [""; 0]);
        let found = worse(layers, ("wanda", &wanda), ("magnitude", &magnitude));
        assert!(found.is_empty() || pattern == half, "{pattern}: {found:?}");
        exceptions.extend(found);
    }
    exceptions
}

/// A clip search never loses in what it minimises, nor AWQ's in what that minimises; on inputs that it did not see AWQ's
/// gains by class of layers.
fn check_searches(layers: &[Layer]) {
    let mut classes: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for layer in layers {
        let [plain, clipped] = [Rounder::Nearest, Rounder::Clipped(ClipSearch::default())].map(|rounder| {
            let treated = treat(layer.weights.clone(), None, &round(rounder)).unwrap();
            layer_error(&layer.weights, &treated.weights, None).unwrap().sqnr_db
        });
        assert!(clipped >= plain, "{}", layer.name);
        let scaled = awq(&[&layer.weights], &layer.seen, &INT4, Awq::default()).unwrap();
        assert!(scaled.error <= scaled.error_unscaled, "{}", layer.name);
        classes.entry(class(&layer.name)).or_default().push(awq_unseen(layer, &scaled.factors));
    }
    for (class, ratios) in classes {
        let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
        println!("awq over rtn, {class}: {mean:.3} of the held-out error");
        assert!(mean <= 1.0, "awq over rtn, {class}: {mean}");
    }
}

/// Held-out error with AWQ's factors over that without.
fn awq_unseen(layer: &Layer, factors: &[f32]) -> f64 {
    let inverse: Vec<f32> = factors.iter().map(|factor| 1.0 / factor).collect();
    let mut scaled = layer.weights.clone();
    scale_columns(&mut scaled, factors);
    let mut scaled = quantise(&scaled, &INT4).unwrap().dequantise();
    scale_columns(&mut scaled, &inverse);
    let plain = quantise(&layer.weights, &INT4).unwrap().dequantise();
    let [scaled, plain] = [scaled, plain]
        .map(|kept| layer_error(&layer.weights, &kept, Some(&layer.unseen)).unwrap().output_error.unwrap());
    scaled / plain
}

#[test]
fn methods_that_know_more_lose_less_on_the_decoder() {
    let layers =
        layers(&decoder(), &windows("calibration.txt", usize::MAX), &windows("heldout.txt", usize::MAX));
    check_searches(&layers);
    // DEVIATIONS.md, D75.
    assert_eq!(check(&layers), ["q", "k"].map(|name| format!("model.layers.2.self_attn.{name}_proj.weight")));
}

#[test]
fn methods_that_know_more_lose_less_on_the_encoder() {
    let Some((encoder, tokeniser)) = encoder() else { return };
    let [seen, unseen] = ["calibration.txt", "heldout.txt"].map(|name| sentences(&tokeniser, name, 48));
    let mut layers = layers(&encoder, &seen, &unseen);
    // The first, a middle and the last block: the others behave alike and take as long.
    layers
        .retain(|layer| ["layer.0.", "layer.3.", "layer.5."].iter().any(|block| layer.name.contains(block)));
    check_searches(&layers);
    // DEVIATIONS.md, D75.
    let names = ["0.attention.self.query", "0.attention.self.key", "3.attention.output.dense"];
    assert_eq!(check(&layers), names.map(|name| format!("encoder.layer.{name}.weight")));
}
