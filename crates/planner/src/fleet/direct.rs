//! The whole program for one future that is known.

use crate::fleet::branch::{Effort, branch};
use crate::fleet::future::Future;
use crate::fleet::problem::Problem;
use crate::fleet::program::{Program, Rank, RowId, Sense, Variable, VariableId};
use crate::fleet::relax::{Halt, relax};

/// What is ordered and taken up, whatever the future brings.
#[derive(Clone, Debug, PartialEq)]
pub struct Orders {
    /// Nodes, by chip and by the quarter in which they are due.
    pub nodes: Vec<Vec<f64>>,
    /// One where a stack is taken up, by stack and quarter.
    pub open: Vec<Vec<f64>>,
}

/// The best plan for one future.
#[derive(Clone, Debug, PartialEq)]
pub struct Direct {
    /// Orders.
    pub orders: Orders,
    /// Deployments, by column and quarter.
    pub placed: Vec<Vec<f64>>,
    /// Requests per second that are not served, by demand and quarter.
    pub short: Vec<Vec<f64>>,
    /// Present value, penalties with their priority included.
    pub cost: f64,
    /// No plan costs less.
    pub bound: f64,
}

/// What a program leaves free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freedom {
    /// Orders and stacks are whole numbers.
    pub whole_orders: bool,
    /// Placements are whole numbers.
    pub whole_placements: bool,
    /// Nothing that is due before this quarter is ordered.
    pub not_before: usize,
    /// Every demand must be met.
    pub met: bool,
}

/// Where things stand in a program.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Orders, by chip and due quarter.
    pub order: Vec<Vec<VariableId>>,
    /// Stacks taken up, by stack and quarter.
    pub open: Vec<Vec<VariableId>>,
    /// Whether a stack has been taken up by a quarter, by stack and quarter. These are what is branched on: whether it was
    /// taken up by then halves what is left, whether it was just then hardly narrows it.
    pub open_by: Vec<Vec<VariableId>>,
    /// Deployments, by column and quarter.
    pub place: Vec<Vec<VariableId>>,
    /// Shortfall, by demand and quarter.
    pub short: Vec<Vec<VariableId>>,
    /// Orders of a chip whose stack must be taken up, by chip and due quarter.
    pub taken_up: Vec<Vec<RowId>>,
    /// Power, by quarter.
    pub power: Vec<RowId>,
    /// Racks, by quarter.
    pub racks: Vec<RowId>,
    /// Budget, by quarter.
    pub budget: Vec<RowId>,
    /// Budget in all.
    pub total: Option<RowId>,
}

/// The best plan for one future: the relaxation where nothing must be whole.
///
/// # Errors
/// Some demand cannot be met though it must, or the solver fails.
pub fn direct(problem: &Problem, future: &Future, freedom: Freedom, effort: Effort) -> Result<Direct, Halt> {
    let (program, places) = build(problem, future, freedom);
    let (values, cost, bound) = if freedom.whole_orders || freedom.whole_placements {
        let found = branch(&program, effort)?;
        (found.values, found.cost, found.bound)
    } else {
        let found = relax(&program)?;
        (found.values, found.cost, found.cost)
    };
    let read = |ids: &[Vec<VariableId>]| -> Vec<Vec<f64>> {
        ids.iter().map(|row| row.iter().map(|id| values[id.index()]).collect()).collect()
    };
    let mut open = read(&places.open);
    if freedom.whole_orders {
        open.iter_mut().flatten().for_each(|open| *open = open.round());
    }
    Ok(Direct {
        orders: Orders { nodes: read(&places.order), open },
        placed: read(&places.place),
        short: capped(problem, read(&places.short)),
        cost,
        bound,
    })
}

/// No more is short than is asked for, also where it costs nothing.
fn capped(problem: &Problem, mut short: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    for (by_quarter, demand) in short.iter_mut().zip(&problem.demands) {
        by_quarter.iter_mut().zip(&demand.rate).for_each(|(short, rate)| *short = short.min(*rate));
    }
    short
}

/// The program of one future.
pub fn build(problem: &Problem, future: &Future, freedom: Freedom) -> (Program, Places) {
    let mut program = Program::default();
    let mut places = Places::default();
    variables(problem, future, freedom, &mut program, &mut places);
    for quarter in 0..problem.quarters {
        stock_rows(problem, future, quarter, &mut program, &places);
        demand_rows(problem, quarter, &mut program, &places);
    }
    stack_rows(problem, freedom, &mut program, &mut places);
    limit_rows(problem, &mut program, &mut places);
    (program, places)
}

fn variables(
    problem: &Problem,
    future: &Future,
    freedom: Freedom,
    program: &mut Program,
    places: &mut Places,
) {
    let whole = |variable: Variable, yes: bool, rank: Rank| if yes { variable.whole(rank) } else { variable };
    for chip in 0..problem.chips.len() {
        let order = |due: usize| {
            let offered = if due < freedom.not_before { 0.0 } else { most(problem, freedom, chip, due) };
            let charge = order_charge(problem, future, chip, due);
            whole(Variable::new(charge, offered), freedom.whole_orders, Rank::Middle)
        };
        places.order.push((0..problem.quarters).map(|due| program.add(order(due))).collect());
    }
    for stack in 0..problem.stacks.len() {
        let open = |quarter: usize| {
            let possible = quarter >= problem.stacks[stack].ready && quarter >= freedom.not_before;
            Variable::new(problem.stack_charge(stack, quarter), if possible { 1.0 } else { 0.0 })
        };
        places.open.push((0..problem.quarters).map(|quarter| program.add(open(quarter))).collect());
        let by = || whole(Variable::new(0.0, 1.0), freedom.whole_orders, Rank::First);
        places.open_by.push((0..problem.quarters).map(|_| program.add(by())).collect());
    }
    for column in &problem.columns {
        let place = |quarter: usize| {
            let variable = Variable::new(column.energy * problem.running[quarter], f64::INFINITY);
            whole(variable, freedom.whole_placements, Rank::Last)
        };
        places.place.push((0..problem.quarters).map(|quarter| program.add(place(quarter))).collect());
    }
    // No limit on a shortfall but that it costs: the program then always has a point, whatever the solver rounds.
    let most = if freedom.met { 0.0 } else { f64::INFINITY };
    for index in 0..problem.demands.len() {
        let short = |quarter: usize| Variable::new(problem.penalty(index, quarter) * problem.priority, most);
        places.short.push((0..problem.quarters).map(|quarter| program.add(short(quarter))).collect());
    }
}

/// Most nodes of a chip that can be ordered for a quarter: what is on offer, and what the budgets pay.
///
/// Budgets are left out where nothing is whole: they narrow only what is branched on, and elastic ones must not bind here.
fn most(problem: &Problem, freedom: Freedom, chip: usize, due: usize) -> f64 {
    let offered = problem.chips[chip].offered[due].floor();
    if !freedom.whole_orders {
        return offered;
    }
    let payable = problem.chips[chip].payable[due];
    let pays = |money: f64| if payable > 0.0 { money / payable + WHOLE } else { f64::INFINITY };
    let budget = problem.limits.budget.as_ref().map_or(f64::INFINITY, |budget| pays(budget[due]));
    let total = problem.limits.total.map_or(f64::INFINITY, pays);
    offered.min(budget).min(total).floor()
}

/// Closer to the next whole node than this counts as one.
const WHOLE: f64 = 1e-9;

/// Present value of one node ordered, as far as it arrives.
pub fn order_charge(problem: &Problem, future: &Future, chip: usize, due: usize) -> f64 {
    let deliveries = future.deliveries[chip][due].iter();
    deliveries
        .map(|delivery| delivery.share * problem.charge(chip, due, delivery.quarter, delivery.price))
        .sum()
}

/// Of one node that is due in a quarter, the part that has arrived by another, in nodes of the estimated speed.
pub fn arrived(future: &Future, chip: usize, due: usize, by: usize) -> f64 {
    let deliveries = future.deliveries[chip][due].iter();
    deliveries.filter(|delivery| delivery.quarter <= by).map(|delivery| delivery.share * delivery.speed).sum()
}

/// What is placed on a chip is there: stock and arrivals, as far as the chip's stack is taken up.
fn stock_rows(problem: &Problem, future: &Future, quarter: usize, program: &mut Program, places: &Places) {
    for (index, chip) in problem.chips.iter().enumerate() {
        let mut terms: Vec<_> = problem
            .columns_of(index)
            .map(|(column, data)| (places.place[column][quarter], data.nodes))
            .collect();
        terms.extend(
            places.order[index]
                .iter()
                .enumerate()
                .map(|(due, id)| (*id, -arrived(future, index, due, quarter))),
        );
        let there = chip.stock[quarter] * future.speed[index];
        let bound = match chip.stack {
            None => there,
            Some(stack) => {
                terms.extend(places.open[stack][..=quarter].iter().map(|id| (*id, -there)));
                0.0
            }
        };
        program.row(terms, Sense::AtMost, bound);
    }
}

fn demand_rows(problem: &Problem, quarter: usize, program: &mut Program, places: &Places) {
    for (index, demand) in problem.demands.iter().enumerate() {
        let columns = problem.columns.iter().enumerate().filter(|(_, column)| column.demand == index);
        let mut terms: Vec<_> =
            columns.map(|(column, data)| (places.place[column][quarter], data.rate)).collect();
        terms.push((places.short[index][quarter], 1.0));
        program.row(terms, Sense::AtLeast, demand.rate[quarter]);
    }
}

/// A stack is taken up once; orders of its chips are due when it is.
fn stack_rows(problem: &Problem, freedom: Freedom, program: &mut Program, places: &mut Places) {
    for (open, by) in places.open.iter().zip(&places.open_by) {
        for (quarter, by) in by.iter().enumerate() {
            let terms = open[..=quarter].iter().map(|id| (*id, 1.0)).chain([(*by, -1.0)]);
            program.row(terms.collect(), Sense::Equal, 0.0);
        }
    }
    for (index, chip) in problem.chips.iter().enumerate() {
        let mut rows = Vec::new();
        for (due, order) in places.order[index].iter().enumerate() {
            let Some(stack) = chip.stack else { continue };
            let mut terms = vec![(*order, 1.0)];
            terms.extend(
                places.open[stack][..=due].iter().map(|id| (*id, -most(problem, freedom, index, due))),
            );
            rows.push(program.row(terms, Sense::AtMost, 0.0));
        }
        places.taken_up.push(rows);
    }
}

fn limit_rows(problem: &Problem, program: &mut Program, places: &mut Places) {
    for quarter in 0..problem.quarters {
        if let Some(power) = &problem.limits.power {
            let terms = problem.columns.iter().zip(&places.place).map(|(c, ids)| (ids[quarter], c.power));
            places.power.push(program.row(terms.collect(), Sense::AtMost, power[quarter]));
        }
        if let Some(racks) = &problem.limits.racks {
            let taken = problem.chips.iter().map(|chip| chip.stock[quarter] * chip.racks_per_node);
            let free = racks[quarter] - taken.sum::<f64>();
            let terms = problem
                .chips
                .iter()
                .zip(&places.order)
                .flat_map(|(chip, ids)| ids[..=quarter].iter().map(|id| (*id, chip.racks_per_node)));
            places.racks.push(program.row(terms.collect(), Sense::AtMost, free));
        }
        if let Some(budget) = &problem.limits.budget {
            let terms = payments(problem, places, quarter);
            places.budget.push(program.row(terms, Sense::AtMost, budget[quarter]));
        }
    }
    if let Some(total) = problem.limits.total {
        let terms = (0..problem.quarters).flat_map(|quarter| payments(problem, places, quarter)).collect();
        places.total = Some(program.row(terms, Sense::AtMost, total));
    }
}

/// What falls due in a quarter if everything is delivered: nodes, and stacks taken up.
fn payments(problem: &Problem, places: &Places, quarter: usize) -> Vec<(VariableId, f64)> {
    let nodes =
        problem.chips.iter().zip(&places.order).map(|(chip, ids)| (ids[quarter], chip.payable[quarter]));
    let stacks = problem.stacks.iter().zip(&places.open).map(|(stack, ids)| (ids[quarter], stack.migration));
    nodes.chain(stacks).collect()
}
