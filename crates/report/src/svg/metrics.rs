//! How wide words are, near enough to keep them apart.

use super::canvas::{Place, Rect};

/// Font size of all text but titles.
pub(super) const FONT: f64 = 12.0;
/// Height of a line of text.
pub(super) const LINE: f64 = 16.0;

/// Width of words in the page's sans-serif fonts; a little more than most of them need.
pub(super) fn width(words: &str) -> f64 {
    words.chars().map(em).sum::<f64>() * FONT * 1.04
}

/// Advance of one character, after the widths of Helvetica.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.25,
        'f' | 't' | 'r' | 'I' | ' ' | '/' | '(' | ')' | '[' | ']' | '-' | '·' => 0.33,
        'm' | 'w' | 'M' | 'W' | '%' => 0.86,
        'A'..='Z' | '+' | '×' | '=' | '<' | '>' | '~' => 0.68,
        '\u{2e80}'.. => 1.0,
        _ => 0.56,
    }
}

/// The box of words whose base line begins at a place.
pub(super) fn text_box((x, y): Place, words: &str) -> Rect {
    Rect { x, y: y - FONT * 0.8, width: width(words), height: FONT }
}
