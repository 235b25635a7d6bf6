//! Units in which a program's rows and variables are about as large as each other.
//!
//! Dollars, kilowatts and requests differ by factors of a million; a solver's tolerances do not. Rows and columns are
//! divided in turn by the geometric mean of their least and largest coefficient (Curtis and Reid 1972 in its simplest
//! form), rounded to powers of two so that no digit is lost.

use crate::fleet::program::Program;

/// What rows are multiplied by, and what one unit of each variable stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// One factor a row.
    pub rows: Vec<f64>,
    /// One unit a variable.
    pub units: Vec<f64>,
}

/// After so many passes nothing changes much.
const PASSES: usize = 4;

impl Scaling {
    /// Rows divided by their largest coefficient.
    pub fn of_rows(program: &Program) -> Self {
        let factor = |terms: &[(_, f64)]| 1.0 / largest(terms.iter().map(|(_, factor): &(_, f64)| *factor));
        let rows = program.rows.iter().map(|row| factor(&row.terms)).collect();
        Self { rows, units: vec![1.0; program.variables.len()] }
    }

    /// Rows and variables scaled in turn.
    pub fn balanced(program: &Program) -> Self {
        let mut scaling =
            Self { rows: vec![1.0; program.rows.len()], units: vec![1.0; program.variables.len()] };
        for _ in 0..PASSES {
            scaling.balance_rows(program);
            scaling.balance_units(program);
        }
        scaling
    }

    fn balance_rows(&mut self, program: &Program) {
        for (row, factor) in program.rows.iter().zip(&mut self.rows) {
            let sizes = row.terms.iter().map(|(id, factor)| (factor * self.units[id.index()]).abs());
            *factor = binary(1.0 / middle(sizes));
        }
    }

    fn balance_units(&mut self, program: &Program) {
        let mut ranges = vec![(f64::INFINITY, 0.0_f64); self.units.len()];
        for (row, scale) in program.rows.iter().zip(&self.rows) {
            for (id, factor) in &row.terms {
                let (size, range) = ((factor * scale).abs(), &mut ranges[id.index()]);
                *range = (range.0.min(size), range.1.max(size));
            }
        }
        for (unit, (least, most)) in self.units.iter_mut().zip(ranges) {
            *unit = if most > 0.0 { binary(1.0 / (least * most).sqrt()) } else { 1.0 };
        }
    }
}

/// Largest of some numbers by size; one if there is none but zero.
pub fn largest(numbers: impl Iterator<Item = f64>) -> f64 {
    let largest = numbers.map(f64::abs).fold(0.0, f64::max);
    if largest > 0.0 { largest } else { 1.0 }
}

/// Geometric mean of least and largest.
fn middle(sizes: impl Iterator<Item = f64>) -> f64 {
    let (least, most) = sizes
        .filter(|size| *size > 0.0)
        .fold((f64::INFINITY, 0.0_f64), |(least, most), size| (least.min(size), most.max(size)));
    if most > 0.0 { (least * most).sqrt() } else { 1.0 }
}

/// The nearest power of two.
fn binary(factor: f64) -> f64 {
    factor.log2().round().exp2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::program::{Sense, Variable};

    #[test]
    fn rows_and_variables_meet_at_one() {
        // Coefficients 1e6·x + 1e-3·y and 1e6·x alone: in balance both columns and rows are near one.
        let mut program = Program::default();
        let x = program.add(Variable::new(1.0, f64::INFINITY));
        let y = program.add(Variable::new(1.0, f64::INFINITY));
        program.row(vec![(x, 1e6), (y, 1e-3)], Sense::AtMost, 1.0);
        program.row(vec![(x, 1e6)], Sense::AtMost, 1.0);
        let scaling = Scaling::balanced(&program);
        for (row, factor) in program.rows.iter().zip(&scaling.rows) {
            for (id, coefficient) in &row.terms {
                let size = coefficient * factor * scaling.units[id.index()];
                assert!((0.4..2.5).contains(&size), "{size}");
            }
        }
    }
}
