//! Published figures that the crate must reproduce.

use vitruvian_model::{Layout, Model, QuantPlan, Step, catalog, kv_bytes_per_token, parameters, tasks};

fn model(name: &str) -> Model {
    catalog::model(name).unwrap_or_else(|diagnostic| panic!("{diagnostic}"))
}

/// Billions to the digits stated.
fn assert_billions(name: &str, count: u64, published: f64, digits: usize) {
    let rounded = format!("{:.digits$}", count as f64 / 1e9);
    assert_eq!(rounded, format!("{published:.digits$}"), "{name}");
}

#[test]
fn totals_of_dense_models_are_the_published_ones() {
    for (name, published) in
        [("llama-3.1-8b", 8.03), ("llama-3.1-70b", 70.55), ("llama-3.1-405b", 405.85), ("qwen3-32b", 32.76)]
    {
        assert_billions(name, parameters(&model(name)).total, published, 2);
    }
}

#[test]
fn deepseek_v3_has_671_billion_of_which_36_6_active() {
    let count = parameters(&model("deepseek-v3"));
    assert_billions("total", count.total, 671.0, 1);
    assert_billions("active", count.active, 36.6, 1);
}

#[test]
fn v3_caches_70272_bytes_a_token_on_every_rank() {
    // 61 layers · (512 + 64) · 2 B, whatever TP.
    let v3 = model("deepseek-v3");
    for tp in [1, 8] {
        let layout = Layout { tp, ..Layout::ONE };
        assert_eq!(kv_bytes_per_token(&v3, &QuantPlan::BF16, layout).get(), 70_272.0);
    }
}

#[test]
fn a_dense_model_is_a_dozen_lines() {
    let mut out = Vec::new();
    let layout = Layout { tp: 4, ..Layout::ONE };
    tasks(&model("qwen3-32b"), &QuantPlan::BF16, layout, 0, &Step::decode(32, 4096), &mut out);
    assert!((12..=18).contains(&out.len()), "{}", out.len());
}
