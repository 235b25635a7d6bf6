//! Fitting an older release of an engine to the calibration rows that ran it: few figures, one coordinate at a time, each
//! candidate simulated. Rows held out are not looked at.
//!
//! The loss is the mean of |ln(predicted/measured)| over all metrics of the rows.

use vitruvian_diagnostics::{Diagnostics, SourceText};
use vitruvian_engine::{EngineProfile, Replica};

use super::load;
use super::scenario::{Load, Metric, Scenario};
use crate::setup::Profiles;
use crate::validation::knob::{self, Knob};

/// Figures of one release.
#[derive(Clone, Debug, PartialEq)]
pub struct ReleaseFit {
    /// Engine and release: `"vllm-ascend@0.9"`.
    pub engine: String,
    /// Rows used.
    pub rows: usize,
    /// Fitted figures by their key in the engine's file, as the file writes them.
    pub figures: Vec<(&'static str, String)>,
    /// exp(loss) − 1, in percent.
    pub mean_abs_pct_error: f64,
}

/// What may be fitted. Host time between kernels and steps is not: bursts of a dense model do not tell it apart.
const KNOBS: [Knob; 3] = [
    knob::runtime_reserve([1.0, 24.0]),
    knob::prompt_attention([1.0, 20.0]),
    knob::request_serial([0.1, 100.0]),
];

/// Factors tried on a figure after the first sweep.
const FINER: [&[f64]; 3] =
    [&[0.3, 0.6, 0.8, 1.25, 1.7, 3.0], &[0.8, 0.9, 1.11, 1.25], &[0.9, 0.95, 0.98, 1.02, 1.05, 1.11]];

/// Factors of the first sweep, over the whole range of a figure: where requests come about as fast as their prompts run, the
/// loss falls and rises again within a fifth.
fn first_sweep() -> Vec<f64> {
    (-30..=30).map(|step| 1.12_f64.powi(step)).collect()
}

/// Fits every engine whose name holds a release (`engine@release`) and that calibration rows of bursts ran.
///
/// # Errors
/// Every file that cannot be read, with the place.
pub fn fit_releases(files: &[SourceText]) -> Result<Vec<ReleaseFit>, Diagnostics> {
    let profiles = Profiles::catalog()?;
    let mut rows: Vec<Scenario> = Vec::new();
    for file in files {
        let row = Scenario::read(file, &profiles)?;
        let used = row.measured.as_ref().is_some_and(|measured| measured.split == "calib");
        if used && row.load == Load::Burst && row.setup.engine.name.contains('@') {
            rows.push(row);
        }
    }
    rows.sort_by(|a, b| a.setup.engine.name.cmp(&b.setup.engine.name));
    Ok(rows.chunk_by(|a, b| a.setup.engine.name == b.setup.engine.name).map(fit).collect())
}

fn fit(rows: &[Scenario]) -> ReleaseFit {
    let start = knob::neutral(&rows[0].setup.engine, &KNOBS);
    let first = first_sweep();
    let sweeps: Vec<&[f64]> = std::iter::once(first.as_slice()).chain(FINER).collect();
    let (best, least) = knob::descend(start, &KNOBS, &sweeps, |engine| loss(engine, rows));
    ReleaseFit {
        engine: best.name.clone(),
        rows: rows.len(),
        figures: KNOBS.iter().map(|knob| (knob.key, knob.written(&best))).collect(),
        mean_abs_pct_error: 100.0 * least.exp_m1(),
    }
}

fn loss(engine: &EngineProfile, rows: &[Scenario]) -> f64 {
    let errors: Vec<f64> = rows.iter().flat_map(|row| row_errors(engine, row)).collect();
    errors.iter().sum::<f64>() / errors.len().max(1) as f64
}

fn row_errors(engine: &EngineProfile, row: &Scenario) -> Vec<f64> {
    let replica = Replica { model: &row.model, plan: &row.plan, layout: row.layout, engine };
    let (Ok(seen), Some(measured)) = (load::run(row, &replica, 1), &row.measured) else { return Vec::new() };
    let predicted = |metric| match metric {
        Metric::Ttft => Some(seen.ttft.mean * 1e3),
        Metric::Tpot => Some(seen.tpot.mean * 1e3),
        Metric::OutputThroughput => Some(seen.output_per_s),
        Metric::TotalThroughput => Some(seen.output_per_s + seen.input_per_s),
        _ => None,
    };
    let error = |metric| Some((predicted(metric)? / measured.metric(metric)?.value).ln().abs());
    Metric::ALL.into_iter().filter_map(error).collect()
}
