//! Names of models, and configurations.

use crate::{refused, refused_file};

/// A Llama in eight lines.
const GOOD: &str = r#"{
  "model_type": "llama",
  "hidden_size": 4096,
  "num_hidden_layers": 32,
  "num_attention_heads": 32,
  "num_key_value_heads": 8,
  "intermediate_size": 14336,
  "vocab_size": 128256
}
"#;

fn said(text: impl AsRef<[u8]>) -> String {
    refused_file("config.json", text, &["compare", "--model", "config.json"])
}

#[test]
fn an_unknown_model_is_told_the_nearest() {
    let told = refused(&["compare", "--model", "qwen3-33b"]);
    let expected = "\
error[model-unknown]: no model is called `qwen3-33b`
 |
 = help: did you mean `qwen3-32b`? known are ";
    assert!(told.starts_with(expected), "{told}");
    assert!(told.ends_with("; a path to a config.json does as well\n\n"), "{told}");
}

#[test]
fn the_text_is_truncated() {
    assert_eq!(
        said(&GOOD[..GOOD.find("14336").unwrap()]),
        "\
error[config-truncated]: EOF while parsing a value
 --> config.json:7:23
  |
7 |   \"intermediate_size\": 
  |                       ^ the text ends here

"
    );
}

#[test]
fn the_text_is_not_json() {
    assert_eq!(
        said("hidden_size = 4096\n"),
        "\
error[config-not-json]: expected value
 --> config.json:1:1
  |
1 | hidden_size = 4096
  | ^ not JSON from here

"
    );
    assert_eq!(
        said([0xff, 0xfe, 0x00]),
        "error[file-not-text]: `config.json` is not UTF-8 text: byte 0 begins no character\n\n"
    );
}

#[test]
fn a_field_is_missing() {
    assert_eq!(
        said(GOOD.replace("  \"hidden_size\": 4096,\n", "")),
        "\
error[config-field]: missing field `hidden_size`
 --> config.json:8:1
  |
8 | }
  | ^

"
    );
}

#[test]
fn a_field_is_of_another_type() {
    assert_eq!(
        said(GOOD.replace("4096", "\"4096\"")),
        "\
error[config-field]: invalid type: string \"4096\", expected a whole number from 1 to 1048576
 --> config.json:3:23
  |
3 |   \"hidden_size\": \"4096\",
  |                       ^

"
    );
}

#[test]
fn the_family_is_not_known() {
    let told = said(GOOD.replace("\"llama\"", "\"lama\""));
    let expected = "\
error[config-unknown-family]: `model_type` \"lama\" is not known
 --> config.json:2:3
  |
2 |   \"model_type\": \"lama\",
  |   ^^^^^^^^^^^^
  |
  = help: did you mean `llama`? known are ";
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn numbers_are_absurd() {
    assert_eq!(
        said(GOOD.replace("4096", "99999999999999999999")),
        "\
error[config-field]: invalid type: floating point `1e+20`, expected a whole number from 1 to 1048576
 --> config.json:3:37
  |
3 |   \"hidden_size\": 99999999999999999999,
  |                                     ^

"
    );
    let huge = GOOD.replace("4096", "1048576").replace("14336", "1048576").replace(": 32,", ": 4096,");
    assert!(said(huge).contains("more than 1000000000000000 parameters"));
}

#[test]
fn heads_do_not_group() {
    let told = said(GOOD.replace("\"num_key_value_heads\": 8", "\"num_key_value_heads\": 7"));
    assert!(told.contains("32 query heads do not divide into 7"), "{told}");
    assert!(told.contains(" --> config.json:6:3"), "{told}");
}
