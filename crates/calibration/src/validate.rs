//! Predictions against measurements, row by row.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use vitruvian_cost::{Bound, Costs, Fidelity, Library, Refusal};
use vitruvian_diagnostics::Diagnostics;
use vitruvian_hardware::Chip;
use vitruvian_quantity::Seconds;

use crate::measurement::Measurement;
use crate::residuals::residuals;
use crate::score::{Pair, Score};
use crate::table::Table;

/// What a measurement was predicted to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Sum over the operators.
    pub time: Seconds,
    /// Of the profile that the measurement informs.
    pub sigma: f64,
    /// What the longest operator is bound by.
    pub bound: Bound,
}

/// Errors by family and over all, and the rows with the largest.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// Over all rows.
    #[serde(flatten)]
    pub score: Score,
    /// By operator family and precision.
    pub families: Vec<FamilyScore>,
    /// The rows that are furthest off, worst first.
    pub worst: Vec<Row>,
    /// Every row.
    #[serde(skip)]
    pub rows: Vec<Row>,
    /// Rows without a prediction: reason and number.
    pub refused: BTreeMap<String, usize>,
}

/// Errors of one family in one precision.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FamilyScore {
    /// Operator family.
    pub family: &'static str,
    /// Number formats.
    pub precision: String,
    /// Errors.
    #[serde(flatten)]
    pub score: Score,
}

/// One row with its prediction.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Row {
    /// The file.
    pub table: String,
    /// Line or row, counted from one.
    pub line: u32,
    /// Operator family.
    pub family: &'static str,
    /// Number formats.
    pub precision: String,
    /// Shape family.
    pub shape: String,
    /// Measured time.
    pub measured_us: f64,
    /// Predicted time.
    pub predicted_us: f64,
    /// Its tenth percentile.
    pub p10_us: f64,
    /// Its ninetieth percentile.
    pub p90_us: f64,
    /// Predicted over measured, less one, in percent.
    pub error_pct: f64,
    /// What the longest operator is bound by.
    pub bound: &'static str,
}

/// Rows listed as the worst.
const WORST: usize = 10;

/// The time of a measurement's operators, with caches as they were when the profile was measured.
///
/// # Errors
/// [`Refusal`] where the chip does not execute one of them.
pub fn predict(costs: &Costs, row: &Measurement) -> Result<Prediction, Refusal> {
    let residency = costs.profiles.residency(row.slot.family, row.slot.precision);
    let costs = Costs { residency, ..*costs };
    let (mut time, mut longest, mut bound) = (Seconds::ZERO, Seconds::ZERO, Bound::Launch);
    let mut sigma = 0.0_f64;
    for operator in &row.operators {
        let estimate = costs.estimate(operator)?;
        time += estimate.time;
        if estimate.time > longest {
            (longest, bound, sigma) = (estimate.time, estimate.bound, estimate.sigma);
        }
    }
    Ok(Prediction { time, sigma, bound })
}

/// Predicts every measurement of the tables; collectives apart, by [`crate::exchange::rows`], which knows the node.
pub fn validate(costs: &Costs, tables: &[Table]) -> Report {
    let mut rows = Vec::new();
    let mut refused = BTreeMap::new();
    for table in tables {
        for measurement in &table.measurements {
            match predict(costs, measurement) {
                Ok(prediction) => rows.push(row(table, measurement, &prediction)),
                Err(refusal) => *refused.entry(refusal.to_string()).or_default() += 1,
            }
        }
    }
    Report::of(rows, refused)
}

/// What tables are judged with.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// The chip that was measured.
    pub chip: &'a Chip,
    /// Profiles to choose from.
    pub library: &'a Library,
    /// Whose profiles to choose where there are several; else those of the software that a table names.
    pub software: Option<&'a str>,
    /// How closely kernels are looked at.
    pub fidelity: Fidelity,
    /// Tables whose residuals correct the tile model, for [`Fidelity::Measured`].
    pub import: &'a [Table],
}

impl Judge<'_> {
    /// Predicts every measurement of the tables, each table with the profiles of the software it names.
    ///
    /// # Errors
    /// A library without profiles for some family.
    pub fn report(&self, tables: &[Table]) -> Result<Report, Diagnostics> {
        let mut rows = Vec::new();
        let mut refused = BTreeMap::new();
        for alike in tables.chunk_by(|a, b| a.software() == b.software()) {
            let named = alike.first().and_then(Table::software).map(|software| software.name.as_str());
            let profiles = self.library.profiles(self.chip, self.software.or(named))?;
            let tile = Costs::new(self.chip, &profiles, self.fidelity);
            let residuals = residuals(&tile, self.import);
            let report = validate(&Costs { residuals: Some(&residuals), ..tile }, alike);
            rows.extend(report.rows);
            for (reason, count) in report.refused {
                *refused.entry(reason).or_default() += count;
            }
        }
        Ok(Report::of(rows, refused))
    }
}

impl Report {
    /// Errors of these rows, by family and precision in the order in which they come.
    pub fn of(rows: Vec<Row>, refused: BTreeMap<String, usize>) -> Self {
        let mut groups: Vec<(&Row, Vec<Pair>)> = Vec::new();
        for row in &rows {
            let alike = |(first, _): &&mut (&Row, _)| {
                (first.family, &first.precision) == (row.family, &row.precision)
            };
            match groups.iter_mut().find(alike) {
                Some((_, pairs)) => pairs.push(row.pair()),
                None => groups.push((row, vec![row.pair()])),
            }
        }
        let families = groups.iter().map(|(first, pairs)| FamilyScore {
            family: first.family,
            precision: first.precision.clone(),
            score: Score::of(pairs),
        });
        let all: Vec<Pair> = groups.iter().flat_map(|(_, pairs)| pairs).copied().collect();
        Self { score: Score::of(&all), families: families.collect(), worst: worst(&rows), refused, rows }
    }
}

impl Row {
    pub(crate) fn pair(&self) -> Pair {
        let sigma = (self.p90_us / self.predicted_us).ln() / crate::score::Z90;
        Pair { predicted: self.predicted_us, measured: self.measured_us, sigma }
    }
}

fn row(table: &Table, measurement: &Measurement, prediction: &Prediction) -> Row {
    let (predicted, measured) = (prediction.time.get() * 1e6, measurement.time.get() * 1e6);
    let spread = (crate::score::Z90 * prediction.sigma).exp();
    Row {
        table: table.name.clone(),
        line: measurement.line,
        family: measurement.slot.family.name(),
        precision: measurement.slot.precision.to_string(),
        shape: measurement.shape.clone(),
        measured_us: measured,
        predicted_us: predicted,
        p10_us: predicted / spread,
        p90_us: predicted * spread,
        error_pct: 100.0 * (predicted / measured - 1.0),
        bound: prediction.bound.name(),
    }
}

/// The rows whose log ratio is largest either way.
fn worst(rows: &[Row]) -> Vec<Row> {
    let distance = |row: &Row| (row.predicted_us / row.measured_us).ln().abs();
    let mut order: Vec<&Row> = rows.iter().collect();
    order.sort_by(|a, b| distance(b).total_cmp(&distance(a)));
    order.into_iter().take(WORST).cloned().collect()
}
