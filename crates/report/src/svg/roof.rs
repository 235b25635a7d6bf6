//! A bound of a plot, its name along it.

use super::canvas::{Canvas, Place};
use super::labels::Clearance;
use super::metrics;

/// How far a name is moved to find room.
const STEP: f64 = 8.0;

/// A straight roof: named at the right end if it is level, along its slope if not.
pub(super) fn draw(canvas: &mut Canvas, name: &str, from: Place, to: Place, clearance: &mut Clearance) {
    canvas.line("roof", from, to);
    if (from.1 - to.1).abs() < 1.0 {
        level_name(canvas, name, (from, to), clearance);
    } else {
        slope_name(canvas, name, from, to, clearance);
    }
}

/// Above or below the line, as far right as there is room.
fn level_name(canvas: &mut Canvas, name: &str, (start, end): (Place, Place), clearance: &mut Clearance) {
    let width = metrics::bold_width(name);
    let rightmost = end.0 - width - 2.0;
    let steps = ((rightmost - start.0) / STEP).max(0.0) as u32;
    let xs = (0..=steps).map(|step| rightmost - f64::from(step) * STEP);
    let places = xs.flat_map(|x| [(x, end.1 - 6.0), (x, end.1 + 15.0)]);
    let free = |at: &Place| clearance.is_free(&metrics::text_box(*at, width));
    let at = places.into_iter().find(free).unwrap_or((rightmost, end.1 - 6.0));
    canvas.text(at, "roof-name", name);
    clearance.take(metrics::text_box(at, width));
}

/// Just above the slope, from a quarter of its length on.
fn slope_name(canvas: &mut Canvas, name: &str, from: Place, to: Place, clearance: &mut Clearance) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    let place = |along: f64, off: f64| {
        let part = along / length;
        (from.0 + dx * part + off * dy / length, from.1 + dy * part - off * dx / length)
    };
    let words = metrics::bold_width(name);
    let start = (length / 4.0).min(length - words).max(4.0);
    canvas.turned_text(place(start, 6.0), dy.atan2(dx).to_degrees(), "roof-name", name);
    for off in [6.0, 12.0, 18.0] {
        clearance.take_line(&[place(start, off), place(start + words, off)]);
    }
}
