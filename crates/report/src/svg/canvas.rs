//! SVG elements as text. Numbers keep one decimal: a tenth of a pixel.

use std::fmt::Write;

/// Elements drawn so far.
#[derive(Default)]
pub(super) struct Canvas(String);

/// A place: the upper left corner and the size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// A point of the drawing.
pub(super) type Place = (f64, f64);

impl Rect {
    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// A square around a point.
    pub(super) fn around((x, y): Place, half: f64) -> Self {
        Self { x: x - half, y: y - half, width: 2.0 * half, height: 2.0 * half }
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    pub(super) fn contains(&self, other: &Self) -> bool {
        self.x <= other.x
            && other.right() <= self.right()
            && self.y <= other.y
            && other.bottom() <= self.bottom()
    }
}

impl Canvas {
    pub(super) fn line(&mut self, class: &str, from: Place, to: Place) {
        self.add(format_args!(
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
            from.0, from.1, to.0, to.1
        ));
    }

    pub(super) fn polyline(&mut self, class: &str, places: &[Place]) {
        let points: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.add(format_args!("<polyline class=\"{class}\" points=\"{}\"/>", points.join(" ")));
    }

    /// A rectangle; `hint` is shown on hovering.
    pub(super) fn rect(&mut self, class: &str, place: Rect, hint: &str) {
        let Rect { x, y, width, height } = place;
        self.add(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\">{}</rect>",
            hover(hint)
        ));
    }

    /// A closed shape by its path data; `hint` is shown on hovering.
    pub(super) fn path(&mut self, class: &str, data: &str, hint: &str) {
        self.add(format_args!("<path class=\"{class}\" d=\"{data}\">{}</path>", hover(hint)));
    }

    /// Words that begin, are centred or end (class `middle`, `end`) at a place on their base line.
    pub(super) fn text(&mut self, at: Place, class: &str, words: &str) {
        self.add(format_args!(
            "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            at.0,
            at.1,
            escape(words)
        ));
    }

    /// Words turned around their place by so many degrees, clockwise.
    pub(super) fn turned_text(&mut self, at: Place, degrees: f64, class: &str, words: &str) {
        self.add(format_args!(
            "<text class=\"{class}\" transform=\"translate({:.1} {:.1}) rotate({degrees:.1})\">{}</text>",
            at.0,
            at.1,
            escape(words)
        ));
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing into a `String` does not fail.
        let _ = self.0.write_fmt(element);
        self.0.push('\n');
    }
}

fn hover(hint: &str) -> String {
    if hint.is_empty() { String::new() } else { format!("<title>{}</title>", escape(hint)) }
}

/// Text as XML and HTML need it, in elements and attributes.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
