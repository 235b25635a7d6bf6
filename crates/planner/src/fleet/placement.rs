//! Whole deployments on the nodes that one future leaves, quarter by quarter.

use rayon::prelude::*;

use crate::fleet::branch::{Effort, branch};
use crate::fleet::direct::Orders;
use crate::fleet::evaluate::there;
use crate::fleet::future::Future;
use crate::fleet::problem::Problem;
use crate::fleet::program::VariableId;
use crate::fleet::recourse::{capped, quarter_program};
use crate::fleet::relax::Halt;

/// Whole deployments of one quarter.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// Nodes that are there and usable, by chip.
    pub nodes: Vec<f64>,
    /// Deployments by column.
    pub placed: Vec<f64>,
    /// Requests per second that are not served, by demand.
    pub short: Vec<f64>,
    /// Present value of energy and penalties, and how far below another placement could lie.
    pub cost: f64,
    /// No placement costs less.
    pub bound: f64,
}

/// Closer to the next whole node than this counts as one.
const WHOLE: f64 = 1e-6;

/// The best whole placements of each quarter.
///
/// # Errors
/// The solver fails.
pub fn placements(
    problem: &Problem,
    orders: &Orders,
    future: &Future,
    effort: Effort,
) -> Result<Vec<Placement>, Halt> {
    (0..problem.quarters)
        .into_par_iter()
        .map(|quarter| placement(problem, orders, future, quarter, effort))
        .collect()
}

/// The best whole placements of one quarter.
///
/// # Errors
/// The solver fails.
pub fn placement(
    problem: &Problem,
    orders: &Orders,
    future: &Future,
    quarter: usize,
    effort: Effort,
) -> Result<Placement, Halt> {
    let nodes: Vec<f64> =
        there(problem, orders, future, quarter).iter().map(|nodes| (nodes + WHOLE).floor()).collect();
    let (program, placed, short) = quarter_program(problem, quarter, &nodes, true);
    let found = branch(&program, effort)?;
    let read = |ids: &[VariableId]| -> Vec<f64> { ids.iter().map(|id| found.values[id.index()]).collect() };
    let (placed, short) = (read(&placed), capped(problem, quarter, read(&short)));
    Ok(Placement { nodes, placed, short, cost: found.cost, bound: found.bound })
}
