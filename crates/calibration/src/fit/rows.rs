//! Measured rows with all that a fit does not change worked out.

use vitruvian_cost::{Costs, Family, Fidelity, Prepared, ProfileSet, Residency};
use vitruvian_hardware::Chip;
use vitruvian_model::Operator;

use super::Problem;
use crate::measurement::{Measurement, Slot};

/// The rows of a fit.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    chip: &'a Chip,
    rows: Vec<Option<Row>>,
}

/// One row: what the fitted profiles time, and the seconds that others take.
#[derive(Clone, Debug)]
struct Row {
    fitted: Vec<Prepared>,
    fixed: f64,
    measured: f64,
    residency: Residency,
}

impl<'a> Rows<'a> {
    pub(super) fn of(problem: &Problem<'a>) -> Self {
        Self { chip: problem.chip, rows: problem.rows.iter().map(|row| Row::of(problem, row)).collect() }
    }

    /// An even selection of at most so many rows.
    pub(super) fn sample(&self, most: usize) -> Self {
        let step = self.rows.len().div_ceil(most.max(1)).max(1);
        Self { chip: self.chip, rows: self.rows.iter().step_by(step).cloned().collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// ln(predicted / measured) of each row; none where the chip refuses one of its operators.
    pub(super) fn log_ratios<'b>(
        &'b self,
        profiles: &'b ProfileSet,
    ) -> impl Iterator<Item = Option<f64>> + 'b {
        let costs = Costs::new(self.chip, profiles, Fidelity::Tile);
        self.rows.iter().map(move |row| row.as_ref()?.log_ratio(&costs))
    }
}

impl Row {
    fn of(problem: &Problem, row: &Measurement) -> Option<Self> {
        let residency = problem.profiles.residency(row.slot.family, row.slot.precision);
        let costs = Costs { residency, ..Costs::new(problem.chip, problem.profiles, Fidelity::Tile) };
        let of_fit = |operator: &&Operator| {
            Family::of(operator)
                .is_some_and(|(family, precision)| problem.slots.contains(&Slot { family, precision }))
        };
        let (fitted, others): (Vec<&Operator>, Vec<&Operator>) = row.operators.iter().partition(of_fit);
        let fitted = fitted.into_iter().map(|op| Prepared::of(op, problem.chip));
        let others = others.into_iter().map(|op| Ok(costs.estimate(op)?.time.get()));
        Some(Self {
            fitted: fitted.collect::<Result<_, _>>().ok()?,
            fixed: others.sum::<Result<f64, vitruvian_cost::Refusal>>().ok()?,
            measured: row.time.get(),
            residency,
        })
    }

    fn log_ratio(&self, costs: &Costs) -> Option<f64> {
        let costs = Costs { residency: self.residency, ..*costs };
        let times = self.fitted.iter().map(|operator| Ok(operator.time(&costs)?.get()));
        let fitted = times.sum::<Result<f64, vitruvian_cost::Refusal>>().ok()?;
        Some(((fitted + self.fixed) / self.measured).ln())
    }
}
