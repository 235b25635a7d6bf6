//! The small decoder: our forward pass against torch, and what methods cost.

use vitruvian_compression::forward::{Precision, forward};
use vitruvian_compression::measure::perplexity;

use crate::common::{WINDOW, decoder, folder, windows};

/// `facts.json` holds what torch measured with the same weights on the same text.
#[test]
fn the_forward_pass_agrees_with_torch() {
    let facts: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder().join("facts.json")).unwrap()).unwrap();
    let decoder = decoder();
    let held = windows("heldout.txt", usize::MAX);
    let found = perplexity(&decoder, &held.concat(), WINDOW, Precision::Full).unwrap();
    let expected = facts["perplexity_per_byte"].as_f64().unwrap();
    assert!((found.per_token / expected - 1.0).abs() < 1e-5, "{} {expected}", found.per_token);

    let logits = forward(&decoder, &held[0], Precision::Full).unwrap();
    let last = &logits.row(WINDOW - 1)[usize::from(b'a')..];
    for (found, expected) in last.iter().zip(facts["first_window_last_logits_of_a_to_p"].as_array().unwrap())
    {
        assert!((f64::from(*found) - expected.as_f64().unwrap()).abs() < 1e-3, "{found} {expected}");
    }
}
