//! What stops a plan that cannot meet its demand, and by how much: limits are made elastic and the demand hard.

use rayon::prelude::*;

use crate::fleet::direct::{Freedom, Places, build};
use crate::fleet::future::Future;
use crate::fleet::problem::Problem;
use crate::fleet::program::{Program, RowId, Sense, Variable, VariableId};
use crate::fleet::relax::{Halt, relax};

/// A limit that may be made elastic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Kilowatts in every quarter.
    Power,
    /// Racks in every quarter.
    Racks,
    /// US dollars in each quarter's budget.
    Budget,
    /// US dollars in the whole budget.
    Total,
    /// Nodes of a chip offered in every quarter.
    Offered(usize),
}

/// How much more of one limit alone would do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relief {
    /// The limit.
    pub limit: Limit,
    /// How much more; nothing where no amount of it alone is enough.
    pub more: Option<f64>,
}

/// What would have to give for every demand to be met.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocked {
    /// Each limit alone.
    pub alone: Vec<Relief>,
    /// The least of all limits together, each in parts of itself; nothing where even that is not enough.
    pub together: Option<Vec<(Limit, f64)>>,
    /// Least shortfall with the limits as they are, in requests per second, by demand and quarter.
    pub short: Vec<Vec<f64>>,
}

/// Less than this is the solver's rounding.
const NOISE: f64 = 1e-6;

/// The least shortfall in one future, weighted by penalties, whatever it costs; by demand and quarter.
///
/// # Errors
/// The solver fails.
pub fn least_shortfall(problem: &Problem, future: &Future) -> Result<Vec<Vec<f64>>, Halt> {
    let (mut program, places) = build(problem, future, Freedom::default());
    for (index, variable) in program.variables.iter_mut().enumerate() {
        let is_short = places.short.iter().flatten().any(|id| id.index() == index);
        variable.cost = if is_short { variable.cost.max(f64::MIN_POSITIVE) } else { 0.0 };
    }
    let found = relax(&program)?;
    let size = |demand: usize, quarter: usize| problem.demands[demand].rate[quarter];
    let read = |(demand, ids): (usize, &Vec<_>)| {
        let value = |(quarter, id): (usize, &VariableId)| {
            let short = found.values[id.index()].min(size(demand, quarter));
            if short > NOISE * size(demand, quarter) { short } else { 0.0 }
        };
        ids.iter().enumerate().map(value).collect()
    };
    Ok(places.short.iter().enumerate().map(read).collect())
}

/// What stops the plan in one future; nothing where every demand can be met.
///
/// # Errors
/// The solver fails.
pub fn blocked(problem: &Problem, future: &Future) -> Result<Option<Blocked>, Halt> {
    let short = least_shortfall(problem, future)?;
    if short.iter().flatten().all(|short| *short == 0.0) {
        return Ok(None);
    }
    let limits = limits(problem);
    let alone = limits.par_iter().map(|limit| {
        let more = stretched(problem, future, &[*limit])?;
        Ok(Relief { limit: *limit, more: more.map(|amounts| amounts[0]) })
    });
    let alone: Result<Vec<Relief>, Halt> = alone.collect();
    let together = stretched(problem, future, &limits)?;
    let together =
        together.map(|amounts| limits.into_iter().zip(amounts).filter(|(_, more)| *more > NOISE).collect());
    Ok(Some(Blocked { alone: alone?, together, short }))
}

fn limits(problem: &Problem) -> Vec<Limit> {
    let given = &problem.limits;
    let mut all = Vec::new();
    all.extend(given.power.as_ref().map(|_| Limit::Power));
    all.extend(given.racks.as_ref().map(|_| Limit::Racks));
    all.extend(given.budget.as_ref().map(|_| Limit::Budget));
    all.extend(given.total.map(|_| Limit::Total));
    all.extend((0..problem.chips.len()).map(Limit::Offered));
    all
}

/// The least that the limits must grow by, each in parts of itself, for every demand to be met.
fn stretched(problem: &Problem, future: &Future, limits: &[Limit]) -> Result<Option<Vec<f64>>, Halt> {
    let (mut program, places) = build(problem, future, Freedom { met: true, ..Freedom::default() });
    program.variables.iter_mut().for_each(|variable| variable.cost = 0.0);
    let slacks: Vec<_> = limits.iter().map(|limit| stretch(problem, &mut program, &places, *limit)).collect();
    match relax(&program) {
        Ok(found) => Ok(Some(slacks.iter().map(|id| found.values[id.index()]).collect())),
        Err(Halt::Infeasible) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Adds the amount by which a limit grows.
fn stretch(problem: &Problem, program: &mut Program, places: &Places, limit: Limit) -> VariableId {
    let slack = program.add(Variable::new(1.0 / size(problem, limit), f64::INFINITY));
    let loosen = |program: &mut Program, rows: &[RowId]| {
        rows.iter().for_each(|row| program.rows[row.index()].terms.push((slack, -1.0)));
    };
    match limit {
        Limit::Power => loosen(program, &places.power),
        Limit::Racks => loosen(program, &places.racks),
        Limit::Budget => loosen(program, &places.budget),
        Limit::Total => loosen(program, places.total.as_slice()),
        Limit::Offered(chip) => {
            loosen(program, &places.taken_up[chip]);
            for order in &places.order[chip] {
                let offered = program.variables[order.index()].upper;
                program.variables[order.index()].upper = f64::INFINITY;
                program.row(vec![(*order, 1.0), (slack, -1.0)], Sense::AtMost, offered);
            }
        }
    }
    slack
}

/// The limit's own size, so that limits of different units can be weighed against each other.
fn size(problem: &Problem, limit: Limit) -> f64 {
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max).max(1.0);
    let of = |values: &Option<Vec<f64>>| values.as_deref().map_or(1.0, most);
    match limit {
        Limit::Power => of(&problem.limits.power),
        Limit::Racks => of(&problem.limits.racks),
        Limit::Budget => of(&problem.limits.budget),
        Limit::Total => problem.limits.total.unwrap_or(1.0).max(1.0),
        Limit::Offered(chip) => most(&problem.chips[chip].offered),
    }
}
