//! Residuals of measured tables against the tile model, for the `measured` fidelity.

use vitruvian_cost::{Costs, Family, Fidelity, Refusal, Residuals};
use vitruvian_model::Operator;

use crate::measurement::Measurement;
use crate::table::Table;

/// A table may not correct the model by more than this factor either way: beyond it a row is taken for an outlier.
const MOST: f64 = 5.0;

/// Residuals of all rows of the tables, with caches as they were when the profiles were measured.
pub fn residuals(costs: &Costs, tables: &[Table]) -> Residuals {
    let rows = tables.iter().flat_map(|table| &table.measurements);
    let points: Vec<(Operator, f64)> = rows.filter_map(|row| points(costs, row).ok()).flatten().collect();
    Residuals::of(&points)
}

/// The operators that a row informs, with the logarithm of what is left of the time after the others over their own.
fn points(costs: &Costs, row: &Measurement) -> Result<Vec<(Operator, f64)>, Refusal> {
    let residency = costs.profiles.residency(row.slot.family, row.slot.precision);
    let costs = Costs { residency, fidelity: Fidelity::Tile, ..*costs };
    let informed =
        |operator: &Operator| Family::of(operator).is_some_and(|(family, _)| family == row.slot.family);
    let (mut own, mut others) = (0.0, 0.0);
    for operator in &row.operators {
        let time = costs.estimate(operator)?.time.get();
        *if informed(operator) { &mut own } else { &mut others } += time;
    }
    let log_ratio = ((row.time.get() - others) / own).clamp(1.0 / MOST, MOST).ln();
    Ok(row
        .operators
        .iter()
        .filter(|operator| informed(operator))
        .map(|operator| (*operator, log_ratio))
        .collect())
}
