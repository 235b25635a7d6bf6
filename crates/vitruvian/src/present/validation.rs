//! Validations as tables.

use vitruvian_report::{Cell, Column, Table};

use crate::validation::scenarios::training::StackFit;
use crate::validation::scenarios::{ScenarioReport, ScenarioRow};
use crate::validation::{EngineFit, ServingReport};

/// Fitted host figures, with their errors as notes.
pub fn engine_figures(fits: &[EngineFit]) -> Table {
    let mut table = Table::new([Column::name("engine"), Column::text("figure"), Column::text("value")])
        .title("Host figures of engines, fitted");
    for fit in fits {
        for figure in &fit.figures {
            table.row([Cell::text(&*fit.engine), Cell::text(figure.key), Cell::text(&*figure.value)]);
        }
        let errors = [("in the fit", fit.fitted), ("models left out", fit.left_out)];
        errors.iter().for_each(|(name, error)| {
            table.note(format!(
                "{}, {} points, {name}: TTFT {:.1} %, TPOT {:.1} % median; sigma {:.3} and {:.3}.",
                fit.engine,
                fit.points,
                error.ttft_median_abs_pct_error,
                error.tpot_median_abs_pct_error,
                error.ttft_sigma,
                error.tpot_sigma
            ));
        });
    }
    table
}

/// Figures of training stacks, with their errors as notes.
pub fn stack_figures(fits: &[StackFit]) -> Table {
    let figures = fits
        .first()
        .map(|fit| fit.figures.iter().map(|(key, _)| Column::number(*key, "")))
        .into_iter()
        .flatten();
    let columns =
        [Column::name("stack"), Column::text("chip"), Column::number("rows", "")].into_iter().chain(figures);
    let errors = [Column::number("in the fit, mean", "%"), Column::number("left out, RMS", "%")];
    let mut table = Table::new(columns.chain(errors)).title("Figures of training stacks, fitted");
    for fit in fits {
        let figures = fit.figures.iter().map(|(_, value)| Cell::number(*value));
        let cells = [Cell::text(&*fit.stack), Cell::text(&*fit.chip), Cell::count(fit.rows)]
            .into_iter()
            .chain(figures);
        table.row(cells.chain([Cell::number(fit.error_pct), Cell::number(100.0 * fit.left_out)]));
    }
    table.note("Each row of the right-most column is predicted by a fit of the other rows of its stack.");
    table
}

/// Errors of training rows by stack, chip, split and metric.
pub fn training_groups(report: &ScenarioReport) -> Table {
    let mut table = Table::new([
        Column::name("stack"),
        Column::text("chip"),
        Column::text("metric"),
        Column::text("split"),
        Column::text("grade"),
        Column::number("n", ""),
        Column::number("mean", "%"),
        Column::number("median", "%"),
        Column::number("bias", "%"),
    ])
    .title("Absolute errors");
    let key =
        |row: &ScenarioRow| [&row.engine, &row.chip, &row.metric, &row.split, &row.grade].map(Clone::clone);
    let mut keys: Vec<[String; 5]> =
        report.rows.iter().filter(|row| row.measured.is_some()).map(key).collect();
    keys.sort();
    keys.dedup();
    for group in keys {
        let mut errors: Vec<f64> =
            report.rows.iter().filter(|row| key(row) == group).filter_map(|row| row.error_pct).collect();
        let n = errors.len().max(1) as f64;
        let bias = errors.iter().sum::<f64>() / n;
        errors.iter_mut().for_each(|error| *error = error.abs());
        errors.sort_by(f64::total_cmp);
        let median = f64::midpoint(errors[(errors.len() - 1) / 2], errors[errors.len() / 2]);
        let names = group.map(Cell::text);
        let figures = [errors.iter().sum::<f64>() / n, median, bias].map(Cell::number);
        table.row(names.into_iter().chain([Cell::count(errors.len())]).chain(figures));
    }
    table
}

/// Errors by model, chip and engine; what was skipped as notes.
pub fn serving_errors(report: &ServingReport) -> Table {
    let mut table = Table::new([
        Column::name("points"),
        Column::number("n", ""),
        Column::number("TPOT median", "%"),
        Column::number("mean", "%"),
        Column::number("P90", "%"),
        Column::number("bias", "%"),
        Column::number("in P10–P90", ""),
        Column::number("TTFT median", "%"),
        Column::number("mean", "%"),
        Column::number("bias", "%"),
        Column::number("in P10–P90", ""),
    ])
    .title("Absolute error of predicted against measured");
    let all = ("all", report.ttft, report.tpot);
    let groups = report.groups.iter().map(|group| (group.name.as_str(), group.ttft, group.tpot));
    for (name, ttft, tpot) in std::iter::once(all).chain(groups) {
        table.row([
            Cell::text(name),
            Cell::count(tpot.n),
            Cell::number(tpot.median_abs_pct_error),
            Cell::number(tpot.mean_abs_pct_error),
            Cell::number(tpot.p90_abs_pct_error),
            Cell::number(100.0 * tpot.mean_log_ratio),
            Cell::number(tpot.share_within_p10_p90),
            Cell::number(ttft.median_abs_pct_error),
            Cell::number(ttft.mean_abs_pct_error),
            Cell::number(100.0 * ttft.mean_log_ratio),
            Cell::number(ttft.share_within_p10_p90),
        ]);
    }
    report
        .skipped
        .iter()
        .for_each(|skipped| table.note(format!("{} points skipped: {}.", skipped.count, skipped.reason)));
    table
}

/// Every point with its prediction.
pub fn serving_points(report: &ServingReport) -> Table {
    let mut table = Table::new([
        Column::name("id"),
        Column::text("group"),
        Column::text("layout"),
        Column::number("isl", "token"),
        Column::number("osl", "token"),
        Column::number("concurrency", ""),
        Column::number("measured TTFT", "ms"),
        Column::number("predicted TTFT", "ms"),
        Column::number("measured TPOT", "ms"),
        Column::number("predicted TPOT", "ms"),
        Column::text("bound"),
    ]);
    for point in &report.points {
        table.row([
            Cell::text(&*point.id),
            Cell::text(&*point.group),
            Cell::text(&*point.layout),
            Cell::integer(point.isl),
            Cell::integer(point.osl),
            Cell::integer(point.concurrency),
            Cell::number(point.measured_ttft_ms),
            Cell::number(point.predicted_ttft_ms),
            Cell::number(point.measured_tpot_ms),
            Cell::number(point.predicted_tpot_ms),
            Cell::text(&*point.bound),
        ]);
    }
    table
}

/// Every metric with its prediction; refused scenarios as notes.
pub fn scenario_rows(report: &ScenarioReport) -> Table {
    let mut table = Table::new([
        Column::name("scenario"),
        Column::text("metric"),
        Column::text("unit"),
        Column::number("measured", ""),
        Column::number("predicted", ""),
        Column::number("error", "%"),
        Column::text("grade"),
        Column::text("split"),
    ])
    .title("Published results");
    for row in &report.rows {
        table.row(line(row));
    }
    for refused in &report.refused {
        table.note(format!("{}: no prediction: {}.", refused.file, refused.reason));
    }
    table
}

/// A normal spread holds 80 % of its draws within ±1.2816 σ.
const WITHIN_80: f64 = 1.2816;

fn line(row: &ScenarioRow) -> [Cell; 8] {
    let number = |value: Option<f64>| value.map_or(Cell::text(""), Cell::number);
    let spread = (WITHIN_80 * row.sigma).exp();
    [
        Cell::text(&*row.title),
        Cell::text(&*row.metric),
        Cell::text(row.unit),
        number(row.measured),
        Cell::range(row.predicted, row.predicted / spread, row.predicted * spread),
        number(row.error_pct),
        Cell::text(&*row.grade),
        Cell::text(&*row.split),
    ]
}

/// Errors by chip and metric.
pub fn scenario_groups(report: &ScenarioReport) -> Table {
    let mut table = Table::new([
        Column::name("chip"),
        Column::text("metric"),
        Column::text("split"),
        Column::number("n", ""),
        Column::number("median", "%"),
        Column::number("mean", "%"),
        Column::number("in P10–P90", ""),
    ])
    .title("Absolute error by chip and metric");
    for group in &report.groups {
        table.row([
            Cell::text(&*group.chip),
            Cell::text(&*group.metric),
            Cell::text(&*group.split),
            Cell::count(group.errors.n),
            Cell::number(group.errors.median_abs_pct_error),
            Cell::number(group.errors.mean_abs_pct_error),
            Cell::share(group.errors.share_within_p10_p90),
        ]);
    }
    table
}
