//! Published figures that the crate must reproduce, from models of the catalog.

use vitruvian_model::{
    Cache, Layout, Model, QuantPlan, Step, catalog, kv_bytes, kv_bytes_per_token, parameters,
    state_bytes_per_sequence, weight_bytes,
};

fn model(name: &str) -> Model {
    catalog::model(name).unwrap_or_else(|diagnostic| panic!("{diagnostic}"))
}

fn assert_billions(name: &str, count: u64, published: f64, digits: usize) {
    assert_eq!(format!("{:.digits$}", count as f64 / 1e9), format!("{published:.digits$}"), "{name}");
}

#[test]
fn totals_are_the_published_ones() {
    // Model cards: safetensors counts of the checkpoints.
    for (name, published, digits) in [
        ("llama-3.1-8b", 8.03, 2),
        ("llama-3.1-70b", 70.55, 2),
        ("llama-3.1-405b", 405.85, 2),
        ("qwen3-0.6b", 0.596, 3),
        ("qwen3-8b", 8.19, 2),
        ("qwen3-32b", 32.76, 2),
        ("qwen3-30b-a3b", 30.53, 2),
        ("qwen3-235b-a22b", 235.09, 2),
        ("qwen3-coder-480b-a35b", 480.15, 2),
        ("mixtral-8x7b", 46.70, 2),
        ("mixtral-8x22b", 140.6, 1),
        ("gpt-oss-120b", 116.8, 1),
        ("gpt-oss-20b", 20.9, 1),
        ("deepseek-v3", 671.0, 1),
        ("kimi-k2", 1026.4, 1),
        ("minimax-m2.5", 228.7, 1),
        ("nemotron-3-nano-30b-a3b", 31.6, 1),
    ] {
        assert_billions(name, parameters(&model(name)).total, published, digits);
    }
}

#[test]
fn v3_is_exact_to_the_parameter() {
    // 61 · MLA + 3 · dense + 58 · (256 + 1 experts, router and its bias) + 2 · embedding + norms
    let mla = 7168 * (1536 + 576) + 1536 * 24_576 + 512 * 32_768 + 16_384 * 7168 + 1536 + 512;
    let dense = 3 * 7168 * 18_432;
    let experts = 257 * 3 * 7168 * 2048 + 256 * 7168 + 256;
    let ends = 2 * 129_280 * 7168 + 7168;
    let total: u64 = 61 * (mla + 2 * 7168) + 3 * dense + 58 * experts + ends;
    assert_eq!(parameters(&model("deepseek-v3")).total, total);
    assert_eq!(total, 671_026_419_200);
}

#[test]
fn active_parameters_leave_out_the_embedding_row() {
    assert_billions("deepseek-v3", parameters(&model("deepseek-v3")).active, 36.6, 1);
    // Mistral's 12.9 B counts the embedding table: 32,000 · 4,096 more.
    let mixtral = parameters(&model("mixtral-8x7b")).active + 32_000 * 4096;
    assert_billions("mixtral-8x7b", mixtral, 12.9, 1);
    // OpenAI: 5.1 B and 3.6 B.
    assert_billions("gpt-oss-120b", parameters(&model("gpt-oss-120b")).active, 5.1, 1);
    assert_billions("gpt-oss-20b", parameters(&model("gpt-oss-20b")).active, 3.6, 1);
}

#[test]
fn modules_add_up_to_the_total() {
    for name in catalog::names() {
        let count = parameters(&model(name));
        assert_eq!(count.by_module.iter().sum::<u64>(), count.total, "{name}");
        assert!(count.active < count.total || count.active == count.total && model(name).tied, "{name}");
    }
}

#[test]
fn v3_caches_70272_bytes_a_token_on_every_rank() {
    // 61 layers · (512 + 64) · 2 B, whatever TP.
    let v3 = model("deepseek-v3");
    for tp in [1, 8] {
        let layout = Layout { tp, ..Layout::ONE };
        assert_eq!(kv_bytes_per_token(&v3, &QuantPlan::BF16, layout).get(), 70_272.0);
        assert_eq!(kv_bytes(&v3, &QuantPlan::BF16, layout, 0, 1000).get(), 70_272_000.0);
    }
}

#[test]
fn key_value_heads_replicate_beyond_their_number() {
    // 64 layers · 2 · 128 · 2 B a head; 8 heads, so one a rank at TP8 and TP16 alike.
    let qwen = model("qwen3-32b");
    let at = |tp| kv_bytes_per_token(&qwen, &QuantPlan::BF16, Layout { tp, ..Layout::ONE }).get();
    assert_eq!(at(1), 8.0 * 32_768.0);
    assert_eq!(at(8), 32_768.0);
    assert_eq!(at(16), 32_768.0);
}

#[test]
fn windows_cap_half_of_the_layers() {
    // gpt-oss-120b: 36 layers of 2·8·64·2 = 2,048 B a token, 18 of them keep 128 tokens.
    let oss = model("gpt-oss-120b");
    let cache = |context| kv_bytes(&oss, &QuantPlan::BF16, Layout::ONE, 0, context).get();
    assert_eq!(cache(100), 36.0 * 2048.0 * 100.0);
    assert_eq!(cache(8192), 18.0 * 2048.0 * (8192.0 + 128.0));
    assert_eq!(kv_bytes_per_token(&oss, &QuantPlan::BF16, Layout::ONE).get(), 18.0 * 2048.0);
}

#[test]
fn thirty_six_delta_layers_hold_75_5_megabytes() {
    // Qwen3-Next: 36 layers of 32 value heads · 128 · 128 fp32, beside 3 columns of 8,192 convolution channels.
    // The same mixer as in Qwen3.5-35B-A3B, which has 30 such layers.
    let qwen = model("qwen3.5-35b-a3b");
    let state = state_bytes_per_sequence(&qwen, &QuantPlan::BF16, Layout::ONE).get();
    let convolution = 30.0 * 3.0 * 8192.0 * 2.0;
    let recurrent = (state - convolution) / 30.0;
    assert_eq!(recurrent, 32.0 * 128.0 * 128.0 * 4.0);
    assert_eq!(format!("{:.1}", 36.0 * recurrent / 1e6), "75.5");
}

#[test]
fn a_state_does_not_grow() {
    let qwen = model("qwen3.5-35b-a3b");
    let mut states = 0;
    for layer in qwen.layers() {
        layer.mixer.caches(&QuantPlan::BF16, Layout::ONE, &mut |cache| {
            states += u32::from(matches!(cache, Cache::State { .. }) && cache.growth() == 0.0);
        });
    }
    assert_eq!(states, 30);
}

#[test]
fn checkpoints_have_the_published_size() {
    // Sizes of the safetensors files, GB.
    for (name, published) in [("gpt-oss-120b", 65.2), ("gpt-oss-20b", 13.8), ("llama-3.1-8b", 16.06)] {
        let model = model(name);
        let bytes = weight_bytes(&model, &model.default_plan(), Layout::ONE, 0).get() / 1e9;
        assert!((bytes / published - 1.0).abs() < 0.005, "{name}: {bytes} GB");
    }
}

#[test]
fn stages_hold_the_whole_model() {
    for name in ["qwen3-32b", "gpt-oss-120b", "deepseek-v3", "qwen3.5-35b-a3b"] {
        let model = model(name);
        let plan = model.default_plan();
        let whole = weight_bytes(&model, &plan, Layout::ONE, 0).get();
        let layout = Layout { pp: 4, ..Layout::ONE };
        let parts: f64 = (0..4).map(|stage| weight_bytes(&model, &plan, layout, stage).get()).sum();
        assert!((parts / whole - 1.0).abs() < 1e-12, "{name}");
    }
}

#[test]
fn a_dense_model_is_a_dozen_lines() {
    let mut out = Vec::new();
    let layout = Layout { tp: 4, ..Layout::ONE };
    vitruvian_model::tasks(
        &model("qwen3-32b"),
        &QuantPlan::BF16,
        layout,
        0,
        &Step::decode(32, 4096),
        &mut out,
    );
    assert!((12..=16).contains(&out.len()), "{out:#?}");
}

#[test]
fn unknown_names_are_told_their_nearest() {
    let diagnostic = catalog::model("qwen-32b").expect_err("there is no such model");
    assert_eq!(diagnostic.code, "model-unknown");
    assert!(diagnostic.to_string().contains("did you mean `qwen3-32b`?"), "{diagnostic}");
}
