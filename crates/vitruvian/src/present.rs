//! Answers as tables, figures and pages.

pub mod compare;
pub mod estimate;
mod figures;
mod operators;

use vitruvian_report::{Cell, Tone};

use crate::answer::Range;

/// A range as a cell.
fn range(range: Range) -> Cell {
    Cell::range(range.p50, range.p10, range.p90)
}

/// One range a column, the best in a good tone where several are compared.
fn contest(ranges: &[Option<Range>], larger_wins: bool) -> Vec<Cell> {
    let sign = if larger_wins { -1.0 } else { 1.0 };
    let figures = ranges.iter().flatten().map(|r| sign * r.p50);
    let best = figures.fold(f64::INFINITY, f64::min);
    let several = ranges.iter().flatten().count() > 1;
    ranges
        .iter()
        .map(|one| match one {
            Some(one) if several && sign * one.p50 == best => range(*one).tone(Tone::Good),
            Some(one) => range(*one),
            None => Cell::default(),
        })
        .collect()
}
