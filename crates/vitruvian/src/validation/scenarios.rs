//! Scenarios: published results, one file each, against predictions.

mod fit;
mod load;
mod predict;
mod scenario;
pub mod training;

use schemars::JsonSchema;
use serde::Serialize;
use vitruvian_calibration::score::{Pair, Score};
use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};

use super::serving::Errors;
use crate::setup::Profiles;
pub use fit::{ReleaseFit, fit_releases};
pub use scenario::{Load, Metric};
use scenario::{Measured, Scenario};

/// Errors of a folder of scenarios.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScenarioReport {
    /// Every metric of every scenario.
    pub rows: Vec<ScenarioRow>,
    /// Errors by chip and metric.
    pub groups: Vec<ScenarioGroup>,
    /// Scenarios without a prediction, and why.
    pub refused: Vec<RefusedScenario>,
}

/// One measured metric with its prediction.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScenarioRow {
    /// File.
    pub file: String,
    /// What was measured, in words.
    pub title: String,
    /// Chip.
    pub chip: String,
    /// Engine.
    pub engine: String,
    /// Metric, by its key in the file.
    pub metric: String,
    /// Unit of both values.
    pub unit: &'static str,
    /// Measured value; none where the scenario only asks.
    pub measured: Option<f64>,
    /// Predicted value.
    pub predicted: f64,
    /// Claimed spread of the prediction, relative.
    pub sigma: f64,
    /// Signed error in percent of the measured value.
    pub error_pct: Option<f64>,
    /// The signed error that the file records.
    pub recorded_error_pct: Option<f64>,
    /// How reproducible the measurement is: A or B.
    pub grade: String,
    /// `calib` where figures were fitted on it, `heldout` where not.
    pub split: String,
    /// Where it was published.
    pub source: String,
}

/// Errors of one metric on one chip.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScenarioGroup {
    /// Chip.
    pub chip: String,
    /// Metric.
    pub metric: String,
    /// `calib` or `heldout`.
    pub split: String,
    /// Errors.
    pub errors: Errors,
}

/// A scenario that cannot be predicted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RefusedScenario {
    /// File.
    pub file: String,
    /// Why.
    pub reason: String,
}

/// Predicts every scenario.
///
/// # Errors
/// Every file that cannot be read, with the place.
pub fn scenarios(files: &[SourceText]) -> Result<ScenarioReport, Diagnostics> {
    let profiles = Profiles::catalog()?;
    let (mut faults, mut rows, mut refused) = (Vec::<Diagnostic>::new(), Vec::new(), Vec::new());
    for file in files {
        if training::is_training(file) {
            match training::Scenario::read(file, &profiles) {
                Err(diagnostics) => faults.extend(diagnostics.0),
                Ok(scenario) => match scenario.rows(file) {
                    Ok(more) => rows.extend(more),
                    Err(why) => refused.push(why),
                },
            }
            continue;
        }
        match Scenario::read(file, &profiles) {
            Err(diagnostics) => faults.extend(diagnostics.0),
            Ok(scenario) => match predict::predict(&scenario) {
                Ok(values) => rows.extend(row(file, &scenario, &values)),
                Err(fall) => {
                    refused.push(RefusedScenario { file: file.name().to_owned(), reason: fall.to_string() });
                }
            },
        }
    }
    if !faults.is_empty() {
        return Err(Diagnostics(faults));
    }
    Ok(ScenarioReport { groups: groups(&rows), rows, refused })
}

fn row(file: &SourceText, scenario: &Scenario, values: &[predict::Value]) -> Vec<ScenarioRow> {
    let measured = |metric: Metric| scenario.measured.as_ref().and_then(|m| m.metric(metric));
    let wanted = |value: &&predict::Value| scenario.measured.is_none() || measured(value.metric).is_some();
    let line = |value: &predict::Value| {
        let result = measured(value.metric);
        let error = result.map(|result| 100.0 * (value.predicted / result.value - 1.0));
        let text = |get: fn(&Measured) -> String| scenario.measured.as_ref().map(get).unwrap_or_default();
        ScenarioRow {
            file: file.name().to_owned(),
            title: scenario.title.clone(),
            chip: scenario.setup.chip.name.clone(),
            engine: scenario.setup.engine.name.clone(),
            metric: value.metric.key().to_owned(),
            unit: value.metric.unit(),
            measured: result.map(|result| result.value),
            predicted: value.predicted,
            sigma: value.sigma,
            error_pct: error,
            recorded_error_pct: result.and_then(|result| result.error_pct),
            grade: text(|measured| measured.grade.clone()),
            split: text(|measured| measured.split.clone()),
            source: text(Measured::source),
        }
    };
    values.iter().filter(wanted).map(line).collect()
}

fn groups(rows: &[ScenarioRow]) -> Vec<ScenarioGroup> {
    let mut keys: Vec<[&str; 3]> = rows.iter().filter(|row| row.measured.is_some()).map(group_key).collect();
    keys.sort_unstable();
    keys.dedup();
    let group = |key: [&str; 3]| {
        let pairs = rows.iter().filter(|row| group_key(row) == key).filter_map(pair).collect::<Vec<_>>();
        let [chip, metric, split] = key.map(str::to_owned);
        ScenarioGroup { chip, metric, split, errors: Errors::of(&Score::of(&pairs)) }
    };
    keys.into_iter().map(group).collect()
}

fn group_key(row: &ScenarioRow) -> [&str; 3] {
    [&row.chip, &row.metric, &row.split]
}

fn pair(row: &ScenarioRow) -> Option<Pair> {
    Some(Pair { predicted: row.predicted, measured: row.measured?, sigma: row.sigma })
}
