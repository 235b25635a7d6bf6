//! Lines, points and rules over two axes.

use super::canvas::{Canvas, Place, Rect};
use super::frame;
use super::labels::{Clearance, Wish};
use super::metrics;
use super::palette::Palette;
use super::scale::{Mapping, SharedDomains};
use crate::cell::{number, percent};
use crate::figure::{Mark, Point, Rule, Series, Xy};

/// Radius of a mark without weight, and of the lightest and the heaviest.
const RADIUS: f64 = 4.0;
const LIGHTEST: f64 = 3.0;
const HEAVIEST: f64 = 11.0;

/// The plot area and how values come to stand in it.
struct Ground {
    area: Rect,
    x: Mapping,
    y: Mapping,
}

/// Axes, then rules, roofs, lines and marks, then the words that still find room.
pub(super) fn draw(canvas: &mut Canvas, xy: &Xy, place: Rect, palette: &Palette, domains: &SharedDomains) {
    let area = frame::inner(place);
    let ground = Ground {
        area,
        x: Mapping::new(xy.x.scale, domains.get(&xy.x), (area.x, area.right())),
        y: Mapping::new(xy.y.scale, domains.get(&xy.y), (area.bottom(), area.y)),
    };
    frame::x_axis(canvas, &xy.x, &ground.x, area);
    frame::y_axis(canvas, &xy.y, &ground.y, area);
    frame::border(canvas, area);
    let mut clearance = Clearance::new(area);
    xy.series.iter().for_each(|series| ground.keep_clear(series, &mut clearance));
    xy.series
        .iter()
        .filter(|series| series.mark == Mark::Roof)
        .for_each(|roof| ground.roof(canvas, roof, &mut clearance));
    xy.rules.iter().for_each(|rule| ground.rule(canvas, rule, &mut clearance));
    xy.series.iter().for_each(|series| ground.line(canvas, series, palette));
    xy.series.iter().for_each(|series| ground.marks(canvas, xy, series, palette));
    let wishes =
        xy.series.iter().filter(|series| series.mark != Mark::Roof).flat_map(|series| ground.wishes(series));
    clearance.place_all(canvas, wishes.collect());
}

impl Ground {
    fn place(&self, point: &Point) -> Option<Place> {
        Some((self.x.place(point.x)?, self.y.place(point.y)?))
    }

    fn keep_clear(&self, series: &Series, clearance: &mut Clearance) {
        clearance.take_line(&self.path(series));
        if series.mark != Mark::Roof {
            let marks = series
                .points
                .iter()
                .filter_map(|point| Some(Rect::around(self.place(point)?, radius(point))));
            marks.for_each(|mark| clearance.take(mark));
        }
    }

    /// The line of a series through its points; empty for points alone.
    fn path(&self, series: &Series) -> Vec<Place> {
        let places: Vec<Place> = series.points.iter().filter_map(|point| self.place(point)).collect();
        match series.mark {
            Mark::Points => Vec::new(),
            Mark::Line | Mark::LinePoints | Mark::Roof => places,
            Mark::Front => staircase(&places, |from, to| (from.0, to.1)),
            Mark::BudgetFront => staircase(&places, |from, to| (to.0, from.1)),
        }
    }

    fn line(&self, canvas: &mut Canvas, series: &Series, palette: &Palette) {
        let path = self.path(series);
        if series.mark != Mark::Roof && path.len() > 1 {
            canvas.polyline(&format!("series {}", palette.class(&series.name)), &path);
        }
    }

    fn marks(&self, canvas: &mut Canvas, xy: &Xy, series: &Series, palette: &Palette) {
        if matches!(series.mark, Mark::Line | Mark::Roof) {
            return;
        }
        for point in &series.points {
            let Some(at) = self.place(point) else { continue };
            self.whisker(canvas, point, at, &palette.class(&series.name));
            palette.mark(canvas, &series.name, at, radius(point), &hint(xy, series, point));
        }
    }

    fn whisker(&self, canvas: &mut Canvas, point: &Point, (x, _): Place, class: &str) {
        let ends = point.interval.map(|(low, high)| (self.y.place(low), self.y.place(high)));
        if let Some((Some(low), Some(high))) = ends {
            canvas.line(&format!("whisker {class}"), (x, low), (x, high));
        }
    }

    fn wishes<'a>(&self, series: &'a Series) -> Vec<Wish<'a>> {
        let wish = |point: &'a Point| {
            let words = point.label.as_deref()?;
            Some(Wish {
                at: self.place(point)?,
                radius: radius(point),
                words,
                weight: point.weight.unwrap_or(0.0),
            })
        };
        series.points.iter().filter_map(wish).collect()
    }

    /// A roof and its name along it: at the right end of a level one, in the middle of a slope.
    fn roof(&self, canvas: &mut Canvas, series: &Series, clearance: &mut Clearance) {
        let path = self.path(series);
        canvas.polyline("roof", &path);
        let [from, to] = path[..] else { return };
        if (from.1 - to.1).abs() < 1.0 {
            self.level_name(canvas, &series.name, to, clearance);
        } else {
            self.slope_name(canvas, &series.name, from, to, clearance);
        }
    }

    /// Above the line at its right end, or below where another name stands.
    fn level_name(&self, canvas: &mut Canvas, name: &str, end: Place, clearance: &mut Clearance) {
        let x = end.0 - metrics::width(name) - 2.0;
        let heights = [end.1 - 5.0, end.1 + 14.0];
        let free = heights.into_iter().find(|&y| clearance.is_free(&metrics::text_box((x, y), name)));
        let at = (x, free.unwrap_or(heights[0]));
        canvas.text(at, "roof-name", name);
        clearance.take(metrics::text_box(at, name));
    }

    /// Along the slope, just above it, from a third of its length on.
    fn slope_name(&self, canvas: &mut Canvas, name: &str, from: Place, to: Place, clearance: &mut Clearance) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        let at = |along: f64, off: f64| {
            let part = along / length;
            (from.0 + dx * part + off * dy / length, from.1 + dy * part - off * dx / length)
        };
        let words = metrics::width(name);
        let start = (length / 3.0).min(length - words).max(4.0);
        canvas.turned_text(at(start, 6.0), dy.atan2(dx).to_degrees(), "roof-name", name);
        clearance.take_line(&[at(start, 6.0), at(start + words, 6.0)]);
        clearance.take_line(&[at(start, 14.0), at(start + words, 14.0)]);
    }

    fn rule(&self, canvas: &mut Canvas, rule: &Rule, clearance: &mut Clearance) {
        match rule {
            Rule::X(value, words) => {
                let Some(x) = self.x.place(*value) else { return };
                let ends = [(x, self.area.y), (x, self.area.bottom())];
                self.ruled(canvas, ends, (x + 4.0, self.area.y + 12.0), words, clearance);
            }
            Rule::Y(value, words) => {
                let Some(y) = self.y.place(*value) else { return };
                let ends = [(self.area.x, y), (self.area.right(), y)];
                let start = self.area.right() - metrics::width(words) - 2.0;
                self.ruled(canvas, ends, (start, y - 5.0), words, clearance);
            }
        }
    }

    fn ruled(
        &self,
        canvas: &mut Canvas,
        ends: [Place; 2],
        at: Place,
        words: &str,
        clearance: &mut Clearance,
    ) {
        canvas.line("rule", ends[0], ends[1]);
        canvas.text(at, "rule-name", words);
        clearance.take_line(&ends);
        clearance.take(metrics::text_box(at, words));
    }
}

/// A corner between each two points.
fn staircase(places: &[Place], corner: impl Fn(Place, Place) -> Place) -> Vec<Place> {
    let first = places.first().copied().into_iter();
    first.chain(places.windows(2).flat_map(|pair| [corner(pair[0], pair[1]), pair[1]])).collect()
}

/// The area of a mark is in proportion to its weight.
fn radius(point: &Point) -> f64 {
    point.weight.map_or(RADIUS, |weight| (HEAVIEST * weight.clamp(0.0, 1.0).sqrt()).max(LIGHTEST))
}

/// All that is known of a point, shown on hovering.
fn hint(xy: &Xy, series: &Series, point: &Point) -> String {
    let name = point.label.as_deref().unwrap_or(&series.name);
    let interval =
        point.interval.map_or_else(String::new, |(low, high)| format!(" ({}–{})", number(low), number(high)));
    let weight = point.weight.map_or_else(String::new, |weight| format!(", {}", percent(weight)));
    format!("{name}: {} {}, {}{interval} {}{weight}", number(point.x), xy.x.unit, number(point.y), xy.y.unit)
}
