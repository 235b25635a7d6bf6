//! Answers as tables, figures and pages.

pub mod compare;
pub mod compress;
pub mod die;
pub mod estimate;
pub mod export_control;
mod figures;
pub mod fleet;
mod operators;
pub mod ownership;
pub mod plan;
pub mod residuals;
pub mod simulate;
pub mod train;
pub mod validation;

use vitruvian_report::{Cell, Tone};

use crate::answer::Range;

/// A range as a cell.
fn range(range: Range) -> Cell {
    Cell::range(range.p50, range.p10, range.p90)
}

/// Lead below which two figures count as equal.
const LEAD: f64 = 0.02;

/// One range a column; the best in a good tone where it leads all others.
fn contest(ranges: &[Option<Range>], larger_wins: bool) -> Vec<Cell> {
    let beats = |a: f64, b: f64| if larger_wins { a > b * (1.0 + LEAD) } else { a * (1.0 + LEAD) < b };
    let leads = |one: &Range| {
        let others = ranges.iter().flatten().filter(|other| *other != one);
        ranges.iter().flatten().count() > 1
            && others.map(|other| other.p50).all(|other| beats(one.p50, other))
    };
    let cell = |one: &Range| if leads(one) { range(*one).tone(Tone::Good) } else { range(*one) };
    ranges.iter().map(|one| Cell::from(one.as_ref().map(cell))).collect()
}
