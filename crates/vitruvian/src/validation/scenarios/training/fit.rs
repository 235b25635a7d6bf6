//! Figures of training stacks, fitted on the calibration rows of scenarios.
//!
//! Least squares of the logarithm of predicted over measured time, with a pull of each figure towards where it starts:
//! few rows say little about some figures. Minimised one figure after the other by golden section. Rows marked
//! `heldout` are never looked at.

use vitruvian_diagnostics::{Diagnostics, SourceText};
use vitruvian_training::stack::Figures;

use super::{Metric, Scenario, is_training};
use crate::setup::Profiles;

/// A fitted stack.
#[derive(Clone, Debug, PartialEq)]
pub struct StackFit {
    /// Stack.
    pub stack: String,
    /// Chip.
    pub chip: String,
    /// Rows.
    pub rows: usize,
    /// Key and value of each figure.
    pub figures: Vec<(&'static str, f64)>,
    /// Mean absolute error over the rows, in percent.
    pub error_pct: f64,
    /// Root mean square of the logarithm, each row predicted by a fit without it.
    pub left_out: f64,
}

/// A figure that a fit may change: where it lies, and how strongly it is held where it starts.
struct Free {
    key: &'static str,
    get: fn(&mut Figures) -> &mut f64,
    range: [f64; 2],
    /// Where a fit starts and is pulled to: what it would be if nothing were measured.
    start: f64,
    /// Standard deviation of its logarithm before anything is measured.
    spread: f64,
}

const FREE: [Free; 5] = [
    Free { key: "matrix", get: |f| &mut f.matrix, range: [0.7, 2.0], start: 1.05, spread: 0.3 },
    Free { key: "attention", get: |f| &mut f.attention, range: [0.5, 4.0], start: 1.0, spread: 0.3 },
    Free { key: "vector", get: |f| &mut f.vector, range: [0.5, 4.0], start: 1.2, spread: 0.4 },
    Free { key: "collective", get: |f| &mut f.collective, range: [0.7, 2.5], start: 1.0, spread: 0.1 },
    Free {
        key: "tensor_overlap",
        get: |f| &mut f.tensor_overlap,
        range: [0.05, 1.0],
        start: 0.5,
        spread: 0.5,
    },
];

/// Fits every stack of which there are calibration rows, on each chip.
///
/// # Errors
/// Every file that cannot be read, with the place.
pub fn fit(files: &[SourceText]) -> Result<Vec<StackFit>, Diagnostics> {
    let profiles = Profiles::catalog()?;
    let mut scenarios = Vec::new();
    for file in files.iter().filter(|file| is_training(file)) {
        let scenario = Scenario::read(file, &profiles)?;
        if scenario.target().is_some() {
            scenarios.push(scenario);
        }
    }
    let key = |s: &Scenario| (s.question.stack.name.clone(), s.question.setup.chip.name.clone());
    let mut keys: Vec<(String, String)> = scenarios.iter().map(key).collect();
    keys.sort();
    keys.dedup();
    Ok(keys
        .iter()
        .map(|key_| one(key_, &scenarios.iter().filter(|s| key(s) == *key_).collect::<Vec<_>>()))
        .collect())
}

fn one((stack, chip): &(String, String), rows: &[&Scenario]) -> StackFit {
    // Not where the catalog stands: a row left out must leave no trace.
    let mut start = rows[0].question.stack.figures;
    FREE.iter().for_each(|free| *(free.get)(&mut start) = free.start);
    let all = minimise(rows, start);
    let errors: Vec<f64> = rows.iter().map(|row| row.log_error(&all)).collect();
    let left_out = (0..rows.len()).map(|index| {
        let others: Vec<&Scenario> =
            rows.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, s)| *s).collect();
        if others.is_empty() {
            return errors[index].powi(2);
        }
        rows[index].log_error(&minimise(&others, start)).powi(2)
    });
    let left_out = (left_out.sum::<f64>() / rows.len() as f64).sqrt();
    let error_pct = errors.iter().map(|e| 100.0 * (e.exp() - 1.0).abs()).sum::<f64>() / rows.len() as f64;
    let figures = FREE.iter().map(|free| (free.key, *(free.get)(&mut all.clone()))).collect();
    StackFit { stack: stack.clone(), chip: chip.clone(), rows: rows.len(), figures, error_pct, left_out }
}

/// Spread of a row's logarithm that no figure explains.
const NOISE: f64 = 0.03;
const SWEEPS: usize = 6;

fn minimise(rows: &[&Scenario], start: Figures) -> Figures {
    let mut figures = start;
    let loss = |figures: &Figures| -> f64 {
        let data: f64 = rows.iter().map(|row| (row.log_error(figures) / NOISE).powi(2)).sum();
        let pull = |free: &Free| {
            let at = |f: &Figures| *(free.get)(&mut f.clone());
            ((at(figures) / at(&start)).ln() / free.spread).powi(2)
        };
        data + FREE.iter().map(pull).sum::<f64>()
    };
    for _ in 0..SWEEPS {
        for free in &FREE {
            let at = |value: f64| {
                let mut trial = figures;
                *(free.get)(&mut trial) = value.exp();
                loss(&trial)
            };
            let best = golden(at, free.range[0].ln(), free.range[1].ln());
            *(free.get)(&mut figures) = best.exp();
        }
    }
    figures
}

/// The least point of a function with one valley.
fn golden(of: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut a, mut b) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_a, mut at_b) = (of(a), of(b));
    for _ in 0..14 {
        if at_a < at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - ratio * (high - low);
            at_a = of(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + ratio * (high - low);
            at_b = of(b);
        }
    }
    f64::midpoint(low, high)
}

impl Scenario {
    /// Measured seconds of a step, if this row may be fitted on.
    fn target(&self) -> Option<f64> {
        let measured = self.file.measured.as_ref().filter(|m| m.split == "calib")?;
        let tokens = f64::from(self.question.global_batch) * f64::from(self.question.sequence);
        let chips = f64::from(self.question.chips);
        let rate = measured.metric(Metric::TrainingThroughputPerChip).map(|p| tokens / chips / p.value);
        measured.metric(Metric::StepTime).map(|p| p.value).or(rate)
    }

    /// Logarithm of predicted over measured time under other figures.
    fn log_error(&self, figures: &Figures) -> f64 {
        let Some(measured) = self.target() else { return 0.0 };
        match self.step_under(figures) {
            Ok(step) => (step.time / measured).ln(),
            Err(_) => 0.0,
        }
    }
}
