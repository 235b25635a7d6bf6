//! The nearest valid words, for the help of a diagnostic.

/// How many are named.
const MOST: usize = 3;

/// The words that may be meant, at most three: those the fewest typing errors away, or else the most similar one.
pub(crate) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let words: Vec<&str> = words.into_iter().collect();
    let distance = |candidate: &str| strsim::osa_distance(word, candidate);
    let Some(fewest) = words.iter().map(|candidate| distance(candidate)).min() else { return Vec::new() };
    if fewest <= (word.chars().count() / 3).max(1) {
        return words.into_iter().filter(|candidate| distance(candidate) == fewest).take(MOST).collect();
    }
    // A word cut short is many typing errors away, but begins alike.
    let similar = words.into_iter().map(|candidate| (strsim::jaro_winkler(word, candidate), candidate));
    let best = similar.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.filter(|(score, _)| *score > 0.8).map(|(_, candidate)| candidate).into_iter().collect()
}

/// "did you mean `x` or `y`?", if anything is near.
pub fn did_you_mean<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    ask(&nearest(word, words))
}

/// "did you mean `x` or `y`?", if there is anything to name.
pub(super) fn ask(words: &[&str]) -> Option<String> {
    let (last, rest) = words.split_last()?;
    let rest: Vec<String> = rest.iter().map(|word| format!("`{word}`")).collect();
    let or = if rest.is_empty() { "" } else { " or " };
    Some(format!("did you mean {}{or}`{last}`?", rest.join(", ")))
}

/// The keys that may be meant: those in another table, or else those that are spelt alike.
pub(super) fn keys<'a>(path: &str, known: &'a [String]) -> Vec<&'a str> {
    let last = |key: &'a str| key.rsplit('.').next();
    let known = || known.iter().map(String::as_str);
    let misplaced: Vec<&str> =
        known().filter(|key| last(key) == path.rsplit('.').next()).take(MOST).collect();
    if misplaced.is_empty() { nearest(path, known()) } else { misplaced }
}

#[cfg(test)]
mod tests {
    use super::{did_you_mean, nearest};

    #[test]
    fn fewest_typing_errors_win_and_ties_are_all_named() {
        assert_eq!(nearest("h21", ["h100-sxm", "h20", "h20-141g"]), ["h20"]);
        assert_eq!(
            did_you_mean("h210", ["h200", "h20", "a100"]).as_deref(),
            Some("did you mean `h200` or `h20`?")
        );
    }

    #[test]
    fn a_word_cut_short_is_found_by_its_beginning() {
        assert_eq!(nearest("TB", ["GB/s", "TB/s", "TiB/s"]), ["TB/s"]);
    }

    #[test]
    fn nothing_is_near_a_word_of_another_kind() {
        assert!(nearest("xyzzy", ["h20", "h200"]).is_empty());
    }
}
