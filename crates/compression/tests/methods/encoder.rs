//! The sentence encoder: our forward pass against transformers.

use vitruvian_compression::forward::{Precision, forward};

use crate::common::{encoder, sentences};
use crate::reference::reference;

#[test]
fn the_encoder_agrees_with_transformers() {
    let Some((encoder, tokeniser)) = encoder() else { return };
    let facts = &reference()["encoder"];
    let texts = sentences(&tokeniser, "calibration.txt", 48);
    let expected: Vec<u32> = serde_json::from_value(facts["first_tokens"].clone()).unwrap();
    assert_eq!(texts[0], expected);
    assert_eq!(texts.iter().map(Vec::len).sum::<usize>() as u64, facts["tokens"].as_u64().unwrap());

    let features = forward(&encoder, &texts[0], Precision::Full).unwrap();
    for (channel, expected) in facts["first_features"].as_array().unwrap().iter().enumerate() {
        let mean =
            (0..features.rows).map(|row| features.at(row, channel)).sum::<f32>() / features.rows as f32;
        assert!((f64::from(mean) - expected.as_f64().unwrap()).abs() < 1e-5, "{mean} {expected}");
    }
}
