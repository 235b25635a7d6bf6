//! What a drawn figure must hold, whatever it looks like.

use super::*;
use crate::figure::{Axis, Bar, Bars, Mark, Point, Rule, Series, Xy};

fn scatter(points: impl IntoIterator<Item = Point>) -> Figure {
    let xy = Xy {
        x: Axis::log("intensity", "FLOP/B"),
        y: Axis::linear("rate", "TFLOP/s"),
        series: vec![Series::new("decode", Mark::Points, points)],
        rules: vec![Rule::Y(10.0, "limit".to_owned())],
    };
    Figure::new("A <figure>", "What to see", Plot::Xy(xy))
}

#[test]
fn axes_say_what_they_measure_and_in_which_unit() {
    let svg = fragment(&scatter([Point::new(2.0, 8.0), Point::new(90.0, 20.0)]));
    assert!(svg.contains("intensity (FLOP/B)") && svg.contains("rate (TFLOP/s)"));
}

#[test]
fn a_point_shows_all_that_is_known_on_hovering() {
    let svg = fragment(&scatter([Point::new(2.0, 8.0).label("norm").interval(7.0, 9.0).weight(0.25)]));
    assert!(svg.contains("<title>norm: 2.00 FLOP/B, 8.00 (7.00–9.00) TFLOP/s, 25.0%</title>"), "{svg}");
}

#[test]
fn what_an_axis_cannot_show_is_left_out() {
    let svg = fragment(&scatter([Point::new(0.0, 8.0), Point::new(f64::NAN, 1.0), Point::new(5.0, 4.0)]));
    assert_eq!(svg.matches("class=\"mark").count(), 1);
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn an_empty_figure_is_still_a_figure() {
    for figure in [scatter([]), Figure::default(), Figure::new("", "", Plot::Bars(Bars::default()))] {
        let svg = document(&figure);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n") && !svg.contains("NaN"));
    }
}

#[test]
fn words_are_escaped() {
    assert!(document(&scatter([])).contains("A &lt;figure&gt;"));
}

#[test]
fn segments_add_up_to_their_bar() {
    let axis = Axis::linear("time", "ms");
    let bars = vec![Bar::new("h20", [("attention".to_owned(), 3.0), ("gemm".to_owned(), 1.0)])];
    let svg = fragment(&Figure::new("", "", Plot::Bars(Bars { axis, bars })));
    assert!(svg.contains("attention: 3.00 ms (75.0%)") && svg.contains(">4.00 ms</text>"), "{svg}");
}

#[test]
fn panels_share_their_scales() {
    let panel = |x: f64| {
        let Plot::Xy(xy) = scatter([Point::new(x, 4.0)]).panels.remove(0).plot else { panic!("an xy plot") };
        (String::new(), Plot::Xy(xy))
    };
    let domains = SharedDomains::of(&Figure::of_panels("", "", [panel(1.0), panel(1000.0)]));
    let (low, high) = domains.get(&Axis::log("intensity", "FLOP/B"));
    assert!(low <= 1.0 && high >= 1000.0);
}

#[test]
fn the_same_figure_gives_the_same_bytes() {
    let figure = scatter([Point::new(2.0, 8.0).label("norm"), Point::new(2.1, 8.2).label("rope")]);
    assert_eq!(document(&figure), document(&figure.clone()));
}
