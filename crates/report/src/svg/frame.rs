//! Title, axes and grid of a panel.

use super::canvas::{Canvas, Rect};
use super::metrics::{self, LINE};
use super::scale::Mapping;
use crate::figure::Axis;

/// Height of the title of a panel.
pub(super) const TITLE: f64 = 26.0;
/// Room left of the plot area for the words of the vertical axis, above for its title, and below.
const LEFT: f64 = 46.0;
const ABOVE: f64 = 24.0;
const BELOW: f64 = 42.0;
const RIGHT: f64 = 10.0;

/// Draws the title of a panel, if it has one, and gives what is left of its place.
pub(super) fn title(canvas: &mut Canvas, words: &str, place: Rect) -> Rect {
    if words.is_empty() {
        return place;
    }
    canvas.text((place.x, place.y + 14.0), "panel-title", words);
    Rect { y: place.y + TITLE, height: place.height - TITLE, ..place }
}

/// The plot area inside the place of an xy panel.
pub(super) fn inner(place: Rect) -> Rect {
    Rect {
        x: place.x + LEFT,
        y: place.y + ABOVE,
        width: place.width - LEFT - RIGHT,
        height: place.height - ABOVE - BELOW,
    }
}

/// Upright grid lines, their values below the plot area, and the title of the axis below them.
pub(super) fn x_axis(canvas: &mut Canvas, axis: &Axis, mapping: &Mapping, area: Rect) {
    for (x, words) in mapping.ticks(70.0) {
        canvas.line("grid", (x, area.y), (x, area.bottom()));
        canvas.text((x, area.bottom() + LINE), "tick middle", &words);
    }
    let middle = area.x + area.width / 2.0;
    canvas.text((middle, area.bottom() + 2.0 * LINE + 4.0), "axis-title middle", &axis.title());
}

/// Level grid lines, their values left of the plot area, and the title of the axis above it, upright to read.
pub(super) fn y_axis(canvas: &mut Canvas, axis: &Axis, mapping: &Mapping, area: Rect) {
    for (y, words) in mapping.ticks(44.0) {
        canvas.line("grid", (area.x, y), (area.right(), y));
        canvas.text((area.x - 7.0, y + 4.0), "tick end", &words);
    }
    let title = axis.title();
    let x = (area.x - LEFT).min(area.right() - metrics::width(&title));
    canvas.text((x, area.y - 10.0), "axis-title", &title);
}

/// The two lines along the axes.
pub(super) fn border(canvas: &mut Canvas, area: Rect) {
    canvas.polyline("axis", &[(area.x, area.y), (area.x, area.bottom()), (area.right(), area.bottom())]);
}
