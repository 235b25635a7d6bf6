//! What a step must conserve, whatever the layout.

use proptest::prelude::*;
use vitruvian_model::{
    CollectiveKind, Decode, Ffn, Layout, Mixer, Model, Module, Operator, Prefill, QuantPlan, Step, Task,
    Weight, catalog, draft_tasks, model_flops, tasks, validate,
};

/// One model of each kind of mixer and feed-forward part.
const MODELS: [&str; 9] = [
    "llama-3.1-8b",
    "gpt-oss-20b",
    "qwen3-30b-a3b",
    "deepseek-v3",
    "deepseek-v3.2",
    "deepseek-v4-flash",
    "qwen3.5-35b-a3b",
    "nemotron-3-nano-30b-a3b",
    "glm-5",
];

fn model(name: &str) -> Model {
    catalog::model(name).unwrap_or_else(|diagnostic| panic!("{diagnostic}"))
}

fn run(model: &Model, layout: Layout, stage: u32, step: &Step) -> Vec<Task> {
    let mut out = Vec::new();
    tasks(model, &QuantPlan::BF16, layout, stage, step, &mut out);
    out
}

/// Elements of the weights that the products of a step go through: experts as if all were hit.
fn multiplied_weights(tasks: &[Task]) -> f64 {
    let one = |task: &Task| match task.operator {
        Operator::Gemm(g) => f64::from(g.batch) * f64::from(g.n) * f64::from(g.k) * f64::from(task.count),
        Operator::GroupedGemm(g) => {
            f64::from(g.local_experts) * f64::from(g.n) * f64::from(g.k) * f64::from(task.count)
        }
        _ => 0.0,
    };
    tasks.iter().map(one).sum()
}

/// Elements of the matrices a rank holds, without vectors, embedding and vision tower.
fn held_weights(model: &Model, layout: Layout) -> f64 {
    let mut sum = 0.0;
    let mut add = |weight: Weight, copies: u32| {
        let matrix = !matches!(weight.module, Module::Small | Module::Embedding | Module::Vision);
        let biases = if matrix { 1.0 } else { 0.0 };
        sum += biases * weight.parameters as f64 * weight.split.share(layout) * f64::from(copies);
    };
    for (layer, copies) in model.kinds_in(0..model.depth()) {
        model.layer_weights(layer, &mut |weight| add(weight, copies));
    }
    model.last_weights(&mut |weight| add(weight, 1));
    sum
}

/// Parameters that the list of weights puts among matrices though no product goes through them, or the reverse.
fn known_difference(model: &Model, layout: Layout) -> f64 {
    let per_layer = |layer: &vitruvian_model::Layer| {
        let biases = match layer.ffn {
            Ffn::Moe(moe) if moe.bias => {
                let one = 2 * moe.width + model.hidden;
                f64::from(moe.experts * one) / f64::from(layout.expert_ranks())
            }
            _ => 0.0,
        };
        let streams = if model.streams > 1 {
            2.0 * f64::from(model.mixing_width()) * f64::from(model.streams * model.hidden)
        } else {
            0.0
        };
        biases - streams
    };
    let last = if model.streams > 1 { f64::from(model.streams * model.streams * model.hidden) } else { 0.0 };
    model.layers().map(per_layer).sum::<f64>() - last
}

#[test]
fn a_step_goes_through_exactly_the_weights_a_rank_holds() {
    for name in MODELS {
        let model = model(name);
        for layout in [
            Layout::ONE,
            Layout { tp: 4, ..Layout::ONE },
            Layout { tp: 4, ep: 4, ..Layout::ONE },
            Layout { dp: 4, ep: 4, ..Layout::ONE },
            Layout { tp: 2, dp: 4, ep: 8, ..Layout::ONE },
            Layout { tp: 8, ..Layout::ONE },
        ] {
            if validate(&model, layout).is_err() {
                continue;
            }
            let through = multiplied_weights(&run(&model, layout, 0, &Step::decode(8, 4000)));
            let held = held_weights(&model, layout) - known_difference(&model, layout);
            // The vocabulary is padded to whole columns; absorbed products go through W_UK and W_UV, the same weights.
            assert!((through / held - 1.0).abs() < 1e-4, "{name} {layout}: {through} {held}");
        }
    }
}

#[test]
fn ranks_together_do_the_work_of_one() {
    // Prefill of dense attention: every product is split by TP, so FLOPs of ranks add up to those of one chip.
    for name in ["llama-3.1-8b", "qwen3-30b-a3b", "gpt-oss-20b"] {
        let model = model(name);
        let step = Step::prefill(2, 1000);
        let flops = |layout| -> f64 {
            let one = |task: &Task| match task.operator {
                Operator::Gemm(_) | Operator::GroupedGemm(_) | Operator::PrefillAttention(_) => {
                    task.operator.flops().get() * f64::from(task.count)
                }
                _ => 0.0,
            };
            let router = |task: &&Task| task.name != "router";
            run(&model, layout, 0, &step).iter().filter(router).map(one).sum()
        };
        let one = flops(Layout::ONE);
        let four = 4.0 * flops(Layout { tp: 4, ..Layout::ONE });
        assert!((four / one - 1.0).abs() < 1e-3, "{name}: {four} {one}");
    }
}

#[test]
fn executed_flops_are_model_flops_where_nothing_is_rebuilt() {
    // Without latent attention the products and cores of one chip are the model's own, vector work aside.
    for name in ["llama-3.1-8b", "qwen3-30b-a3b", "gpt-oss-20b", "qwen3.5-35b-a3b"] {
        let model = model(name);
        for step in [Step::prefill(3, 777), Step::decode(5, 3000)] {
            let one = |task: &Task| match task.operator {
                Operator::Vector(_) | Operator::Sampling(_) => 0.0,
                _ => task.operator.flops().get() * f64::from(task.count),
            };
            let executed: f64 = run(&model, Layout::ONE, 0, &step).iter().map(one).sum();
            let wanted = model_flops(&model, &step).get();
            assert!((executed / wanted - 1.0).abs() < 1e-3, "{name}: {executed} {wanted}");
        }
    }
}

#[test]
fn a_mixed_step_attends_twice_and_multiplies_once() {
    let model = model("llama-3.1-8b");
    let step = Step {
        prefill: Some(Prefill { sequences: 1, new: 500, cached: 1000, sampled: 0 }),
        decode: Some(Decode { sequences: 12, context: 2000, queries: 1 }),
        padding: 0,
    };
    let out = run(&model, Layout::ONE, 0, &step);
    let rows: Vec<u32> = out
        .iter()
        .filter_map(|task| match (task.name, task.operator) {
            ("qkv_proj" | "lm_head", Operator::Gemm(gemm)) => Some(gemm.m),
            _ => None,
        })
        .collect();
    // All tokens through the layers; only decoding rows sample.
    assert_eq!(rows, [512, 12]);
    assert!(out.iter().any(|task| task.name == "prefill_attention"));
    assert!(out.iter().any(|task| task.name == "decode_attention"));
}

#[test]
fn chunks_and_the_whole_see_the_same_pairs() {
    let model = model("deepseek-v3");
    let pairs = |new, cached| {
        let step =
            Step { prefill: Some(Prefill { sequences: 1, new, cached, sampled: 0 }), ..Step::default() };
        let out = run(&model, Layout::ONE, 0, &step);
        out.iter()
            .find_map(|task| match task.operator {
                Operator::PrefillAttention(attention) => Some(attention.pairs()),
                _ => None,
            })
            .unwrap()
    };
    assert_eq!(pairs(1000, 0) + pairs(1000, 1000) + pairs(1000, 2000), pairs(3000, 0));
}

#[test]
fn latents_are_rebuilt_for_the_cached_prefix_too() {
    let model = model("deepseek-v3");
    let prefill = Prefill { sequences: 2, new: 100, cached: 900, sampled: 2 };
    let out = run(&model, Layout::ONE, 0, &Step { prefill: Some(prefill), ..Step::default() });
    let rows = out.iter().find_map(|task| match task.operator {
        Operator::Gemm(gemm) if task.name == "kv_b_proj" => Some(gemm.m),
        _ => None,
    });
    assert_eq!(rows, Some(2000));
}

#[test]
fn sparse_attention_keeps_topk_and_scores_all() {
    let model = model("deepseek-v3.2");
    let out = run(&model, Layout::ONE, 0, &Step::decode(4, 49_999));
    let attended = out.iter().find_map(|task| match task.operator {
        Operator::MlaDecode(core) => Some((core.context, core.attended)),
        _ => None,
    });
    let scored = out.iter().find_map(|task| match task.operator {
        Operator::Indexer(indexer) => Some((task.count, indexer.pairs())),
        _ => None,
    });
    assert_eq!(attended, Some((50_000, 2048)));
    assert_eq!(scored, Some((61, 4 * 50_000)));
}

#[test]
fn compressed_entries_are_scored_exactly() {
    // DeepSeek-V4-Flash, 21 layers of ratio 4: token i of 8,192 after 4,096 scores ⌊i/4⌋ entries.
    let model = model("deepseek-v4-flash");
    let prefill = Prefill { sequences: 1, new: 8192, cached: 4096, sampled: 0 };
    let out = run(&model, Layout::ONE, 0, &Step { prefill: Some(prefill), ..Step::default() });
    let scored = out.iter().find_map(|task| match task.operator {
        Operator::Indexer(indexer) => Some((task.count, indexer.pairs() as f64)),
        _ => None,
    });
    let pairs: f64 = (4097..=4096 + 8192).map(|i| f64::from(i / 4)).sum();
    let (count, counted) = scored.unwrap();
    assert_eq!(count, 21);
    assert!((counted / pairs - 1.0).abs() < 1e-3, "{counted} {pairs}");
}

#[test]
fn context_parallel_ranks_share_prefill_and_repeat_decode() {
    let model = model("qwen3-30b-a3b");
    let layout = Layout { cp: 4, ep: 4, ..Layout::ONE };
    let routed = |step| {
        run(&model, layout, 0, &step).iter().find_map(|task| match task.operator {
            Operator::GroupedGemm(grouped) => Some(grouped.tokens),
            _ => None,
        })
    };
    assert_eq!(routed(Step::prefill(2, 1000)), Some(2000));
    assert_eq!(routed(Step::decode(32, 1000)), Some(32));
}

#[test]
fn context_parallel_ranks_share_the_pairs() {
    let model = model("llama-3.1-8b");
    let pairs = |layout| {
        run(&model, layout, 0, &Step::prefill(1, 8000)).iter().find_map(|task| match task.operator {
            Operator::PrefillAttention(attention) => Some(attention.pairs() as f64),
            _ => None,
        })
    };
    let one = pairs(Layout::ONE).unwrap();
    let four = pairs(Layout { cp: 4, ..Layout::ONE }).unwrap();
    assert!((4.0 * four / one - 1.0).abs() < 1e-3, "{four} {one}");
}

#[test]
fn layers_that_reuse_a_choice_do_not_score() {
    // GLM-5.2's pattern on a small stack: every layer attends sparsely, the first alone scores.
    let mut model = model("glm-5");
    let reusing = model.kinds.iter().map(|layer| {
        let mut layer = *layer;
        if let Mixer::Mla(mla) = &mut layer.mixer {
            mla.sparse =
                mla.sparse.map(|sparse| vitruvian_model::mixer::SparseIndex { index: None, ..sparse });
        }
        layer
    });
    model.kinds = reusing.collect();
    let out = run(&model, Layout::ONE, 0, &Step::decode(1, 10_000));
    assert!(out.iter().all(|task| !matches!(task.operator, Operator::Indexer(_))));
    assert!(
        out.iter().any(|task| matches!(task.operator, Operator::MlaDecode(core) if core.attended == 2048))
    );
}

#[test]
fn experts_over_groups_exchange_tokens() {
    let model = model("deepseek-v3");
    let layout = Layout { dp: 8, ep: 8, ..Layout::ONE };
    let out = run(&model, layout, 0, &Step::decode(64, 1000));
    let sent = |name| {
        out.iter().find_map(|task| match task.operator {
            Operator::Collective(collective) if task.name == name => Some(collective.bytes),
            _ => None,
        })
    };
    // A row of 7,168 in 16 bits for each of the 8 choices of 64 tokens; the network knows what a kernel sends but once.
    assert_eq!(sent("ep_combine"), Some(64 * 8 * 7168 * 2));
    assert!(out.iter().any(|task| matches!(task.operator, Operator::GroupedGemm(g) if g.tokens == 512)));
}

#[test]
fn a_tensor_parallel_layer_reduces_twice() {
    let model = model("llama-3.1-8b");
    let out = run(&model, Layout { tp: 8, ..Layout::ONE }, 0, &Step::decode(16, 100));
    let reduce = out.iter().find_map(|task| match task.operator {
        Operator::Collective(collective) if collective.kind == CollectiveKind::AllReduce => {
            Some((task.count, collective.bytes))
        }
        _ => None,
    });
    // Two a layer and one for the embedding; 16 rows of 4,096 in 16 bits.
    assert_eq!(reduce, Some((2 * 32 + 1, 16 * 4096 * 2)));
}

#[test]
fn drafting_runs_one_layer_and_the_head() {
    let model = model("deepseek-v3");
    let mut out = Vec::new();
    draft_tasks(&model, &QuantPlan::BF16, Layout::ONE, &Step::decode(4, 100), &mut out);
    let count = |name| out.iter().filter(|task| task.name == name).map(|task| task.count).sum::<u32>();
    assert_eq!((count("mtp_proj"), count("decode_attention"), count("lm_head")), (1, 1, 1));
}

#[test]
fn an_empty_step_is_nothing() {
    assert!(run(&model("llama-3.1-8b"), Layout::ONE, 0, &Step::default()).is_empty());
}

#[test]
fn layouts_that_do_not_divide_are_told() {
    let qwen = model("qwen3-32b");
    let told = |layout| validate(&qwen, layout).unwrap_err().to_string();
    assert_eq!(told(Layout { tp: 3, ..Layout::ONE }), "64 query heads do not divide by TP3");
    assert_eq!(told(Layout { pp: 65, ..Layout::ONE }), "65 pipeline stages for 64 layers");
    assert_eq!(told(Layout { tp: 2, ep: 2, ..Layout::ONE }), "EP2 for a model without experts");
    assert_eq!(told(Layout { tp: 0, ..Layout::ONE }), "TP is zero");
    let moe = model("qwen3-30b-a3b");
    let layout = Layout { dp: 3, ep: 3, ..Layout::ONE };
    assert_eq!(validate(&moe, layout).unwrap_err().to_string(), "128 routed experts do not divide by EP3");
}

#[test]
fn block_scales_are_not_cut() {
    use vitruvian_model::{Scheme, validate_blocks};
    // 1,536 columns of an expert over 8 ranks are 192: one block and a half.
    let qwen = model("qwen3-235b-a22b");
    let plan = QuantPlan::uniform(Scheme::Fp8Block);
    assert!(validate_blocks(&qwen, &plan, Layout { tp: 4, ..Layout::ONE }).is_ok());
    let told = validate_blocks(&qwen, &plan, Layout { tp: 8, ..Layout::ONE }).unwrap_err().to_string();
    assert_eq!(told, "192 columns of an expert on a rank are not whole blocks of 128 that share a scale");
    assert!(validate_blocks(&qwen, &QuantPlan::BF16, Layout { tp: 8, ..Layout::ONE }).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// More context never means fewer operations or bytes, for any mixer.
    #[test]
    fn work_grows_with_context(which in 0..MODELS.len(), context in 1u32..200_000, more in 1u32..50_000) {
        let model = model(MODELS[which]);
        let total = |context| {
            let out = run(&model, Layout::ONE, 0, &Step::decode(2, context));
            let sum = |one: fn(&Operator) -> f64| -> f64 {
                out.iter().map(|task| one(&task.operator) * f64::from(task.count)).sum()
            };
            (sum(|operator| operator.flops().get()), sum(|operator| operator.bytes().get()))
        };
        let (near, far) = (total(context), total(context + more));
        prop_assert!(far.0 >= near.0 && far.1 >= near.1);
    }

    /// Absurd sizes saturate: no step panics.
    #[test]
    fn no_step_overflows(which in 0..MODELS.len(), sequences in any::<u32>(), new in any::<u32>(), cached in any::<u32>()) {
        let model = model(MODELS[which]);
        let step = Step {
            prefill: Some(Prefill { sequences, new, cached, sampled: sequences }),
            decode: Some(Decode { sequences, context: cached, queries: 1 }),
            padding: new,
        };
        let out = run(&model, Layout::ONE, 0, &step);
        prop_assert!(out.iter().all(|task| task.operator.flops().get().is_finite()));
    }
}
