//! Orders that are best over many futures: the L-shaped method (Van Slyke and Wets 1969).
//!
//! Minimise c·x + Σ_t E[Q_t(U_t)] over orders x, U_t being what has arrived by t. A master program holds x and, for each
//! quarter, a variable θ_t that stands for E[Q_t]; lines below E[Q_t], from the dual programs of all futures, push θ_t up
//! until the master's cost (a lower bound) meets the cost of its own orders (an upper bound). The master also holds the
//! placements of the mean future: by Jensen's inequality E[Q_t(U_t)] ≥ Q_t(E[U_t]), which is a good bound from the start.
//! Every other step looks half way between the master's orders and the best so far, which keeps it from jumping.
//!
//! At last the orders become whole numbers by branch and bound over the master. The gap that is told is that of the whole
//! orders to the best lower bound.

use rayon::prelude::*;

use crate::fleet::branch::{Effort, branch};
use crate::fleet::direct::{Freedom, Orders, Places, arrived, build};
use crate::fleet::evaluate::{nodes_charge, stacks_charge, there};
use crate::fleet::future::{Future, mean};
use crate::fleet::problem::Problem;
use crate::fleet::program::{Program, Sense, Variable, VariableId};
use crate::fleet::recourse::Dual;
use crate::fleet::relax::{Halt, relax};

/// Orders that are best over many futures.
#[derive(Clone, Debug, PartialEq)]
pub struct Hedged {
    /// Whole nodes.
    pub orders: Orders,
    /// Expected present value, penalties with their priority included, nodes shared between deployments.
    pub expected: f64,
    /// No orders cost less.
    pub bound: f64,
    /// Steps of the method.
    pub steps: usize,
}

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// Steps at most.
    pub steps: usize,
    /// Relative gap that is good enough.
    pub gap: f64,
    /// Rounds in which orders are made whole.
    pub rounds: usize,
    /// Effort of each.
    pub branch: Effort,
}

impl Hedged {
    /// How much better other orders could be at most, relative to the expected cost.
    pub fn gap(&self) -> f64 {
        ((self.expected - self.bound) / self.expected.abs().max(f64::MIN_POSITIVE)).max(0.0)
    }
}

/// The master program.
struct Master<'a> {
    problem: &'a Problem,
    futures: &'a [Future],
    duals: Vec<Dual>,
    program: Program,
    places: Places,
    rest: Vec<VariableId>,
}

/// A line below the expected cost of a quarter's placements, over the orders.
struct Line {
    constant: f64,
    nodes: Vec<Vec<f64>>,
    open: Vec<Vec<f64>>,
    value: f64,
}

/// Finds orders that are best over all futures.
///
/// # Errors
/// The solver fails, or no orders keep the limits.
pub fn hedge(problem: &Problem, futures: &[Future], patience: Patience) -> Result<Hedged, Halt> {
    let mut master = Master::new(problem, futures);
    let (mut bound, mut best) = (f64::NEG_INFINITY, None::<(Orders, f64)>);
    let mut steps = 0;
    while steps < patience.steps {
        let found = relax(&master.program)?;
        bound = bound.max(found.cost);
        let here = master.orders(&found.values);
        let orders = match &best {
            Some((known, _)) if steps % 2 == 1 => half_way(&here, known),
            _ => here,
        };
        let cost = master.look(&orders)?;
        steps += 1;
        if best.as_ref().is_none_or(|(_, least)| cost < *least) {
            best = Some((orders, cost));
        }
        let Some((_, least)) = &best else { continue };
        if least - bound <= patience.gap * least.abs() {
            break;
        }
    }
    master.make_whole(bound, steps, patience)
}

impl<'a> Master<'a> {
    fn new(problem: &'a Problem, futures: &'a [Future]) -> Self {
        let freedom = Freedom { whole_orders: true, ..Freedom::default() };
        let (mut program, places) = build(problem, &mean(futures), freedom);
        let rest: Vec<VariableId> =
            (0..problem.quarters).map(|_| program.add(Variable::new(1.0, f64::INFINITY))).collect();
        for (quarter, rest) in rest.iter().enumerate() {
            let mut terms = vec![(*rest, 1.0)];
            for id in places.place.iter().chain(&places.short).map(|ids| ids[quarter]) {
                let cost = std::mem::take(&mut program.variables[id.index()].cost);
                terms.push((id, -cost));
            }
            program.row(terms, Sense::AtLeast, 0.0);
        }
        let duals = (0..problem.quarters).map(|quarter| Dual::new(problem, quarter)).collect();
        Self { problem, futures, duals, program, places, rest }
    }

    fn orders(&self, values: &[f64]) -> Orders {
        let read = |ids: &[Vec<VariableId>]| -> Vec<Vec<f64>> {
            ids.iter().map(|row| row.iter().map(|id| values[id.index()]).collect()).collect()
        };
        Orders { nodes: read(&self.places.order), open: read(&self.places.open) }
    }

    /// The expected cost of orders; its lines are added to the master.
    fn look(&mut self, orders: &Orders) -> Result<f64, Halt> {
        let quarters = 0..self.problem.quarters;
        let lines: Result<Vec<Line>, Halt> =
            quarters.into_par_iter().map(|quarter| self.line(orders, quarter)).collect();
        let mut cost = stacks_charge(self.problem, orders);
        for future in self.futures {
            cost += future.weight * nodes_charge(self.problem, orders, future);
        }
        for (quarter, line) in lines?.into_iter().enumerate() {
            cost += line.value;
            let terms = |ids: &[Vec<VariableId>], worth: &[Vec<f64>]| -> Vec<(VariableId, f64)> {
                ids.iter().flatten().copied().zip(worth.iter().flatten().copied()).collect()
            };
            let mut row = vec![(self.rest[quarter], 1.0)];
            row.extend(terms(&self.places.order, &line.nodes));
            row.extend(terms(&self.places.open, &line.open));
            self.program.row(row, Sense::AtLeast, line.constant);
        }
        Ok(cost)
    }

    fn line(&self, orders: &Orders, quarter: usize) -> Result<Line, Halt> {
        let problem = self.problem;
        let zero = |rows: usize| vec![vec![0.0; problem.quarters]; rows];
        let mut line = Line {
            constant: 0.0,
            nodes: zero(problem.chips.len()),
            open: zero(problem.stacks.len()),
            value: 0.0,
        };
        // Futures that have brought the same so far share one dual program.
        let mut seen = Vec::new();
        for future in self.futures {
            let nodes = there(problem, orders, future, quarter);
            let known = seen.iter().position(|(other, _)| *other == nodes);
            let index = known.unwrap_or(seen.len());
            if known.is_none() {
                let cut = self.duals[quarter].cut(&nodes)?;
                seen.push((nodes, cut));
            }
            let (nodes, cut) = &seen[index];
            line.constant += future.weight * cut.constant;
            line.value += future.weight * cut.at(nodes);
            for (chip, worth) in cut.worth.iter().enumerate() {
                let stock = problem.chips[chip].stock[quarter] * future.speed[chip];
                for due in 0..=quarter {
                    line.nodes[chip][due] += future.weight * worth * arrived(future, chip, due, quarter);
                }
                if let Some(stack) = problem.chips[chip].stack {
                    let there = future.weight * worth * stock;
                    line.open[stack][..=quarter].iter_mut().for_each(|open| *open += there);
                } else {
                    line.constant -= future.weight * worth * stock;
                }
            }
        }
        Ok(line)
    }

    fn make_whole(mut self, bound: f64, steps: usize, patience: Patience) -> Result<Hedged, Halt> {
        let mut best: Option<Hedged> = None;
        for _ in 0..patience.rounds.max(1) {
            let found = branch(&self.program, patience.branch)?;
            let bound = bound.max(found.bound);
            let mut orders = self.orders(&found.values);
            orders.nodes.iter_mut().chain(&mut orders.open).flatten().for_each(|n| *n = n.round());
            let expected = self.look(&orders)?;
            let bound = best.as_ref().map_or(bound, |known| known.bound.max(bound));
            match &mut best {
                Some(known) if known.expected <= expected => known.bound = bound,
                _ => best = Some(Hedged { orders, expected, bound, steps }),
            }
            if best.as_ref().is_some_and(|known| known.gap() <= patience.gap) {
                break;
            }
        }
        best.ok_or(Halt::Infeasible)
    }
}

fn half_way(one: &Orders, other: &Orders) -> Orders {
    let middle = |a: &[Vec<f64>], b: &[Vec<f64>]| -> Vec<Vec<f64>> {
        let row =
            |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(a, b)| f64::midpoint(*a, *b)).collect();
        a.iter().zip(b).map(row).collect()
    };
    Orders { nodes: middle(&one.nodes, &other.nodes), open: middle(&one.open, &other.open) }
}
