//! Lines, points and rules over two axes.

use super::canvas::{Canvas, Place, Rect};
use super::frame;
use super::labels::{Clearance, Reach, Wish};
use super::palette::Palette;
use super::roof::{self, Roof};
use super::rule;
use super::scale::{Mapping, SharedDomains};
use crate::cell::{number, percent};
use crate::figure::{Mark, Point, Rule, Series, Xy};

/// Radius of a mark without weight, and of the lightest and the heaviest.
const RADIUS: f64 = 4.0;
const LIGHTEST: f64 = 3.0;
const HEAVIEST: f64 = 11.0;
/// Radius of one of many.
const DOT: f64 = 2.0;

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
    roof::draw(canvas, &ground.roofs(xy), &mut clearance);
    xy.rules.iter().for_each(|rule| ground.rule(canvas, rule, &mut clearance));
    xy.series.iter().for_each(|series| ground.line(canvas, series, palette));
    xy.series.iter().for_each(|series| ground.marks(canvas, xy, series, palette));
    let points = xy.series.iter().filter(|series| series.mark != Mark::Roof);
    let wishes = points.flat_map(|series| ground.wishes(series));
    clearance.place_all(canvas, wishes.collect());
}

impl Ground {
    fn place(&self, point: &Point) -> Option<Place> {
        Some((self.x.place(point.x)?, self.y.place(point.y)?))
    }

    /// The roofs, as far as they cross the plot area.
    fn roofs<'a>(&self, xy: &'a Xy) -> Vec<Roof<'a>> {
        let roofs = xy.series.iter().filter(|series| series.mark == Mark::Roof);
        let clipped = roofs.filter_map(|series| {
            let [from, to] = self.path(series)[..] else { return None };
            let (from, to) = roof::clip((from, to), self.area)?;
            Some(Roof { name: &series.name, from, to })
        });
        clipped.collect()
    }

    fn rule(&self, canvas: &mut Canvas, rule: &Rule, clearance: &mut Clearance) {
        match rule {
            Rule::X(value, words) => {
                self.x
                    .place(*value)
                    .into_iter()
                    .for_each(|x| rule::upright(canvas, x, words, self.area, clearance));
            }
            Rule::Y(value, words) => {
                self.y
                    .place(*value)
                    .into_iter()
                    .for_each(|y| rule::level(canvas, y, words, self.area, clearance));
            }
        }
    }

    fn keep_clear(&self, series: &Series, clearance: &mut Clearance) {
        if series.mark == Mark::Roof {
            return;
        }
        clearance.take_line(&self.path(series));
        for point in &series.points {
            let Some(at) = self.place(point) else { continue };
            clearance.take(Rect::around(at, radius(series.mark, point)));
            self.whisker_ends(point).into_iter().for_each(|ends| clearance.take_line(&ends));
        }
    }

    /// The line of a series through its points; empty for points alone.
    fn path(&self, series: &Series) -> Vec<Place> {
        let places: Vec<Place> = series.points.iter().filter_map(|point| self.place(point)).collect();
        match series.mark {
            Mark::Points | Mark::Dots => Vec::new(),
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
            self.whisker(canvas, point, &palette.class(&series.name));
            palette.mark(canvas, &series.name, at, radius(series.mark, point), &hint(xy, series, point));
        }
    }

    fn whisker(&self, canvas: &mut Canvas, point: &Point, class: &str) {
        if let Some([low, high]) = self.whisker_ends(point) {
            canvas.line(&format!("whisker {class}"), low, high);
        }
    }

    fn whisker_ends(&self, point: &Point) -> Option<[Place; 2]> {
        let (x, (low, high)) = (self.x.place(point.x)?, point.interval?);
        Some([(x, self.y.place(low)?), (x, self.y.place(high)?)])
    }

    fn wishes<'a>(&self, series: &'a Series) -> Vec<Wish<'a>> {
        // The points of a line follow each other so closely that lines from labels to them would tangle.
        let reach = if matches!(series.mark, Mark::Points | Mark::Dots) { Reach::Far } else { Reach::Beside };
        let wish = |point: &'a Point| {
            let words = point.label.as_deref()?;
            let (at, weight) = (self.place(point)?, point.weight.unwrap_or(0.0));
            Some(Wish { at, radius: radius(series.mark, point), words, weight, reach })
        };
        series.points.iter().filter_map(wish).collect()
    }
}

/// A corner between each two points.
fn staircase(places: &[Place], corner: impl Fn(Place, Place) -> Place) -> Vec<Place> {
    let first = places.first().copied().into_iter();
    first.chain(places.windows(2).flat_map(|pair| [corner(pair[0], pair[1]), pair[1]])).collect()
}

/// The area of a mark is in proportion to its weight.
fn radius(mark: Mark, point: &Point) -> f64 {
    if mark == Mark::Dots {
        return DOT;
    }
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
