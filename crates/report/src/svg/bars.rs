//! Horizontal bars of coloured segments.

use super::canvas::{Canvas, Rect};
use super::frame;
use super::metrics::{self, LINE};
use super::palette::Palette;
use super::scale::{Mapping, domain_of_bars};
use crate::cell::{number, percent};
use crate::figure::{Bar, Bars, Scale, Segment};

/// Height of a bar, and of a bar with the blank below it.
const BAR: f64 = 26.0;
const PITCH: f64 = 36.0;
/// Room below for values and title of the axis.
const BELOW: f64 = 42.0;
/// Least blank on either side of words in a segment.
const PADDING: f64 = 5.0;

/// The height that a panel of bars takes.
pub(super) fn height(bars: &Bars) -> f64 {
    bars.bars.len() as f64 * PITCH + BELOW
}

/// Names left, bars in the middle, totals right.
pub(super) fn draw(canvas: &mut Canvas, bars: &Bars, place: Rect, palette: &Palette) {
    let widest = |words: &dyn Fn(&Bar) -> String| {
        bars.bars.iter().map(|bar| metrics::width(&words(bar))).fold(0.0, f64::max)
    };
    let left = widest(&|bar| bar.label.clone()) + 10.0;
    let right = widest(&|bar| total(bars, bar)) + 10.0;
    let area = Rect {
        x: place.x + left,
        y: place.y,
        width: (place.width - left - right).max(1.0),
        height: bars.bars.len() as f64 * PITCH,
    };
    let mapping = Mapping::new(Scale::Linear, domain_of_bars(bars), (area.x, area.right()));
    frame::x_axis(canvas, &bars.axis, &mapping, area);
    for (index, bar) in bars.bars.iter().enumerate() {
        draw_bar(canvas, bars, bar, &mapping, area.y + index as f64 * PITCH + 2.0, palette);
    }
}

fn draw_bar(canvas: &mut Canvas, bars: &Bars, bar: &Bar, mapping: &Mapping, y: f64, palette: &Palette) {
    let base = y + BAR / 2.0 + 4.0;
    let mut from = 0.0;
    let Some(origin) = mapping.place(from) else { return };
    canvas.text((origin - 8.0, base), "bar-name end", &bar.label);
    for segment in &bar.segments {
        let (Some(start), Some(end)) = (mapping.place(from), mapping.place(from + segment.value)) else {
            continue;
        };
        let place = Rect { x: start, y, width: (end - start).max(0.0), height: BAR };
        draw_segment(canvas, bars, bar, segment, place, palette);
        from += segment.value;
    }
    let end = mapping.place(from).unwrap_or(origin);
    canvas.text((end + 6.0, base), "total", &total(bars, bar));
}

/// A segment with its share in it, and its name too where there is room.
fn draw_segment(
    canvas: &mut Canvas,
    bars: &Bars,
    bar: &Bar,
    segment: &Segment,
    place: Rect,
    palette: &Palette,
) {
    let share = percent(segment.value / bar.total());
    let hint = format!("{}: {} {} ({share})", segment.name, number(segment.value), bars.axis.unit);
    canvas.rect(&format!("segment {}", palette.class(&segment.name)), place, &hint);
    let rounded = format!("{:.0}%", 100.0 * segment.value / bar.total());
    let words = [format!("{} {rounded}", segment.name), rounded];
    let middle = (place.x + place.width / 2.0, place.y + LINE / 2.0 + 9.0);
    if let Some(words) = words.iter().find(|words| metrics::width(words) + 2.0 * PADDING <= place.width) {
        canvas.text(middle, "in-segment middle", words);
    }
}

fn total(bars: &Bars, bar: &Bar) -> String {
    format!("{} {}", number(bar.total()), bars.axis.unit)
}
