//! Which name has which colour and mark.

use super::canvas::{Canvas, Place};
use crate::figure::{Figure, Mark, Plot};

/// Colours in the style sheet: `.c0` to `.c11`.
const COLOURS: usize = 12;

/// Names in the order of their first use; the order decides colour and shape.
pub(super) struct Palette(Vec<String>);

impl Palette {
    pub(super) fn of(figure: &Figure) -> Self {
        let mut names: Vec<String> = Vec::new();
        for name in figure.panels.iter().flat_map(|panel| coloured_names(&panel.plot)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Self(names)
    }

    /// The names for the legend.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The class that colours a name.
    pub(super) fn class(&self, name: &str) -> String {
        format!("c{}", self.index(name) % COLOURS)
    }

    /// Draws the mark of a name: a shape as well as a colour, for readers who cannot tell colours apart.
    pub(super) fn mark(&self, canvas: &mut Canvas, name: &str, at: Place, radius: f64, hint: &str) {
        let class = format!("mark {}", self.class(name));
        canvas.path(&class, &shape(self.index(name), at, radius), hint);
    }

    fn index(&self, name: &str) -> usize {
        self.0.iter().position(|known| known == name).unwrap_or(0)
    }
}

fn coloured_names(plot: &Plot) -> Vec<String> {
    match plot {
        Plot::Xy(xy) => xy
            .series
            .iter()
            .filter(|series| series.mark != Mark::Roof)
            .map(|series| series.name.clone())
            .collect(),
        Plot::Bars(bars) => {
            bars.bars.iter().flat_map(|bar| &bar.segments).map(|segment| segment.name.clone()).collect()
        }
    }
}

/// Circle, square, triangle, diamond in turn, of equal area.
fn shape(index: usize, (x, y): Place, radius: f64) -> String {
    match index % 4 {
        0 => format!(
            "M{:.1} {y:.1}a{radius:.1} {radius:.1} 0 1 0 {d:.1} 0a{radius:.1} {radius:.1} 0 1 0 -{d:.1} 0z",
            x - radius,
            d = 2.0 * radius
        ),
        1 => polygon((x, y), radius * 1.25, &[(-0.7, -0.7), (0.7, -0.7), (0.7, 0.7), (-0.7, 0.7)]),
        2 => polygon((x, y), radius * 1.35, &[(0.0, -1.0), (0.9, 0.6), (-0.9, 0.6)]),
        _ => polygon((x, y), radius * 1.3, &[(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)]),
    }
}

fn polygon((x, y): Place, radius: f64, corners: &[Place]) -> String {
    let places: Vec<String> =
        corners.iter().map(|(dx, dy)| format!("{:.1} {:.1}", x + dx * radius, y + dy * radius)).collect();
    format!("M{}z", places.join("L"))
}
