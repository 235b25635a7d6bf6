//! Model FLOPs: what the mathematics of a step needs, for MFU.

use vitruvian_quantity::Flops;

use crate::model::{Layer, Model};
use crate::step::Step;
use crate::weights::Module;

/// Operations of one data-parallel group's `step` over all ranks and stages, padding rows left out.
///
/// Twice the weights each token is multiplied with, the LM head for rows that sample, and the cores of the mixers:
/// causal pairs exactly, latent attention by its head widths (not by the wider absorbed form), sparse attention by the
/// keys it keeps plus its index. Nothing is counted twice for recomputation, nor for how an engine arranges the work.
pub fn model_flops(model: &Model, step: &Step) -> Flops {
    let tokens = f64::from(Step { padding: 0, ..*step }.tokens());
    let head = 2.0 * f64::from(model.hidden) * f64::from(model.vocab) * f64::from(step.sampled());
    let layers = model.kinds_in(0..model.depth()).map(|(layer, count)| {
        f64::from(count) * (2.0 * tokens * multiplied(model, layer) + core_flops(layer, step))
    });
    Flops::new(head + layers.sum::<f64>())
}

/// Weights of a layer's matrices that one token is multiplied with.
fn multiplied(model: &Model, layer: &Layer) -> f64 {
    let mut sum = 0.0;
    layer.weights(model.hidden, &mut |weight| {
        if weight.module != Module::Small {
            sum += weight.active as f64;
        }
    });
    sum
}

fn core_flops(layer: &Layer, step: &Step) -> f64 {
    let prefill =
        step.prefill.map_or(0.0, |p| f64::from(p.sequences) * layer.mixer.core_flops(p.new, p.cached));
    let decode =
        step.decode.map_or(0.0, |d| f64::from(d.sequences) * layer.mixer.core_flops(d.queries, d.context));
    prefill + decode
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;

    #[test]
    fn a_dense_model_needs_twice_its_weights_and_four_operations_a_pair() {
        let model = catalog::model("llama-3.1-8b").unwrap();
        // Matrices of a layer: 4096·(4096 + 2·1024) + 4096·4096 + 3·4096·14336; head 4096·128256.
        let layer = 4096.0 * (4096.0 + 2048.0 + 4096.0) + 3.0 * 4096.0 * 14336.0;
        // 100 new tokens after 10: Σ (10 + i) = 1000 + 5050 pairs, 4·32·128 FLOP each.
        let core = 4.0 * 32.0 * 128.0 * 6050.0;
        let expected = 32.0 * (2.0 * 100.0 * layer + core) + 2.0 * 4096.0 * 128_256.0;
        let prefill = crate::step::Prefill { sequences: 1, new: 100, cached: 10, sampled: 1 };
        let step = Step { prefill: Some(prefill), ..Step::default() };
        assert_eq!(model_flops(&model, &step).get(), expected);
    }

    #[test]
    fn latent_attention_counts_head_widths() {
        let model = catalog::model("deepseek-v3").unwrap();
        let at = |context| model_flops(&model, &Step::decode(1, context)).get();
        // One more cached token: 61 layers · 2·128·(192 + 128)
        assert_eq!(at(1001) - at(1000), 61.0 * 81_920.0);
    }
}
