//! A figure as SVG.
//!
//! Our own writer and not a plotting library: colours must follow the reader's light or dark page (style sheet
//! variables), labels must keep clear of roofs, points and each other, and panels must share scales and a legend.
//! Coordinates are CSS pixels; text is 12 px and never smaller.

mod bars;
mod canvas;
mod frame;
mod labels;
mod legend;
mod metrics;
mod palette;
mod roof;
mod rule;
mod scale;
mod xy;

use crate::figure::{Figure, Panel, Plot};
pub(crate) use canvas::escape;
use canvas::{Canvas, Rect};
use palette::Palette;
use scale::SharedDomains;

/// The style sheet of figures: one for a page with any number of fragments.
pub const STYLE: &str = include_str!("svg/style.css");

/// Height of the plot area of an xy panel, and of the frame's texts around it.
const XY_HEIGHT: f64 = 390.0;
/// Width of a panel standing alone, and of one of two side by side.
const SINGLE: f64 = 760.0;
const HALF: f64 = 500.0;
/// Space between panels.
const GUTTER: f64 = 24.0;

/// The figure as a file of its own, with title and style.
pub fn document(figure: &Figure) -> String {
    let head = 34.0;
    let (width, height, body) = draw(figure);
    let mut canvas = Canvas::default();
    canvas.text((0.0, 20.0), "figure-title", &figure.title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"figure\" width=\"{w}\" height=\"{h}\" viewBox=\"-12 -8 {w} {h}\" \
         role=\"img\"><title>{title}</title><desc>{desc}</desc><style>{STYLE}</style>\
         <rect class=\"paper\" x=\"-12\" y=\"-8\" width=\"100%\" height=\"100%\"/>{heading}<g transform=\"translate(0 {head})\">{body}</g></svg>\n",
        w = width + 24.0,
        h = height + head + 16.0,
        title = escape(&figure.title),
        desc = escape(&figure.caption),
        heading = canvas.finish(),
    )
}

/// The figure as an element of a page that has [`STYLE`]; the page shows title and caption.
pub fn fragment(figure: &Figure) -> String {
    let (width, height, body) = draw(figure);
    format!(
        "<svg class=\"figure\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"{}\">{body}</svg>\n",
        escape(&figure.title),
    )
}

/// Legend above, panels in rows of two below: width, height and the elements.
fn draw(figure: &Figure) -> (f64, f64, String) {
    let palette = Palette::of(figure);
    let domains = SharedDomains::of(figure);
    let panel_width = if figure.panels.len() > 1 { HALF } else { SINGLE };
    let width = if figure.panels.len() > 1 { 2.0 * HALF + GUTTER } else { SINGLE };
    let mut canvas = Canvas::default();
    let mut top = legend::draw(&mut canvas, figure, &palette, width);
    for row in figure.panels.chunks(2) {
        let height = row.iter().map(height_of).fold(0.0, f64::max);
        for (index, panel) in row.iter().enumerate() {
            let place = Rect { x: index as f64 * (panel_width + GUTTER), y: top, width: panel_width, height };
            draw_panel(&mut canvas, panel, place, &palette, &domains);
        }
        top += height + GUTTER;
    }
    (width, (top - GUTTER).max(1.0), canvas.finish())
}

fn height_of(panel: &Panel) -> f64 {
    let title = if panel.title.is_empty() { 0.0 } else { frame::TITLE };
    title
        + match &panel.plot {
            Plot::Xy(_) => XY_HEIGHT,
            Plot::Bars(bars) => bars::height(bars),
        }
}

fn draw_panel(canvas: &mut Canvas, panel: &Panel, place: Rect, palette: &Palette, domains: &SharedDomains) {
    let place = frame::title(canvas, &panel.title, place);
    match &panel.plot {
        Plot::Xy(xy) => xy::draw(canvas, xy, place, palette, domains),
        Plot::Bars(bars) => bars::draw(canvas, bars, place, palette),
    }
}

#[cfg(test)]
mod tests;
