//! From what the file says to the planner's problem: money to present values, deployments to columns.

use vitruvian_economics::{Region, capital_recovery};
use vitruvian_planner::fleet::{ChipSupply, Column, Demand, Problem, Risk, Stack};

use super::columns::Found;
use super::spec::{Goal, Spec};

const QUARTERS_A_YEAR: f64 = 4.0;
const HOURS_A_QUARTER: f64 = 8760.0 / QUARTERS_A_YEAR;
/// Seconds of a quarter.
pub(super) const SECONDS_A_QUARTER: f64 = HOURS_A_QUARTER * 3600.0;
const WATTS_PER_KILOWATT: f64 = 1000.0;

/// The planner's problem.
pub(super) fn problem(spec: &Spec, found: &[Found]) -> Problem {
    let present = |quarters: usize| (1.0 + spec.discount).powf(-(quarters as f64) / QUARTERS_A_YEAR);
    let running: Vec<f64> = (0..spec.quarters).map(|quarter| present(quarter + 1)).collect();
    let mut problem = Problem {
        quarters: spec.quarters,
        chips: chips(spec),
        demands: demands(spec),
        columns: found.iter().map(|way| column(spec, way)).collect(),
        stacks: spec.stacks.iter().map(stack).collect(),
        limits: spec.limits.clone(),
        cash: (0..spec.quarters).map(present).collect(),
        upkeep: upkeep(&spec.region, spec.discount, &running),
        running,
        priority: 1.0,
    };
    if spec.goal != Goal::Cost {
        problem.priority = priority(&problem);
    }
    problem
}

/// Present value, per dollar of a node's price, of its use from each quarter to the last of the plan.
///
/// A quarter costs `(1 + network − residual/(1+r)ⁿ) · CRF + operations`, as in the cost of ownership, for as long as the
/// node's service life; what is left of the life after the plan is not charged to it.
fn upkeep(region: &Region, discount: f64, running: &[f64]) -> Vec<f64> {
    let life = (region.years * QUARTERS_A_YEAR).round();
    let rate = (1.0 + discount).powf(1.0 / QUARTERS_A_YEAR) - 1.0;
    let invested = 1.0 + region.network_share - region.residual / (1.0 + discount).powf(region.years);
    let capital = invested * capital_recovery(rate, life);
    let operations = region.operations_share / QUARTERS_A_YEAR;
    let charge = |(quarter, present): (usize, &f64), from: usize| {
        let capital = if (quarter - from) as f64 >= life { 0.0 } else { capital };
        (capital + operations) * present
    };
    let from = |from: usize| running.iter().enumerate().skip(from).map(|at| charge(at, from)).sum();
    (0..running.len()).map(from).collect()
}

fn chips(spec: &Spec) -> Vec<ChipSupply> {
    let one = |(index, supply): (usize, &super::spec::SupplySpec)| ChipSupply {
        name: supply.name.clone(),
        chips_per_node: supply.setup.node.size,
        payable: payable(spec, index),
        price: supply.price.clone(),
        offered: supply.offered.clone(),
        stock: supply.stock.clone(),
        racks_per_node: supply.racks_per_node,
        stack: spec.stacks.iter().position(|stack| stack.chips.contains(&index)),
    };
    spec.supplies.iter().enumerate().map(one).collect()
}

/// What the budget must hold for a node: its price with the network, at the dearest that any future makes it.
fn payable(spec: &Spec, chip: usize) -> Vec<f64> {
    let network = 1.0 + spec.region.network_share;
    let dearest = |risk: &Risk, quarter: usize| {
        let outcomes = risk.outcomes.iter().map(|outcome| {
            let touching = outcome
                .effects
                .iter()
                .filter(|effect| effect.chip == chip && (effect.from..effect.until).contains(&quarter));
            touching.map(|effect| effect.price).product::<f64>()
        });
        outcomes.fold(1.0, f64::max)
    };
    let prices = spec.supplies[chip].price.iter().enumerate();
    prices
        .map(|(quarter, price)| {
            let factor: f64 = spec.risks.iter().map(|risk| dearest(risk, quarter)).product();
            price * network * factor
        })
        .collect()
}

fn demands(spec: &Spec) -> Vec<Demand> {
    let one = |demand: &super::spec::DemandSpec| Demand {
        name: demand.name.clone(),
        rate: demand.rate.clone(),
        penalty: vec![demand.penalty_per_rate(SECONDS_A_QUARTER); spec.quarters],
        tokens: demand.tokens(SECONDS_A_QUARTER),
    };
    spec.demands.iter().map(one).collect()
}

/// A deployment at the peak draws its full power; over a quarter it draws active idle and, in the share of time that the
/// mean load is of the peak, what is above.
fn column(spec: &Spec, way: &Found) -> Column {
    let setup = &spec.supplies[way.chip].setup;
    let chips = f64::from(way.nodes * setup.node.size);
    let host = setup.node.host_power.get() / f64::from(setup.node.size);
    let idle = setup.chip.power.active_idle.get() + host;
    let full = way.performance.wall_power.get();
    let mean = idle + (full - idle) * spec.demands[way.demand].load;
    let kilowatts = |watts: f64| watts * chips * spec.region.pue / WATTS_PER_KILOWATT;
    Column {
        demand: way.demand,
        chip: way.chip,
        nodes: f64::from(way.nodes),
        rate: way.performance.requests_per_s,
        power: kilowatts(full),
        energy: kilowatts(mean) * HOURS_A_QUARTER * spec.region.electricity,
    }
}

fn stack(stack: &super::spec::StackSpec) -> Stack {
    Stack { name: stack.name.clone(), migration: stack.migration, upkeep: stack.upkeep, ready: stack.ready }
}

/// More than this makes money and penalties too unlike for the solver.
const MOST_PRIORITY: f64 = 1e4;

/// By how much penalties must count for a node (with its stack) to be bought even for one quarter of one service.
fn priority(problem: &Problem) -> f64 {
    let migration: f64 = (0..problem.stacks.len()).map(|stack| problem.stack_charge(stack, 0)).sum();
    let running: f64 = problem.running.iter().sum();
    let ratio = |column: &Column| {
        let price = problem.chips[column.chip].price.iter().copied().fold(0.0, f64::max) * column.nodes;
        let cost = price * problem.upkeep[0] + migration + column.energy * running;
        let saved = (0..problem.quarters)
            .map(|quarter| problem.penalty(column.demand, quarter) * column.rate)
            .fold(f64::INFINITY, f64::min);
        cost / saved.max(f64::MIN_POSITIVE)
    };
    problem.columns.iter().map(ratio).fold(1.0, f64::max).min(MOST_PRIORITY)
}
