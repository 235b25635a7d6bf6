//! Words wrapped into lines.

use unicode_width::UnicodeWidthStr;

/// Breaks a text at blanks so that no line is wider than `width`, save for a longer word.
pub fn wrap(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else { return vec![text.to_owned()] };
    if text.width() <= width {
        return vec![text.to_owned()];
    }
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut().filter(|line| line.width() + 1 + word.width() <= width) {
            Some(line) => line.extend([" ", word]),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The width of the longest word: no wrapping makes a text narrower.
pub(super) fn longest_word(text: &str) -> usize {
    text.split_whitespace().map(UnicodeWidthStr::width).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_filled_and_long_words_kept() {
        assert_eq!(wrap("a bb ccc dddd", Some(5)), ["a bb", "ccc", "dddd"]);
        assert_eq!(wrap("unbreakable no", Some(4)), ["unbreakable", "no"]);
        assert_eq!(wrap("any length", None), ["any length"]);
    }
}
