//! Whole programs of one future, and every way to fill them.

use proptest::prelude::*;
use vitruvian_planner::fleet::branch::Effort;
use vitruvian_planner::fleet::evaluate::{nodes_charge, stacks_charge, there};
use vitruvian_planner::fleet::future::Future;
use vitruvian_planner::fleet::{Freedom, Orders, Problem, direct};

use crate::small::{QUARTERS, certain, problem};

const ALL: Effort = Effort { nodes: 1_000_000, gap: 0.0 };

/// Every set of whole orders that keeps racks and budget.
pub(crate) fn all_orders(problem: &Problem) -> Vec<Orders> {
    let offered = |chip: usize, quarter: usize| problem.chips[chip].offered[quarter] as u32;
    let mut all = Vec::new();
    for a in 0..=offered(0, 0) {
        for b in 0..=offered(0, 1) {
            for c in 0..=offered(1, 0) {
                for d in 0..=offered(1, 1) {
                    for open in [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]] {
                        let nodes = vec![vec![f64::from(a), f64::from(b)], vec![f64::from(c), f64::from(d)]];
                        all.push(Orders { nodes, open: vec![open.to_vec()] });
                    }
                }
            }
        }
    }
    all.retain(|orders| allowed(problem, orders));
    all
}

fn allowed(problem: &Problem, orders: &Orders) -> bool {
    let opened = |quarter: usize| orders.open[0][..=quarter].iter().sum::<f64>() > 0.0;
    let in_time = (0..QUARTERS).all(|quarter| orders.nodes[1][quarter] == 0.0 || opened(quarter));
    let racks = |quarter: usize| -> f64 {
        let chips = problem.chips.iter().zip(&orders.nodes);
        chips
            .map(|(chip, due)| {
                (chip.stock[quarter] + due[..=quarter].iter().sum::<f64>()) * chip.racks_per_node
            })
            .sum()
    };
    let fits = (0..QUARTERS)
        .all(|quarter| problem.limits.racks.as_ref().is_none_or(|racks_| racks(quarter) <= racks_[quarter]));
    let paid: f64 = (0..QUARTERS)
        .map(|quarter| {
            let chips = problem.chips.iter().zip(&orders.nodes);
            chips.map(|(chip, due)| chip.payable[quarter] * due[quarter]).sum::<f64>()
                + orders.open[0][quarter] * problem.stacks[0].migration
        })
        .sum();
    in_time && fits && problem.limits.total.is_none_or(|total| paid <= total)
}

/// The least cost of whole placements of a quarter, by trying all.
fn placements(problem: &Problem, quarter: usize, nodes: &[f64]) -> f64 {
    let mut least = f64::INFINITY;
    let most: Vec<u32> =
        problem.columns.iter().map(|column| (nodes[column.chip] / column.nodes) as u32).collect();
    let count = most.iter().map(|n| n + 1).product::<u32>();
    for mut index in 0..count {
        let placed: Vec<f64> = most
            .iter()
            .map(|n| {
                let here = index % (n + 1);
                index /= n + 1;
                f64::from(here)
            })
            .collect();
        least = least.min(cost_of(problem, quarter, nodes, &placed));
    }
    least
}

fn cost_of(problem: &Problem, quarter: usize, nodes: &[f64], placed: &[f64]) -> f64 {
    let sum = |f: &dyn Fn(&vitruvian_planner::fleet::Column) -> f64| -> f64 {
        problem.columns.iter().zip(placed).map(|(column, n)| f(column) * n).sum()
    };
    let fits = nodes
        .iter()
        .enumerate()
        .all(|(chip, there)| sum(&|c| if c.chip == chip { c.nodes } else { 0.0 }) <= *there);
    let power = problem.limits.power.as_ref().is_none_or(|power| sum(&|c| c.power) <= power[quarter]);
    if !fits || !power {
        return f64::INFINITY;
    }
    let short = problem.demands.iter().enumerate().map(|(index, demand)| {
        let served = sum(&|c| if c.demand == index { c.rate } else { 0.0 });
        (demand.rate[quarter] - served).max(0.0) * problem.penalty(index, quarter) * problem.priority
    });
    sum(&|c| c.energy) * problem.running[quarter] + short.sum::<f64>()
}

fn total(problem: &Problem, future: &Future, orders: &Orders) -> f64 {
    let quarters = (0..QUARTERS).map(|q| placements(problem, q, &there(problem, orders, future, q)));
    nodes_charge(problem, orders, future) + stacks_charge(problem, orders) + quarters.sum::<f64>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn branch_and_bound_finds_what_trying_everything_finds(problem in problem()) {
        let future = certain(&problem);
        let least = all_orders(&problem)
            .iter()
            .map(|orders| total(&problem, &future, orders))
            .fold(f64::INFINITY, f64::min);
        let freedom = Freedom { whole_orders: true, whole_placements: true, ..Freedom::default() };
        let found = direct(&problem, &future, freedom, ALL).unwrap();
        prop_assert!((found.cost - least).abs() < 1e-6 * least.max(1.0), "{} against {least}", found.cost);
        // The cost that is told is that of the plan that is told.
        prop_assert!(found.cost - found.bound < 1e-6 * least.max(1.0));
        let again = total(&problem, &future, &found.orders);
        prop_assert!((again - least).abs() < 1e-6 * least.max(1.0));
    }

    #[test]
    fn little_effort_gives_a_plan_and_a_bound_on_both_sides_of_the_best(problem in problem(), nodes in 1usize..6) {
        let future = certain(&problem);
        let freedom = Freedom { whole_orders: true, whole_placements: true, ..Freedom::default() };
        let best = direct(&problem, &future, freedom, ALL).unwrap().cost;
        let Ok(found) = direct(&problem, &future, freedom, Effort { nodes, gap: 0.0 }) else { return Ok(()) };
        prop_assert!(found.bound <= best + 1e-6 * best.max(1.0), "{} above {best}", found.bound);
        prop_assert!(found.cost >= best - 1e-6 * best.max(1.0), "{} below {best}", found.cost);
    }
}
