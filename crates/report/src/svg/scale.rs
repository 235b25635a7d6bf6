//! From values to places, and the round values that are written beside an axis.

use std::collections::BTreeMap;

use crate::figure::{Axis, Bar, Bars, Figure, Plot, Point, Scale, Xy};

/// The values that an axis spans.
pub(super) type Domain = (f64, f64);

/// What each axis of the xy panels of a figure spans: axes of the same title span the same in all panels.
pub(super) struct SharedDomains(BTreeMap<String, Domain>);

/// Maps the values of an axis to pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mapping {
    scale: Scale,
    domain: Domain,
    pixels: (f64, f64),
}

impl SharedDomains {
    pub(super) fn of(figure: &Figure) -> Self {
        let mut domains = BTreeMap::new();
        for panel in &figure.panels {
            if let Plot::Xy(xy) = &panel.plot {
                widen(&mut domains, &xy.x, &x_values(xy));
                widen(&mut domains, &xy.y, &y_values(xy));
            }
        }
        Self(domains)
    }

    pub(super) fn get(&self, axis: &Axis) -> Domain {
        self.0.get(&axis.title()).copied().unwrap_or((0.0, 1.0))
    }
}

/// What the axis of a panel of bars spans. It is its own: bars of one panel are compared, and totals are written out.
pub(super) fn domain_of_bars(bars: &Bars) -> Domain {
    let lengths: Vec<f64> = bars.bars.iter().map(Bar::total).collect();
    bars.axis.range.unwrap_or_else(|| span(Scale::Linear, &lengths))
}

fn widen(domains: &mut BTreeMap<String, Domain>, axis: &Axis, values: &[f64]) {
    let own = axis.range.unwrap_or_else(|| span(axis.scale, values));
    let shared = domains.entry(axis.title()).or_insert(own);
    *shared = (shared.0.min(own.0), shared.1.max(own.1));
}

fn x_values(xy: &Xy) -> Vec<f64> {
    points(xy).map(|point| point.x).collect()
}

fn y_values(xy: &Xy) -> Vec<f64> {
    points(xy)
        .flat_map(|point| [Some(point.y), point.interval.map(|i| i.0), point.interval.map(|i| i.1)])
        .flatten()
        .collect()
}

fn points(xy: &Xy) -> impl Iterator<Item = &Point> {
    xy.series.iter().flat_map(|series| &series.points)
}

/// From zero to a round value above all, or between round values around all on a logarithmic axis.
fn span(scale: Scale, values: &[f64]) -> Domain {
    let shown = |value: &&f64| value.is_finite() && (scale == Scale::Linear || **value > 0.0);
    let low = values.iter().filter(shown).copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().filter(shown).copied().fold(f64::NEG_INFINITY, f64::max);
    match scale {
        _ if low > high => (1.0, 10.0),
        Scale::Log => (round_down(low / 1.15), round_up(high * 1.15)),
        Scale::Linear if low == 0.0 && high == 0.0 => (0.0, 1.0),
        Scale::Linear => (low.min(0.0) * 1.06, high.max(0.0) * 1.06),
    }
}

/// The largest of 1, 2, 5 × 10ⁿ that is not above the value.
fn round_down(value: f64) -> f64 {
    let decade = 10f64.powf(value.log10().floor());
    let step = [5.0, 2.0, 1.0].into_iter().find(|step| step * decade <= value * 1.000_001);
    step.unwrap_or(1.0) * decade
}

/// The smallest of 1, 2, 5 × 10ⁿ that is not below the value.
fn round_up(value: f64) -> f64 {
    let decade = 10f64.powf(value.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * decade >= value * 0.999_999);
    step.unwrap_or(10.0) * decade
}

impl Mapping {
    pub(super) fn new(scale: Scale, domain: Domain, pixels: (f64, f64)) -> Self {
        Self { scale, domain, pixels }
    }

    /// The pixel of a value; none for what the axis cannot show.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let (low, high) = self.domain;
        let part = match self.scale {
            Scale::Linear => (value - low) / (high - low),
            Scale::Log if value > 0.0 => (value / low).ln() / (high / low).ln(),
            Scale::Log => return None,
        };
        part.is_finite().then_some(self.pixels.0 + part * (self.pixels.1 - self.pixels.0))
    }

    /// Round values inside the domain with the words for them, about one every `spacing` pixels.
    pub(super) fn ticks(&self, spacing: f64) -> Vec<(f64, String)> {
        let most = ((self.pixels.1 - self.pixels.0).abs() / spacing).max(2.0);
        let values = match self.scale {
            Scale::Linear => linear_ticks(self.domain, most),
            Scale::Log => log_ticks(self.domain, most),
        };
        values.into_iter().filter_map(|value| Some((self.place(value)?, tick_label(value)))).collect()
    }
}

fn linear_ticks((low, high): Domain, most: f64) -> Vec<f64> {
    let step = round_up((high - low) / most);
    let first = (low / step).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|index| index as f64 * step).collect()
}

/// Powers of ten; 1, 2, 5 of each where there is room; every second, third, … power where there is not.
fn log_ticks((low, high): Domain, most: f64) -> Vec<f64> {
    let decades = (low.log10().floor() as i32)..=(high.log10().ceil() as i32);
    let span = (high / low).log10();
    let steps: &[f64] = if span * 3.0 <= most { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let every = (span / most).ceil().max(1.0) as i32;
    let decades = decades.filter(|decade| decade.rem_euclid(every) == 0);
    let values = decades.flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)));
    values.filter(|value| (low * 0.999..=high * 1.001).contains(value)).collect()
}

/// `0.05`, `20`, `5000`, `20k`, `3M`.
fn tick_label(value: f64) -> String {
    let (scaled, suffix) = match value.abs() {
        size if size >= 1e9 => (value / 1e9, "G"),
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    // Ticks have few digits; the rounding removes what binary fractions add.
    let digits = format!("{scaled:.9}");
    format!("{}{suffix}", digits.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_axis_begins_at_zero() {
        assert_eq!(span(Scale::Linear, &[2.0, 10.0]), (0.0, 10.0 * 1.06));
        assert_eq!(linear_ticks((0.0, 10.6), 5.0), [0.0, 5.0, 10.0]);
    }

    #[test]
    fn a_logarithmic_axis_spans_round_values_and_leaves_zero_out() {
        assert_eq!(span(Scale::Log, &[0.0, 3.0, 80.0]), (2.0, 100.0));
        assert_eq!(log_ticks((2.0, 100.0), 10.0), [2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
        assert_eq!(log_ticks((1.0, 1e6), 3.0), [1.0, 1e2, 1e4, 1e6]);
    }

    #[test]
    fn places_are_in_proportion_or_by_factor() {
        let linear = Mapping::new(Scale::Linear, (0.0, 10.0), (100.0, 200.0));
        assert_eq!(linear.place(5.0), Some(150.0));
        // log(10 / 1) / log(100 / 1) = 1/2
        let log = Mapping::new(Scale::Log, (1.0, 100.0), (300.0, 100.0));
        assert_eq!(log.place(10.0), Some(200.0));
        assert_eq!(log.place(0.0), None);
    }

    #[test]
    fn ticks_read_shortly() {
        let labels = [0.3, 0.05, 5000.0, 20_000.0, 3e6, 0.0].map(tick_label);
        assert_eq!(labels, ["0.3", "0.05", "5000", "20k", "3M", "0"]);
    }

    #[test]
    fn nothing_to_show_still_has_an_axis() {
        assert_eq!(span(Scale::Linear, &[]), (1.0, 10.0));
        assert_eq!(span(Scale::Linear, &[0.0]), (0.0, 1.0));
    }
}
