//! What is wrong with a `config.json` is told at its place.

use vitruvian_diagnostics::SourceText;
use vitruvian_model::{Scheme, read_config, read_config_beside};
use vitruvian_quantity::Dtype;

const GOOD: &str = r#"{
  "model_type": "qwen3",
  "hidden_size": 64,
  "num_hidden_layers": 2,
  "num_attention_heads": 4,
  "num_key_value_heads": 2,
  "intermediate_size": 128,
  "vocab_size": 100
}
"#;

/// The diagnostic in one line.
fn told(text: &str) -> String {
    read_config(&SourceText::new("config.json", text)).expect_err("the text is bad").to_string()
}

fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from));
    told(&GOOD.replace(from, to))
}

#[test]
fn the_good_text_is_good() {
    let model = read_config(&SourceText::new("dir/tiny/config.json", GOOD)).unwrap();
    assert_eq!((model.name.as_str(), model.family.as_str(), model.depth()), ("tiny", "qwen3", 2));
}

#[test]
fn cut_short() {
    let text = &GOOD[..GOOD.find("\"vocab").unwrap()];
    assert!(told(text).starts_with("config.json:8:2: error: EOF while parsing"), "{}", told(text));
    assert!(told("").contains("EOF while parsing"));
}

#[test]
fn not_json() {
    assert!(told("hidden_size = 64").starts_with("config.json:1:1: error: expected value"), "{}", told("x"));
    assert!(told("[1, 2]").contains("config.json:1:"));
    assert!(told("\"text\"").contains("invalid type: string"));
}

#[test]
fn a_field_is_missing() {
    let message = with("  \"hidden_size\": 64,\n", "");
    assert!(message.contains("missing field `hidden_size`"), "{message}");
    assert!(message.starts_with("config.json:8:"), "{message}");
    assert!(with("  \"num_hidden_layers\": 2,\n", "").contains("missing field `num_hidden_layers`"));
}

#[test]
fn of_another_type() {
    let message = with("\"hidden_size\": 64", "\"hidden_size\": \"64\"");
    assert!(message.starts_with("config.json:3:"), "{message}");
    assert!(
        message.contains("invalid type: string \"64\", expected a whole number from 1 to 1048576"),
        "{message}"
    );
}

#[test]
fn zero_negative_fractional_or_huge() {
    for (value, found) in [
        ("0", "integer `0`"),
        ("-64", "integer `-64`"),
        ("64.5", "floating point `64.5`"),
        ("5000000000", "integer `5000000000`"),
        ("1e300", "floating point"),
    ] {
        let message = with("\"hidden_size\": 64", &format!("\"hidden_size\": {value}"));
        assert!(message.contains(found), "{message}");
        assert!(message.starts_with("config.json:3:"), "{message}");
    }
}

#[test]
fn sizes_whose_products_make_no_sense() {
    let text = GOOD
        .replace("\"hidden_size\": 64", "\"hidden_size\": 1048576")
        .replace("\"intermediate_size\": 128", "\"intermediate_size\": 1048576")
        .replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 4096");
    assert!(told(&text).contains("more than 1000000000000000 parameters"), "{}", told(&text));
    let heads = "\"num_attention_heads\": 4096, \"head_dim\": 65536";
    let wide = with("\"num_attention_heads\": 4", heads);
    assert!(wide.contains("a projection has 268697600 columns"), "{wide}");
}

#[test]
fn heads_that_do_not_group() {
    let message = with("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3");
    assert!(message.starts_with("config.json:6:3: error: 4 query heads do not divide into 3"), "{message}");
}

#[test]
fn an_unknown_family_is_told_the_nearest() {
    let message = with("\"qwen3\"", "\"qwen3moe\"");
    assert!(
        message.starts_with("config.json:2:3: error: `model_type` \"qwen3moe\" is not known"),
        "{message}"
    );
    assert!(message.contains("did you mean `qwen3_moe`?"), "{message}");
    assert!(message.contains("deepseek_v3"), "{message}");
}

#[test]
fn no_family() {
    assert!(with("  \"model_type\": \"qwen3\",\n", "").contains("no `model_type`"));
}

#[test]
fn lists_of_another_length() {
    let text = r#"{"model_type": "gpt_oss", "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4,
      "vocab_size": 100, "intermediate_size": 64, "num_local_experts": 4, "num_experts_per_tok": 2,
      "layer_types": ["full_attention"]}"#;
    assert!(
        told(text).starts_with("config.json:3:7: error: `layer_types` has 1 entries for 3 layers"),
        "{}",
        told(text)
    );
}

#[test]
fn more_experts_a_token_than_experts() {
    let text = r#"{"model_type": "mixtral", "hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4,
      "vocab_size": 100, "intermediate_size": 64, "num_local_experts": 2, "num_experts_per_tok": 3}"#;
    assert!(told(text).contains("3 experts a token of only 2"), "{}", told(text));
}

#[test]
fn pythons_infinity_is_read() {
    let text =
        GOOD.replace("\"vocab_size\": 100", "\"vocab_size\": 100, \"limits\": [0.0, Infinity], \"x\": NaN");
    assert!(read_config(&SourceText::new("config.json", text)).is_ok());
}

#[test]
fn a_name_that_promises_a_format_is_doubted() {
    let model = read_config(&SourceText::new("nvidia--Qwen3-8B-NVFP4.json", GOOD)).unwrap();
    assert!(model.left_out().join(" ").contains("NVFP4"), "{:?}", model.left_out());
}

#[test]
fn the_file_of_modelopt_beside_it() {
    let config = SourceText::new("config.json", GOOD);
    let text = r#"{"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "NVFP4", "group_size": 16,
      "kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head", "model.layers.*.self_attn*"]}}"#;
    let read = |text: &str| read_config_beside(&config, Some(&SourceText::new("hf_quant_config.json", text)));
    let plan = read(text).unwrap().published.unwrap();
    assert_eq!((plan.attention, plan.dense_ffn, plan.lm_head), (Scheme::Bf16, Scheme::Nvfp4, Scheme::Bf16));
    assert_eq!(plan.kv, Dtype::Fp8);
    let unknown = read(&text.replace("NVFP4", "NEW")).unwrap();
    assert!(unknown.left_out().join(" ").contains("quantisation `NEW` is not known"));
    assert!(
        read("{}").unwrap_err().to_string().starts_with("hf_quant_config.json:1:2: error: missing field")
    );
}

#[test]
fn an_unknown_quantisation_is_a_doubt_not_an_error() {
    let text = GOOD.replace(
        "\"vocab_size\": 100",
        "\"vocab_size\": 100, \"quantization_config\": {\"quant_method\": \"new\"}",
    );
    let model = read_config(&SourceText::new("config.json", text)).unwrap();
    assert!(model.published.is_none());
    assert!(model.left_out().join(" ").contains("quantisation `new` is not known"));
}
