//! Which method is better than which, on every layer of both models.

use std::collections::BTreeMap;

use vitruvian_compression::forward::{Detail, InputStatistics, Network};
use vitruvian_compression::measure::layer_error;
use vitruvian_compression::method::{Awq, ClipSearch, Gptq, Pattern, SparseGpt, awq};
use vitruvian_compression::recipe::{Pruner, Rounder, Treatment, class, observe, treat};
use vitruvian_compression::{Granularity, Grid, Matrix, Scheme};

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
    let treated = treat(&layer.weights, Some(&layer.seen), &how).unwrap();
    [&layer.seen, &layer.unseen].map(|inputs| {
        layer_error(&layer.weights, &treated.weights, Some(inputs)).unwrap().output_error.unwrap()
    })
}

/// Every layer, on calibration and on held-out inputs: the first method's error is no larger than the second's.
fn better(layers: &[Layer], (name, good): (&str, Treatment), (other, bad): (&str, Treatment)) {
    let mut gains: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for layer in layers {
        let (good, bad) = (errors(layer, good), errors(layer, bad));
        for (good, bad, inputs) in [(good[0], bad[0], "calibration"), (good[1], bad[1], "held-out")] {
            assert!(
                good <= bad,
                "{}: {name} {good} is worse than {other} {bad} on {inputs} inputs",
                layer.name
            );
        }
        gains.entry(class(&layer.name)).or_default().push(good[1] / bad[1]);
    }
    for (class, ratios) in gains {
        let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
        println!("{name} over {other}, {class}: {mean:.3} of the held-out error");
    }
}

fn round(rounder: Rounder) -> Treatment {
    Treatment { prune: None, round: Some((rounder, INT4)) }
}

fn prune(pruner: Pruner, pattern: Pattern) -> Treatment {
    Treatment { prune: Some((pruner, pattern)), round: None }
}

fn check(layers: &[Layer]) {
    better(layers, ("gptq", round(Rounder::Gptq(Gptq::default()))), ("rtn", round(Rounder::Nearest)));
    let half = Pattern::Unstructured { sparsity: 0.5 };
    for pattern in [Pattern::TWO_OF_FOUR, Pattern::FOUR_OF_EIGHT, half] {
        let sparsegpt = prune(Pruner::SparseGpt(SparseGpt::default()), pattern);
        let wanda = prune(Pruner::Wanda, pattern);
        better(layers, ("sparsegpt", sparsegpt), ("wanda", wanda));
        better(layers, ("wanda", wanda), ("magnitude", prune(Pruner::Magnitude, pattern)));
    }
    let clipped = round(Rounder::Clipped(ClipSearch::default()));
    for layer in layers {
        // What a clip search minimises is the error of the weights.
        let [plain, clipped] = [round(Rounder::Nearest), clipped].map(|how| {
            layer_error(&layer.weights, &treat(&layer.weights, None, &how).unwrap().weights, None).unwrap()
        });
        assert!(clipped.sqnr_db >= plain.sqnr_db, "{}", layer.name);
        let scaled = awq(&[&layer.weights], &layer.seen, &INT4, Awq::default()).unwrap();
        assert!(scaled.error <= scaled.error_unscaled, "{}", layer.name);
        println!(
            "awq over rtn, {}: {:.3} at a = {}",
            layer.name,
            scaled.error / scaled.error_unscaled,
            scaled.exponent
        );
    }
}

#[test]
fn methods_that_know_more_lose_less_on_the_decoder() {
    check(&layers(&decoder(), &windows("calibration.txt", usize::MAX), &windows("heldout.txt", usize::MAX)));
}

#[test]
fn methods_that_know_more_lose_less_on_the_encoder() {
    let Some((encoder, tokeniser)) = encoder() else { return };
    let [seen, unseen] = ["calibration.txt", "heldout.txt"].map(|name| sentences(&tokeniser, name, 96));
    check(&layers(&encoder, &seen, &unseen));
}
