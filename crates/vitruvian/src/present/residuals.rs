//! Residuals of operator times as figures: predicted over measured against measured time, coloured by what bounds the prediction.

use vitruvian_calibration::validate::{Report, Row};
use vitruvian_report::figure::{Axis, Figure, Mark, Plot, Point, Rule, Series, Xy};

/// Most points of a figure: beyond it every so-many-th row, by measured time, stands for its neighbours.
pub const MOST: usize = 1500;

/// One figure for each family and precision of a report.
pub fn figures(report: &Report) -> Vec<Figure> {
    let of = |family: &'static str, precision: &str| -> Vec<&Row> {
        report.rows.iter().filter(|row| row.family == family && row.precision == precision).collect()
    };
    let families = report.families.iter();
    families
        .map(|family| {
            let title = format!("{} {}", family.family, family.precision);
            figure(&title, of(family.family, &family.precision), MOST)
        })
        .collect()
}

/// The residuals of rows, at most so many of them.
pub fn figure(title: &str, mut rows: Vec<&Row>, most: usize) -> Figure {
    rows.sort_by(|a, b| a.measured_us.total_cmp(&b.measured_us));
    let (count, step) = (rows.len(), rows.len().div_ceil(most.max(1)).max(1));
    let shown: Vec<&Row> = rows.into_iter().step_by(step).collect();
    let mut bounds: Vec<&str> = shown.iter().map(|row| row.bound).collect();
    bounds.sort_unstable();
    bounds.dedup();
    let series = bounds.into_iter().map(|bound| {
        let points = shown.iter().filter(|row| row.bound == bound);
        Series::new(
            bound,
            Mark::Dots,
            points.map(|row| Point::new(row.measured_us, row.predicted_us / row.measured_us)),
        )
    });
    let plot = Xy {
        x: Axis::log("measured", "µs"),
        y: Axis::log("predicted / measured", ""),
        series: series.collect(),
        rules: vec![Rule::Y(1.0, "exact".to_owned())],
    };
    let drawn = if step == 1 { "all of them".to_owned() } else { format!("one in {step} of them") };
    let caption = format!("{count} rows, {drawn}, by what bounds the prediction; above the line it is slow.");
    Figure::new(title, caption, Plot::Xy(plot))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(measured_us: f64, bound: &'static str) -> Row {
        Row {
            table: String::new(),
            line: 0,
            family: "gemm",
            precision: "bf16".to_owned(),
            shape: String::new(),
            measured_us,
            predicted_us: 2.0 * measured_us,
            p10_us: measured_us,
            p90_us: measured_us,
            error_pct: 100.0,
            bound,
        }
    }

    #[test]
    fn rows_are_thinned_by_measured_time_and_keep_their_bounds() {
        let rows: Vec<Row> =
            (1..=10).rev().map(|n| row(f64::from(n), if n % 2 == 0 { "HBM" } else { "matrix" })).collect();
        let figure = figure("gemm bf16", rows.iter().collect(), 4);
        let Plot::Xy(plot) = &figure.panels[0].plot else { panic!("a plot over two axes") };
        // One in three of 1, 2, …, 10 µs: 1, 4, 7, 10.
        let points = |name: &str| -> Vec<[f64; 2]> {
            let series = plot.series.iter().find(|series| series.name == name).unwrap();
            series.points.iter().map(|point| [point.x, point.y]).collect()
        };
        assert_eq!(points("matrix"), [[1.0, 2.0], [7.0, 2.0]]);
        assert_eq!(points("HBM"), [[4.0, 2.0], [10.0, 2.0]]);
        assert!(figure.caption.starts_with("10 rows, one in 3 of them"), "{}", figure.caption);
    }
}
