//! The nearest valid words, for the help of a diagnostic.

/// "did you mean `x`?": the words the fewest typing errors away, if they are few.
pub(crate) fn did_you_mean(word: &str, words: &[&str]) -> Option<String> {
    let distance = |known: &str| strsim::osa_distance(&word.to_lowercase(), &known.to_lowercase());
    let fewest = words.iter().map(|known| distance(known)).min()?;
    if fewest > (word.chars().count() / 3).max(1) {
        return None;
    }
    let near: Vec<String> = words
        .iter()
        .filter(|known| distance(known) == fewest)
        .take(3)
        .map(|known| format!("`{known}`"))
        .collect();
    Some(format!("did you mean {}?", near.join(" or ")))
}
