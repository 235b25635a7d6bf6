//! How wide words are, near enough to keep them apart.

use super::canvas::{Place, Rect};

/// Font size of all text but titles.
pub(super) const FONT: f64 = 12.0;
/// Height of a line of text.
pub(super) const LINE: f64 = 16.0;

/// Width of words in the widest of the style sheet's sans-serif fonts, so that they fit in all of them.
pub(super) fn width(words: &str) -> f64 {
    words.chars().map(em).sum::<f64>() * FONT
}

/// Width of words in bold print.
pub(super) fn bold_width(words: &str) -> f64 {
    1.12 * width(words)
}

/// Advance of one character, after the widths of `DejaVu Sans`.
fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | 'I' | '·' => 0.31,
        'f' | 't' | 'r' | '/' | '(' | ')' | '[' | ']' | '-' => 0.40,
        'm' | 'w' | 'M' | 'W' | '%' => 0.92,
        'A'..='Z' | '+' | '×' | '=' | '<' | '>' | '~' | '≤' | '≥' => 0.74,
        '\u{2e80}'.. => 1.0,
        _ => 0.62,
    }
}

/// The box of words so wide whose base line begins at a place.
pub(super) fn text_box((x, y): Place, width: f64) -> Rect {
    Rect { x, y: y - FONT * 0.8, width, height: FONT }
}
