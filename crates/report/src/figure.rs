//! A figure as a value: what is drawn, in which units, and what to see in it.

mod roofline;

pub use roofline::{Roof, Roofline};

use serde::{Deserialize, Serialize};

/// One or several panels that share a legend.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What is shown, in a few words.
    pub title: String,
    /// What to see in it, in a sentence or two.
    pub caption: String,
    /// Small multiples, left to right.
    pub panels: Vec<Panel>,
}

/// One plot of a figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// What tells it from the others; may be empty.
    pub title: String,
    /// The plot.
    pub plot: Plot,
}

/// The kinds of plot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Plot {
    /// Lines and points over two axes.
    Xy(Xy),
    /// Horizontal bars of coloured segments.
    Bars(Bars),
}

/// Lines and points over two axes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Xy {
    /// Horizontal.
    pub x: Axis,
    /// Vertical.
    pub y: Axis,
    /// Drawn in order; colours follow the order of first use of each name over all panels.
    pub series: Vec<Series>,
    /// Limits and marks across the plot.
    pub rules: Vec<Rule>,
}

/// What an axis measures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// The quantity, in a few words.
    pub label: String,
    /// Its unit; empty for a bare number.
    pub unit: String,
    /// How values become places.
    pub scale: Scale,
    /// What is shown; by default, all points.
    pub range: Option<(f64, f64)>,
}

/// How values become places on an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// In proportion, from zero.
    #[default]
    Linear,
    /// By factor. Values that are not positive are left out.
    Log,
}

/// Points that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// What they have in common: the legend's word. Series of one name share a colour.
    pub name: String,
    /// How they are drawn.
    pub mark: Mark,
    /// In drawing order.
    pub points: Vec<Point>,
}

/// How the points of a series are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// Points alone.
    Points,
    /// Points alone, small: for hundreds of them.
    Dots,
    /// A line alone.
    Line,
    /// A line with its points.
    LinePoints,
    /// A staircase through its points, sorted by `x`: a Pareto front where more of `x` is better.
    Front,
    /// The same where less of `x` is better.
    BudgetFront,
    /// A straight neutral line that bounds the others; its name stands along it.
    Roof,
}

/// One point.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Horizontal, in the axis' unit.
    pub x: f64,
    /// Vertical, in the axis' unit.
    pub y: f64,
    /// P10 and P90 of `y`, drawn as a whisker.
    pub interval: Option<(f64, f64)>,
    /// What is written beside it, space permitting, and always shown on hovering.
    pub label: Option<String>,
    /// Its weight from zero to one: the area of its mark, and which labels come first.
    pub weight: Option<f64>,
}

/// A line across the plot at one value of an axis, such as a service level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Rule {
    /// Upright, at a value of `x`.
    X(f64, String),
    /// Level, at a value of `y`.
    Y(f64, String),
}

/// Horizontal bars of coloured segments over one axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bars {
    /// What the lengths measure.
    pub axis: Axis,
    /// Top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// Stands left of it.
    pub label: String,
    /// From left to right.
    pub segments: Vec<Segment>,
}

/// One part of a bar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// The legend's word; parts of one name share a colour.
    pub name: String,
    /// Its length, in the axis' unit.
    pub value: f64,
}

impl Figure {
    /// A figure of one panel.
    pub fn new(title: impl Into<String>, caption: impl Into<String>, plot: Plot) -> Self {
        Self::of_panels(title, caption, [(String::new(), plot)])
    }

    /// A figure of titled panels.
    pub fn of_panels(
        title: impl Into<String>,
        caption: impl Into<String>,
        panels: impl IntoIterator<Item = (String, Plot)>,
    ) -> Self {
        let panels = panels.into_iter().map(|(title, plot)| Panel { title, plot }).collect();
        Self { title: title.into(), caption: caption.into(), panels }
    }
}

impl Axis {
    /// A linear axis from zero.
    pub fn linear(label: &str, unit: &str) -> Self {
        Self { label: label.to_owned(), unit: unit.to_owned(), ..Self::default() }
    }

    /// A logarithmic axis.
    pub fn log(label: &str, unit: &str) -> Self {
        Self { scale: Scale::Log, ..Self::linear(label, unit) }
    }

    /// The label with its unit, as it stands beside the axis.
    pub fn title(&self) -> String {
        if self.unit.is_empty() { self.label.clone() } else { format!("{} ({})", self.label, self.unit) }
    }
}

impl Series {
    /// Points that belong together.
    pub fn new(name: impl Into<String>, mark: Mark, points: impl IntoIterator<Item = Point>) -> Self {
        Self { name: name.into(), mark, points: points.into_iter().collect() }
    }
}

impl Point {
    /// A bare point.
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y, ..Self::default() }
    }

    /// The same point with words beside it.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The same point with a weight from zero to one.
    #[must_use]
    pub fn weight(mut self, weight: f64) -> Self {
        self.weight = Some(weight);
        self
    }

    /// The same point with P10 and P90 of its `y`.
    #[must_use]
    pub fn interval(mut self, p10: f64, p90: f64) -> Self {
        self.interval = Some((p10, p90));
        self
    }
}

impl Bar {
    /// A bar of named segments.
    pub fn new(label: impl Into<String>, segments: impl IntoIterator<Item = (String, f64)>) -> Self {
        let segments = segments.into_iter().map(|(name, value)| Segment { name, value }).collect();
        Self { label: label.into(), segments }
    }

    /// The length of the whole bar.
    pub fn total(&self) -> f64 {
        self.segments.iter().map(|segment| segment.value).sum()
    }
}
