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

#[cfg(test)]
mod tests {
    use vitruvian_diagnostics::SourceText;
    use vitruvian_economics::region::region;

    use super::*;
    use crate::fleet::columns::columns;
    use crate::fleet::spec::spec;
    use crate::setup::Profiles;

    const FILE: &str = r#"
start = "2026-Q1"
quarters = 4
[objective]
penalty = "2 USD"
discount = 0.1
[limits]
racks = 10
rack_power = "12 kW"
budget = "1 MUSD"
[currencies]
EUR = 1.2
[[demand]]
name = "chat"
model = "qwen3-8b"
isl = 1024
osl = 256
output_tokens_per_day = 22118400
growth = 0.5
peak = 2
until = "2026-Q3"
[[supply]]
chip = "h20"
offered = 17
price = "10000 EUR"
price_growth = 0.1
[[risk]]
name = "levy"
[[risk.outcome]]
name = "no"
probability = 0.9
[[risk.outcome]]
name = "yes"
probability = 0.1
[[risk.outcome.effect]]
chips = ["h20"]
from = "2026-Q2"
price = 1.25
"#;

    fn read() -> (Spec, Problem, Vec<Found>) {
        let profiles = Profiles::catalog().unwrap();
        let spec = spec(&SourceText::new("fleet.toml", FILE), &[], &profiles).unwrap();
        let (found, unserved) = columns(&spec.demands, &spec.supplies);
        assert!(unserved.is_empty() && !found.is_empty());
        let problem = problem(&spec, &found);
        (spec, problem, found)
    }

    #[test]
    fn a_node_used_for_its_whole_life_is_charged_its_price() {
        // Σ CRF · (1 + r)⁻ᵏ over the life is one: network included 1.15, and 0.05 a year of operations.
        let cn = region("cn").unwrap();
        let running: Vec<f64> = (1..=16).map(|quarter| 1.08_f64.powf(-f64::from(quarter) / 4.0)).collect();
        let charged = upkeep(&cn, 0.08, &running);
        let operations: f64 = running.iter().sum::<f64>() * 0.05 / 4.0;
        assert!((charged[0] - 1.15 - operations).abs() < 1e-12, "{}", charged[0]);
        // Half of the quarters later, only what is left is charged.
        assert!(charged[8] < charged[0] / 2.0 && charged[8] > 0.0);
    }

    #[test]
    fn figures_of_a_file_become_those_of_the_problem() {
        let (spec, problem, _) = read();
        // 22,118,400 tokens/day / 86,400 s / 256 = 1 request/s, twice as many at the peak, half as many more a quarter.
        let rate = &problem.demands[0].rate;
        assert!(rate.iter().zip([2.0, 3.0, 4.5, 0.0]).all(|(a, b)| (a - b).abs() < 1e-9), "{rate:?}");
        // 8760 h / 4 · 3600 s · 256 tokens / 2, at $2 a million.
        let tokens = 8760.0 / 4.0 * 3600.0 * 256.0 / 2.0;
        assert!((problem.demands[0].tokens - tokens).abs() < 1e-6);
        assert!((problem.demands[0].penalty[0] - tokens * 2e-6).abs() < 1e-9);
        // 17 chips are two nodes of eight; 10,000 EUR · 1.2 · 8 a node, a tenth dearer each quarter.
        let chip = &problem.chips[0];
        assert_eq!(chip.offered, [2.0; 4]);
        assert!((chip.price[1] - 96_000.0 * 1.1).abs() < 1e-6);
        // The budget must hold the network share, and the levy from the second quarter on.
        assert!((chip.payable[0] - 96_000.0 * 1.15).abs() < 1e-6);
        assert!((chip.payable[1] - 96_000.0 * 1.1 * 1.15 * 1.25).abs() < 1e-6);
        // 8 × 500 W + 1.7 kW = 5.7 kW: two nodes in a rack of 12 kW.
        assert!((chip.racks_per_node - 0.5).abs() < 1e-12);
        assert!((problem.cash[2] - 1.1_f64.powf(-0.5)).abs() < 1e-12);
        assert_eq!(spec.wait, 2);
    }

    #[test]
    fn a_deployment_pays_for_idle_and_for_its_mean_load() {
        let (spec, problem, found) = read();
        let (setup, column, way) = (&spec.supplies[0].setup, &problem.columns[0], &found[0]);
        let chips = f64::from(way.nodes * 8);
        // Mean load is half of the peak: idle + (full − idle) / 2, times PUE, 2190 h and the tariff.
        let idle = setup.chip.power.active_idle.get() + setup.node.host_power.get() / 8.0;
        let full = way.performance.wall_power.get();
        let kilowatts = chips * f64::midpoint(idle, full) / 1000.0 * 1.25;
        // 0.4 CNY a kWh at 0.1389 US dollars a yuan.
        assert!((column.energy - kilowatts * 2190.0 * 0.4 * 0.1389).abs() < 1e-6 * column.energy);
        assert!((column.power - chips * full / 1000.0 * 1.25).abs() < 1e-9 * column.power);
    }
}
