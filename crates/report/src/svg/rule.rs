//! A dashed line across the plot at one value of an axis, with its name.

use super::canvas::{Canvas, Place, Rect};
use super::labels::Clearance;
use super::metrics;

/// At a value of the horizontal axis; the name right of its upper end.
pub(super) fn upright(canvas: &mut Canvas, x: f64, words: &str, area: Rect, clearance: &mut Clearance) {
    let ends = [(x, area.y), (x, area.bottom())];
    draw(canvas, ends, (x + 5.0, area.y + 12.0), words, clearance);
}

/// At a value of the vertical axis; the name above its right end.
pub(super) fn level(canvas: &mut Canvas, y: f64, words: &str, area: Rect, clearance: &mut Clearance) {
    let ends = [(area.x, y), (area.right(), y)];
    draw(canvas, ends, (area.right() - metrics::width(words) - 2.0, y - 5.0), words, clearance);
}

fn draw(canvas: &mut Canvas, ends: [Place; 2], at: Place, words: &str, clearance: &mut Clearance) {
    canvas.line("rule", ends[0], ends[1]);
    canvas.text(at, "rule-name", words);
    clearance.take_line(&ends);
    clearance.take_words(metrics::text_box(at, metrics::width(words)));
}
