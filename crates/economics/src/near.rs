//! The nearest valid words, for the help of a diagnostic.

/// How many are named.
const MOST: usize = 3;

/// "did you mean `x`?": the words that begin so, or else those the fewest typing errors away, if they are few.
pub(crate) fn did_you_mean(word: &str, words: &[&str]) -> Option<String> {
    let word = word.to_lowercase();
    let begin: Vec<&str> =
        words.iter().copied().filter(|known| known.to_lowercase().starts_with(&word)).collect();
    let near = if begin.is_empty() || word.is_empty() { few_errors(&word, words) } else { begin };
    let named: Vec<String> = near.iter().take(MOST).map(|known| format!("`{known}`")).collect();
    (!named.is_empty()).then(|| format!("did you mean {}?", named.join(" or ")))
}

fn few_errors<'a>(word: &str, words: &[&'a str]) -> Vec<&'a str> {
    let distance = |known: &str| strsim::osa_distance(word, &known.to_lowercase());
    let most = (word.chars().count() / 3).max(1);
    let Some(fewest) = words.iter().map(|known| distance(known)).min().filter(|fewest| *fewest <= most)
    else {
        return Vec::new();
    };
    words.iter().copied().filter(|known| distance(known) == fewest).collect()
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn a_beginning_goes_before_a_typing_error() {
        assert_eq!(did_you_mean("v24", &["V22", "V23", "V24c"]).as_deref(), Some("did you mean `V24c`?"));
        assert_eq!(did_you_mean("v32", &["V22", "V23"]).as_deref(), Some("did you mean `V22` or `V23`?"));
        assert_eq!(did_you_mean("xyzzy", &["V22"]), None);
    }
}
