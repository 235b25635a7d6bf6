//! A bound of a plot, its name along it.

use super::canvas::{Canvas, Place, Rect};
use super::labels::Clearance;
use super::metrics;

/// How far a name is moved to find room.
const STEP: f64 = 8.0;

/// The part of a straight line that is inside an area (Liang and Barsky, ACM TOG 3(1), 1984).
pub(super) fn clip((from, to): (Place, Place), area: Rect) -> Option<(Place, Place)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let sides = [
        (-dx, from.0 - area.x),
        (dx, area.right() - from.0),
        (-dy, from.1 - area.y),
        (dy, area.bottom() - from.1),
    ];
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (step, room) in sides {
        match step {
            0.0 if room < 0.0 => return None,
            0.0 => {}
            step if step < 0.0 => enter = enter.max(room / step),
            step => leave = leave.min(room / step),
        }
    }
    let at = |part: f64| (from.0 + dx * part, from.1 + dy * part);
    (enter < leave).then(|| (at(enter), at(leave)))
}

/// A straight bound with its name.
pub(super) struct Roof<'a> {
    pub(super) name: &'a str,
    pub(super) from: Place,
    pub(super) to: Place,
}

/// All roofs of a plot, then their names: at the right of a level one, along a slope.
pub(super) fn draw(canvas: &mut Canvas, roofs: &[Roof<'_>], clearance: &mut Clearance) {
    for roof in roofs {
        canvas.line("roof", roof.from, roof.to);
        clearance.take_line(&[roof.from, roof.to]);
    }
    for roof in roofs {
        let level = (roof.from.1 - roof.to.1).abs() < 1.0;
        if level { level_name(canvas, roof, clearance) } else { slope_name(canvas, roof, clearance) }
    }
}

/// Above or below the line, as far right as there is room.
fn level_name(canvas: &mut Canvas, roof: &Roof<'_>, clearance: &mut Clearance) {
    let Roof { name, from: start, to: end } = roof;
    let width = metrics::bold_width(name);
    let rightmost = end.0 - width - 2.0;
    let steps = ((rightmost - start.0) / STEP).max(0.0) as u32;
    let xs = (0..=steps).map(|step| rightmost - f64::from(step) * STEP);
    let places = xs.flat_map(|x| [(x, end.1 - 6.0), (x, end.1 + 15.0)]);
    let free = |at: &Place| clearance.is_free(&metrics::text_box(*at, width));
    let at = places.into_iter().find(free).unwrap_or((rightmost, end.1 - 6.0));
    canvas.text(at, "roof-name", name);
    clearance.take_words(metrics::text_box(at, width));
}

/// Just above the slope, from a quarter of its length on.
fn slope_name(canvas: &mut Canvas, roof: &Roof<'_>, clearance: &mut Clearance) {
    let Roof { name, from, to } = roof;
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    let place = |along: f64, off: f64| {
        let part = along / length;
        (from.0 + dx * part + off * dy / length, from.1 + dy * part - off * dx / length)
    };
    let words = metrics::bold_width(name);
    let start = (length / 4.0).min(length - words).max(4.0);
    canvas.turned_text(place(start, 6.0), dy.atan2(dx).to_degrees(), "roof-name", name);
    for step in 0..=(words / STEP) as u32 {
        clearance.take_words(Rect::around(place(start + f64::from(step) * STEP, 11.0), 7.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Rect = Rect { x: 0.0, y: 0.0, width: 10.0, height: 10.0 };

    #[test]
    fn what_is_outside_is_cut_off() {
        assert_eq!(clip(((-5.0, 5.0), (15.0, 5.0)), AREA), Some(((0.0, 5.0), (10.0, 5.0))));
        assert_eq!(clip(((-5.0, 15.0), (5.0, 5.0)), AREA), Some(((0.0, 10.0), (5.0, 5.0))));
        assert_eq!(clip(((2.0, 2.0), (3.0, 3.0)), AREA), Some(((2.0, 2.0), (3.0, 3.0))));
        assert_eq!(clip(((-5.0, 20.0), (15.0, 20.0)), AREA), None);
    }
}
