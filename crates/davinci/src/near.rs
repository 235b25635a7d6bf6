//! The nearest valid word, for a diagnostic.

/// The known word most like `word`, if any is near.
pub(crate) fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    /// Likeness (Jaro-Winkler) below which two words have nothing to do with each other.
    const NEAR: f64 = 0.75;
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(word, name), name));
    scored.filter(|(score, _)| *score >= NEAR).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
