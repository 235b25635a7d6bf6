//! Published figures, as the answers give them. The model crate holds many more.

use vitruvian_model::{Layout, QuantPlan, catalog, kv_bytes_per_token};

use crate::question::{comparison, deployment, estimate, name, operator, phase};

#[test]
fn parameter_counts_are_those_of_the_model_cards() {
    // Safetensors counts of the checkpoints, in billions, to three digits.
    for (model, billions) in [
        ("deepseek-v3", "671"),
        ("qwen3-32b", "32.8"),
        ("llama-3.1-8b", "8.03"),
        ("llama-3.1-70b", "70.6"),
        ("llama-3.1-405b", "406"),
        ("mixtral-8x7b", "46.7"),
        ("gpt-oss-120b", "117"),
        ("qwen3-235b-a22b", "235"),
    ] {
        let answer = estimate(&deployment(model, name("h200-sxm")));
        assert_eq!(
            vitruvian_quantity::three(answer.question.parameters_total as f64 / 1e9),
            billions,
            "{model}"
        );
    }
}

#[test]
fn v3_uses_36_6_billion_parameters_a_token() {
    // arXiv 2412.19437 counts 37 B with the embedding's 129,280 · 7,168 = 0.93 B; 36.6 B without.
    let answer = estimate(&deployment("deepseek-v3", name("h20")));
    assert_eq!(format!("{:.1}", answer.question.parameters_active as f64 / 1e9), "36.6");
}

#[test]
fn v3_caches_70_272_bytes_a_token() {
    // 61 layers · (512 latent + 64 rope) · 2 B.
    let model = catalog::model("deepseek-v3").unwrap();
    assert_eq!(kv_bytes_per_token(&model, &QuantPlan::BF16, Layout::ONE).get(), 70_272.0);
}

#[test]
fn mla_decode_does_241_8_flop_a_byte() {
    // 128 heads · 2 · (512 + 64 + 512) FLOP a cached entry of (512 + 64) · 2 B = 278,528 / 1,152 = 241.8.
    // Queries and outputs add 0.2 % of the bytes and softmax 0.5 % of the work at this context.
    let mut study = deployment("deepseek-v3", name("h20"));
    study.service.input_tokens = 120_000;
    study.service.kv = Some("bf16".to_owned());
    let phase = phase(&study);
    let attention = operator(&phase, "decode_attention");
    let intensity = attention.flop / attention.bytes;
    assert!((intensity / 241.8 - 1.0).abs() < 0.02, "{intensity} FLOP/B");
}

#[test]
fn the_question_is_told_back_with_its_defaults() {
    let answer = crate::question::compare(&comparison("qwen3-32b", &["h20"]));
    let question = answer.question;
    assert_eq!((question.chips, question.ttft_ms, question.tpot_ms), (8, Some(2000.0), Some(50.0)));
    assert_eq!((question.objective.as_str(), question.region.as_str()), ("throughput", "cn"));
}
