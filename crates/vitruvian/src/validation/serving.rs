//! A table of measured serving points (closed loop: a fixed number of clients) against simulations of them.

mod fit;
mod point;
mod simulated;
mod table;

use crate::setup::Profiles;
pub use fit::{EngineFit, FitError, FittedFigure, fit};
use point::Case;
use schemars::JsonSchema;
use serde::Serialize;
use simulated::Seen;
pub use table::Point;
use vitruvian_calibration::score::{Pair, Score};
use vitruvian_diagnostics::{Diagnostics, SourceText};

/// Errors of a table of serving points.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ServingReport {
    /// Time to first token.
    pub ttft: Errors,
    /// Time per output token.
    pub tpot: Errors,
    /// The same for each model, chip and engine.
    pub groups: Vec<Group>,
    /// The points furthest off in TPOT, worst first.
    pub worst: Vec<PointRow>,
    /// Points without a prediction: reason and number.
    pub skipped: Vec<Skipped>,
    /// Every point.
    #[serde(skip)]
    pub points: Vec<PointRow>,
}

/// Errors over a set of points, in percent of the measured value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Errors {
    /// Number of points.
    pub n: usize,
    /// Mean absolute error.
    pub mean_abs_pct_error: f64,
    /// Median absolute error.
    pub median_abs_pct_error: f64,
    /// Ninetieth percentile of the absolute error.
    pub p90_abs_pct_error: f64,
    /// Mean of ln(predicted/measured).
    pub mean_log_ratio: f64,
    /// Share of measured values between P10 and P90; 0.8 is right.
    pub share_within_p10_p90: f64,
}

/// Errors of one model on one chip under one engine.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Group {
    /// `model, chip, engine`.
    pub name: String,
    /// Time to first token.
    pub ttft: Errors,
    /// Time per output token.
    pub tpot: Errors,
}

/// One point with its prediction.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PointRow {
    /// Identifier in the table.
    pub id: String,
    /// Model, chip and engine.
    pub group: String,
    /// Layout.
    pub layout: String,
    /// Prompt tokens.
    pub isl: u32,
    /// Generated tokens.
    pub osl: u32,
    /// Clients.
    pub concurrency: u32,
    /// Measured mean time to first token.
    pub measured_ttft_ms: f64,
    /// Predicted mean time to first token.
    pub predicted_ttft_ms: f64,
    /// Measured mean time per output token.
    pub measured_tpot_ms: f64,
    /// Predicted mean time per output token.
    pub predicted_tpot_ms: f64,
    /// What bounds a decode step.
    pub bound: String,
    /// Claimed spread of the predicted TTFT.
    pub ttft_sigma: f64,
    /// Claimed spread of the predicted TPOT.
    pub tpot_sigma: f64,
}

/// Points without a prediction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Skipped {
    /// Why.
    pub reason: String,
    /// How many.
    pub count: usize,
}

/// Requests a client sends in the benchmarks behind published tables: ten times the concurrency in all.
const ROUNDS: u32 = 10;

/// What a table's names are looked up in.
struct Known<'a> {
    profiles: Profiles,
    configuration: &'a dyn Fn(&str) -> Option<SourceText>,
}

/// Simulates every point of a table whose workers it counts. `configuration` finds a model's `config.json` by its path (`org/name`);
/// the catalog is asked where it finds none.
///
/// # Errors
/// A table without the columns needed, or cells that are not what their column asks for.
pub fn serving(
    source: &SourceText,
    configuration: &dyn Fn(&str) -> Option<SourceText>,
) -> Result<ServingReport, Diagnostics> {
    let points = table::read(source)?;
    let known = Known { profiles: Profiles::catalog()?, configuration };
    let mut report = Collector::default();
    for point in &points {
        match predict(point, &known) {
            Ok(row) => report.rows.push(row),
            Err(reason) => report.skip(reason),
        }
    }
    Ok(report.finish())
}

fn predict(point: &Point, known: &Known<'_>) -> Result<PointRow, String> {
    let case = Case::new(point, known)?;
    let seen = simulated::run(&case)?;
    Ok(row(point, &case, &seen))
}

fn row(point: &Point, case: &Case, seen: &Seen) -> PointRow {
    let setup = &case.last().setup;
    let kind = if case.sides.len() > 1 { ", disaggregated" } else { "" };
    let layouts: Vec<String> = case
        .sides
        .iter()
        .map(|side| match side.workers {
            1 => side.layout.to_string(),
            workers => format!("{workers} × {}", side.layout),
        })
        .collect();
    PointRow {
        id: point.id.clone(),
        group: format!("{}, {}, {}{kind}", case.model.name, setup.chip.name, setup.engine.name),
        layout: layouts.join(" to "),
        isl: point.isl,
        osl: point.osl,
        concurrency: case.clients(),
        measured_ttft_ms: point.ttft_ms,
        predicted_ttft_ms: seen.ttft * 1e3,
        measured_tpot_ms: point.tpot_ms,
        predicted_tpot_ms: seen.tpot * 1e3,
        bound: seen.bound.name().to_owned(),
        ttft_sigma: seen.ttft_sigma,
        tpot_sigma: seen.tpot_sigma,
    }
}

/// Gathers rows and reasons.
#[derive(Default)]
struct Collector {
    rows: Vec<PointRow>,
    skipped: Vec<Skipped>,
}

impl Collector {
    fn skip(&mut self, reason: String) {
        match self.skipped.iter_mut().find(|skipped| skipped.reason == reason) {
            Some(skipped) => skipped.count += 1,
            None => self.skipped.push(Skipped { reason, count: 1 }),
        }
    }

    fn finish(self) -> ServingReport {
        let all: Vec<&PointRow> = self.rows.iter().collect();
        let mut names: Vec<&str> = all.iter().map(|row| row.group.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let groups = names.iter().map(|name| {
            let members: Vec<&PointRow> = all.iter().copied().filter(|row| row.group == *name).collect();
            Group { name: (*name).to_owned(), ttft: ttft_errors(&members), tpot: tpot_errors(&members) }
        });
        let groups = groups.collect();
        let mut worst: Vec<PointRow> = self.rows.clone();
        worst.sort_by(|a, b| tpot_pair(b).error().total_cmp(&tpot_pair(a).error()));
        worst.truncate(10);
        let (ttft, tpot) = (ttft_errors(&all), tpot_errors(&all));
        ServingReport { ttft, tpot, groups, worst, skipped: self.skipped, points: self.rows }
    }
}

fn ttft_errors(rows: &[&PointRow]) -> Errors {
    let pair = |row: &&PointRow| Pair {
        predicted: row.predicted_ttft_ms,
        measured: row.measured_ttft_ms,
        sigma: row.ttft_sigma,
    };
    errors(rows.iter().map(pair))
}

fn tpot_errors(rows: &[&PointRow]) -> Errors {
    errors(rows.iter().map(|row| tpot_pair(row)))
}

fn tpot_pair(row: &PointRow) -> Pair {
    Pair { predicted: row.predicted_tpot_ms, measured: row.measured_tpot_ms, sigma: row.tpot_sigma }
}

fn errors(pairs: impl Iterator<Item = Pair>) -> Errors {
    Errors::of(&Score::of(&pairs.collect::<Vec<_>>()))
}

impl Errors {
    pub(super) fn of(score: &Score) -> Self {
        Self {
            n: score.n,
            mean_abs_pct_error: score.mean_abs_pct_error,
            median_abs_pct_error: score.median_abs_pct_error,
            p90_abs_pct_error: score.p90_abs_pct_error,
            mean_log_ratio: score.mean_log_ratio,
            share_within_p10_p90: score.share_within_p10_p90,
        }
    }
}
