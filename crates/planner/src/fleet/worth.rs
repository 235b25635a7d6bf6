//! Shadow prices: what one more of a thing is worth.
//!
//! The relaxation is solved again with one more unit; the worth is what the present value, penalties included, falls by.
//! That is a finite difference by exact solutions, not a dual value: a dual holds for an infinitely small unit and is not
//! unique where the best point is a corner of many rows.

use rayon::prelude::*;

use crate::fleet::branch::Effort;
use crate::fleet::direct::{Freedom, direct};
use crate::fleet::future::Future;
use crate::fleet::problem::Problem;
use crate::fleet::relax::Halt;

/// A thing of which there could be more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A megawatt, in every quarter.
    Megawatt,
    /// A rack, in every quarter.
    Rack,
    /// A million dollars in each quarter's budget.
    QuarterlyMillion,
    /// A million dollars in the whole budget.
    Million,
    /// One more node offered in every quarter.
    Offered(usize),
    /// One more node that is there from the start.
    Stock(usize),
}

/// What one more of a thing is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    /// The thing.
    pub thing: Thing,
    /// US dollars of present value.
    pub value: f64,
}

const KILOWATTS: f64 = 1000.0;
const DOLLARS: f64 = 1e6;

/// The worth of one more of each thing that is limited, in one future.
///
/// # Errors
/// The solver fails.
pub fn worths(problem: &Problem, future: &Future) -> Result<Vec<Worth>, Halt> {
    let plain = Problem { priority: 1.0, ..problem.clone() };
    let cost = |problem: &Problem| {
        direct(problem, future, Freedom::default(), Effort { nodes: 1, gap: 0.0 }).map(|plan| plan.cost)
    };
    let base = cost(&plain)?;
    let one = |thing: &Thing| {
        let value = (base - cost(&with_one_more(&plain, *thing))?).max(0.0);
        Ok(Worth { thing: *thing, value: if value < base.abs() * NOISE { 0.0 } else { value } })
    };
    things(problem).par_iter().map(one).collect()
}

/// Differences below this part of the whole are the solver's rounding.
const NOISE: f64 = 1e-9;

fn things(problem: &Problem) -> Vec<Thing> {
    let limits = &problem.limits;
    let mut all = Vec::new();
    all.extend(limits.power.as_ref().map(|_| Thing::Megawatt));
    all.extend(limits.racks.as_ref().map(|_| Thing::Rack));
    all.extend(limits.budget.as_ref().map(|_| Thing::QuarterlyMillion));
    all.extend(limits.total.map(|_| Thing::Million));
    all.extend((0..problem.chips.len()).map(Thing::Offered));
    all.extend((0..problem.chips.len()).map(Thing::Stock));
    all
}

fn with_one_more(problem: &Problem, thing: Thing) -> Problem {
    let mut more = problem.clone();
    let add = |limit: &mut Option<Vec<f64>>, amount: f64| {
        limit.iter_mut().flatten().for_each(|value| *value += amount);
    };
    match thing {
        Thing::Megawatt => add(&mut more.limits.power, KILOWATTS),
        Thing::Rack => add(&mut more.limits.racks, 1.0),
        Thing::QuarterlyMillion => add(&mut more.limits.budget, DOLLARS),
        Thing::Million => more.limits.total = more.limits.total.map(|total| total + DOLLARS),
        Thing::Offered(chip) => more.chips[chip].offered.iter_mut().for_each(|nodes| *nodes += 1.0),
        Thing::Stock(chip) => {
            let chip = &mut more.chips[chip];
            chip.stock.iter_mut().for_each(|nodes| *nodes += 1.0);
            // The node stands on floor of its own: its racks are not what is asked for.
            let racks = chip.racks_per_node;
            add(&mut more.limits.racks, racks);
        }
    }
    more
}
