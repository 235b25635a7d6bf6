//! Orders over several futures, against every set of whole orders.

use proptest::prelude::*;
use vitruvian_planner::fleet::branch::Effort;
use vitruvian_planner::fleet::evaluate::{nodes_charge, stacks_charge};
use vitruvian_planner::fleet::hedge::{Patience, hedge};
use vitruvian_planner::fleet::placement::{Placement, placements};
use vitruvian_planner::fleet::polish::{keeps_limits, polish};
use vitruvian_planner::fleet::strategy::{Strategy, attempt, known, quantile};
use vitruvian_planner::fleet::{Orders, Problem, evaluate};

use crate::enumerate::all_orders;
use crate::small::{at_speed, certain, problem, without};

const ALL: Patience =
    Patience { steps: 200, gap: 1e-9, rounds: 50, branch: Effort { nodes: 100_000, gap: 0.0 } };

fn futures(problem: &Problem) -> Vec<vitruvian_planner::fleet::Future> {
    let mut late = certain(problem);
    late.weight = 0.2;
    late.deliveries[1][0] = std::mem::take(&mut late.deliveries[1][1]);
    let all = vitruvian_planner::fleet::Future { weight: 0.3, ..certain(problem) };
    vec![all, without(problem, 0, 0.3), late, at_speed(problem, 0, 0.7, 0.1), at_speed(problem, 1, 1.6, 0.1)]
}

fn expected(problem: &Problem, orders: &Orders, futures: &[vitruvian_planner::fleet::Future]) -> f64 {
    evaluate(problem, orders, futures).unwrap().iter().map(|books| books.weight * books.total()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(25))]
    #[test]
    fn the_hedged_orders_are_the_best_of_all(problem in problem()) {
        let futures = futures(&problem);
        let least = all_orders(&problem)
            .iter()
            .map(|orders| expected(&problem, orders, &futures))
            .fold(f64::INFINITY, f64::min);
        let found = hedge(&problem, &futures, ALL).unwrap();
        prop_assert!((found.expected - least).abs() < 1e-5 * least.max(1.0), "{} against {least}", found.expected);
        prop_assert!(found.bound <= least + 1e-6 * least.max(1.0), "bound {} above {least}", found.bound);
        // Primal books and dual cuts tell the same cost.
        let books = expected(&problem, &found.orders, &futures);
        prop_assert!((books - found.expected).abs() < 1e-5 * least.max(1.0));
    }

    #[test]
    fn no_strategy_beats_knowing_the_future(problem in problem()) {
        let futures = futures(&problem);
        let known = known(&problem, &futures).unwrap();
        let kept = |strategy| attempt(&problem, &futures, &known, strategy, ALL).unwrap();
        let mean = |tried: &vitruvian_planner::fleet::strategy::Tried| -> f64 {
            tried.books.iter().map(|books| books.weight * books.total()).sum()
        };
        let mixed = kept(Strategy::Mixed);
        for strategy in [Strategy::Only(0), Strategy::Only(1), Strategy::Wait(1), Strategy::Wait(0)] {
            let tried = kept(strategy);
            for (books, least) in tried.books.iter().zip(&known) {
                prop_assert!(books.total() >= least - 1e-6 * least.max(1.0), "{strategy:?}");
            }
            if let Strategy::Only(_) = strategy {
                prop_assert!(mean(&tried) >= mean(&mixed) - 1e-6 * mean(&mixed).max(1.0), "{strategy:?}");
            }
            // Not having to wait at all is knowing the future.
            if strategy == Strategy::Wait(0) {
                prop_assert!(tried.regret.iter().zip(&known).all(|(regret, least)| *regret <= 1e-6 * least.max(1.0)));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(25))]
    #[test]
    fn polish_keeps_limits_and_makes_nothing_worse(problem in problem()) {
        let future = certain(&problem);
        let found = hedge(&problem, std::slice::from_ref(&future), ALL).unwrap();
        prop_assert!(keeps_limits(&problem, &found.orders));
        let polished = polish(&problem, &found.orders, &future, ALL.branch, 20).unwrap();
        prop_assert!(keeps_limits(&problem, &polished.orders));
        let total = |orders: &Orders| {
            let placed = placements(&problem, orders, &future, ALL.branch).unwrap();
            nodes_charge(&problem, orders, &future)
                + stacks_charge(&problem, orders)
                + placed.iter().map(|quarter| quarter.cost).sum::<f64>()
        };
        prop_assert!(total(&polished.orders) <= total(&found.orders) + 1e-9);
        // What is told of the placements is that of the orders.
        let again = placements(&problem, &polished.orders, &future, ALL.branch).unwrap();
        let cost = |placed: &[Placement]| placed.iter().map(|quarter| quarter.cost).sum::<f64>();
        prop_assert!((cost(&again) - cost(&polished.placed)).abs() < 1e-6);
    }
}

#[test]
fn quantiles_are_weighted() {
    let values = [(3.0, 0.1), (1.0, 0.5), (2.0, 0.4)];
    assert_eq!([0.1, 0.5, 0.51, 0.9, 0.95].map(|part| quantile(&values, part)), [1.0, 1.0, 2.0, 2.0, 3.0]);
}
