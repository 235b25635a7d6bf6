//! The one file that knows the solver of linear programs: microlp, or HiGHS with the feature `highs`.

#[cfg(feature = "highs")]
use good_lp::solvers::highs::highs as solver;
#[cfg(not(feature = "highs"))]
use good_lp::solvers::microlp::microlp as solver;
use good_lp::{
    Constraint, Expression, ResolutionError, Solution, SolverModel, constraint, variable, variables,
};

use crate::fleet::program::{Program, Row, Sense};
use crate::fleet::scaling::{Scaling, largest};

/// The best point of a program whose variables need not be whole numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Relaxed {
    /// Its cost: a lower bound of the program with whole numbers.
    pub cost: f64,
    /// One value a variable.
    pub values: Vec<f64>,
}

/// Why there is no best point.
#[derive(Clone, Debug, PartialEq)]
pub enum Halt {
    /// No point keeps all rows.
    Infeasible,
    /// The solver gave up, and what it says.
    Failed(String),
}

/// Solves the relaxation.
///
/// # Errors
/// No point keeps all rows, or the solver fails.
pub fn relax(program: &Program) -> Result<Relaxed, Halt> {
    let bounds: Vec<(f64, f64)> = program.variables.iter().map(|v| (v.lower, v.upper)).collect();
    relax_within(program, &bounds)
}

/// The same with other bounds of the variables.
///
/// # Errors
/// As [`relax`].
pub fn relax_within(program: &Program, bounds: &[(f64, f64)]) -> Result<Relaxed, Halt> {
    if bounds.iter().any(|(lower, upper)| lower > upper) {
        return Err(Halt::Infeasible);
    }
    // What the solver could not do in one set of units it often can in another. It says that there is no point where its
    // tolerances hide one, too; at last it is given a little room.
    let balanced = Scaling::balanced(program);
    solve(program, bounds, &balanced).or_else(|first| {
        solve(program, bounds, &Scaling::of_rows(program))
            .or_else(|_| solve(&with_room(program), bounds, &balanced))
            .map_err(|_| first)
    })
}

/// Part of a bound by which it may be passed where the solver finds no point otherwise.
const ROOM: f64 = 1e-9;

/// The same program with bounds of rows a little wider.
fn with_room(program: &Program) -> Program {
    let mut wider = program.clone();
    for row in &mut wider.rows {
        let room = ROOM * row.bound.abs().max(1.0);
        match row.sense {
            Sense::AtMost => row.bound += room,
            Sense::AtLeast => row.bound -= room,
            Sense::Equal => {}
        }
    }
    wider
}

fn solve(program: &Program, bounds: &[(f64, f64)], scaling: &Scaling) -> Result<Relaxed, Halt> {
    let mut all = variables!();
    let add = |((lower, upper), unit): (&(f64, f64), &f64)| {
        all.add(variable().min(*lower / unit).max(*upper / unit))
    };
    let handles: Vec<good_lp::Variable> = bounds.iter().zip(&scaling.units).map(add).collect();
    let costs = program.variables.iter().zip(&scaling.units).map(|(variable, unit)| variable.cost * unit);
    let scale = 1.0 / largest(costs.clone());
    let mut objective = Expression::with_capacity(handles.len());
    costs.zip(&handles).for_each(|(cost, handle)| objective.add_mul(cost * scale, *handle));
    let rows = program.rows.iter().zip(&scaling.rows).filter(|(row, _)| !row.terms.is_empty());
    let model = rows.fold(all.minimise(objective).using(solver), |model, (row, factor)| {
        model.with(scaled(row, *factor, &scaling.units, &handles))
    });
    let solved = model.solve().map_err(halt)?;
    let value = |((handle, unit), (lower, upper)): ((&good_lp::Variable, &f64), &(f64, f64))| {
        (solved.value(*handle) * unit).clamp(*lower, *upper)
    };
    let values: Vec<f64> = handles.iter().zip(&scaling.units).zip(bounds).map(value).collect();
    Ok(Relaxed { cost: program.cost(&values), values })
}

fn scaled(row: &Row, scale: f64, units: &[f64], handles: &[good_lp::Variable]) -> Constraint {
    let mut sum = Expression::with_capacity(row.terms.len());
    for (variable, factor) in &row.terms {
        let index = variable.index();
        sum.add_mul(factor * scale * units[index], handles[index]);
    }
    match row.sense {
        Sense::AtMost => constraint!(sum <= row.bound * scale),
        Sense::AtLeast => constraint!(sum >= row.bound * scale),
        Sense::Equal => constraint!(sum == row.bound * scale),
    }
}

fn halt(error: ResolutionError) -> Halt {
    match error {
        ResolutionError::Infeasible => Halt::Infeasible,
        other => Halt::Failed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::program::Variable;

    #[test]
    fn the_corner_of_two_rows() {
        // min −50x − 40y, 3x + 2y ≤ 20, 2x + y ≤ 12, y ≤ 7: x = 2, y = 7, cost −380
        let mut program = Program::default();
        let x = program.add(Variable::new(-50.0, f64::INFINITY));
        let y = program.add(Variable::new(-40.0, 7.0));
        program.row(vec![(x, 3.0), (y, 2.0)], Sense::AtMost, 20.0);
        program.row(vec![(x, 2.0), (y, 1.0)], Sense::AtMost, 12.0);
        let found = relax(&program).unwrap();
        assert!((found.cost + 380.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn what_cannot_be_is_told() {
        let mut program = Program::default();
        let x = program.add(Variable::new(1.0, 1.0));
        program.row(vec![(x, 1.0)], Sense::AtLeast, 2.0);
        assert_eq!(relax(&program), Err(Halt::Infeasible));
    }
}
