//! Names with their colours and marks, in a line above the panels.

use super::canvas::{Canvas, Place, Rect};
use super::metrics::{self, LINE};
use super::palette::Palette;
use crate::figure::{Figure, Mark, Plot};

/// Width of a swatch with the blank after it, and the blank after the words.
const SWATCH: f64 = 24.0;
const BLANK: f64 = 20.0;

/// What stands before a name in the legend.
#[derive(Clone, Copy, PartialEq)]
enum Swatch {
    Mark,
    Line,
    LineAndMark,
    Block,
}

/// Draws the legend, wrapped to `width`, and gives the height it takes. A single name needs none.
pub(super) fn draw(canvas: &mut Canvas, figure: &Figure, palette: &Palette, width: f64) -> f64 {
    if palette.names().count() < 2 {
        return 0.0;
    }
    let (mut x, mut y) = (0.0, LINE);
    for name in palette.names() {
        let entry = SWATCH + metrics::width(name) + BLANK;
        if x > 0.0 && x + entry > width {
            (x, y) = (0.0, y + LINE + 4.0);
        }
        draw_swatch(canvas, swatch_of(figure, name), (x, y - 4.0), palette, name);
        canvas.text((x + SWATCH, y), "legend", name);
        x += entry;
    }
    y + LINE
}

fn swatch_of(figure: &Figure, name: &str) -> Swatch {
    let series = figure.panels.iter().find_map(|panel| match &panel.plot {
        Plot::Xy(xy) => xy.series.iter().find(|series| series.name == name),
        Plot::Bars(_) => None,
    });
    match series.map(|series| series.mark) {
        None => Swatch::Block,
        Some(Mark::Points | Mark::Dots) => Swatch::Mark,
        Some(Mark::Line | Mark::Roof) => Swatch::Line,
        Some(Mark::LinePoints | Mark::Front | Mark::BudgetFront) => Swatch::LineAndMark,
    }
}

fn draw_swatch(canvas: &mut Canvas, swatch: Swatch, (x, y): Place, palette: &Palette, name: &str) {
    let class = palette.class(name);
    if matches!(swatch, Swatch::Line | Swatch::LineAndMark) {
        canvas.line(&format!("series {class}"), (x, y), (x + 18.0, y));
    }
    if matches!(swatch, Swatch::Mark | Swatch::LineAndMark) {
        palette.mark(canvas, name, (x + 9.0, y), 4.5, "");
    }
    if swatch == Swatch::Block {
        canvas.rect(&format!("segment {class}"), Rect { x, y: y - 6.0, width: 16.0, height: 12.0 }, "");
    }
}
