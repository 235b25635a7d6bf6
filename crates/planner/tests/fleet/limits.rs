//! What stops a plan, and what one more is worth.

use proptest::prelude::*;
use vitruvian_planner::fleet::Problem;
use vitruvian_planner::fleet::elastic::{Limit, blocked};
use vitruvian_planner::fleet::worth::{Thing, worths};

use crate::small::{QUARTERS, certain, problem};

fn grown(problem: &Problem, limit: Limit, more: f64) -> Problem {
    let mut grown = problem.clone();
    let add = |values: &mut Option<Vec<f64>>| values.iter_mut().flatten().for_each(|value| *value += more);
    match limit {
        Limit::Power => add(&mut grown.limits.power),
        Limit::Racks => add(&mut grown.limits.racks),
        Limit::Budget => add(&mut grown.limits.budget),
        Limit::Total => grown.limits.total = grown.limits.total.map(|total| total + more),
        Limit::Offered(_) => {}
    }
    grown
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn so_much_more_is_enough_and_less_is_not(problem in problem()) {
        let future = certain(&problem);
        let Some(stop) = blocked(&problem, &future).unwrap() else { return Ok(()) };
        prop_assert!(stop.short.iter().flatten().any(|short| *short > 0.0));
        for relief in stop.alone {
            let (Some(more), false) = (relief.more, matches!(relief.limit, Limit::Offered(_))) else { continue };
            prop_assert!(more > 0.0, "{relief:?}");
            let enough = grown(&problem, relief.limit, more * 1.0001);
            prop_assert!(blocked(&enough, &future).unwrap().is_none(), "{relief:?} is not enough");
            let less = grown(&problem, relief.limit, more * 0.99);
            prop_assert!(blocked(&less, &future).unwrap().is_some(), "less than {relief:?} is enough");
        }
    }

    #[test]
    fn a_limit_that_does_not_bind_is_worth_nothing(mut problem in problem()) {
        problem.limits.power = Some(vec![1e6; QUARTERS]);
        problem.limits.racks = Some(vec![1e6; QUARTERS]);
        problem.limits.total = Some(1e9);
        for worth in worths(&problem, &certain(&problem)).unwrap() {
            if matches!(worth.thing, Thing::Megawatt | Thing::Rack | Thing::Million) {
                prop_assert_eq!(worth.value, 0.0, "{:?}", worth.thing);
            }
        }
    }
}

#[test]
fn a_node_that_is_short_is_worth_what_it_serves() {
    use vitruvian_planner::fleet::{ChipSupply, Column, Demand, Limits};
    // One node serves 5 of 20 requests/s in each of two quarters. One more saves 5 × (7 − 1) a quarter: penalty less
    // energy, at present values of 0.95 and 0.85: 5 · (0.95 + 0.85) · 7 − 5 · 1.8 = 54.
    let problem = Problem {
        quarters: QUARTERS,
        chips: vec![ChipSupply {
            name: "a".to_owned(),
            chips_per_node: 8,
            price: vec![100.0; QUARTERS],
            payable: vec![100.0; QUARTERS],
            offered: vec![0.0; QUARTERS],
            stock: vec![1.0; QUARTERS],
            racks_per_node: 1.0,
            stack: None,
        }],
        demands: vec![Demand {
            name: "d".to_owned(),
            rate: vec![20.0; QUARTERS],
            penalty: vec![7.0; QUARTERS],
            tokens: 1.0,
        }],
        columns: vec![Column { demand: 0, chip: 0, nodes: 1.0, rate: 5.0, power: 1.0, energy: 5.0 }],
        stacks: Vec::new(),
        limits: Limits::default(),
        cash: vec![1.0, 0.9],
        running: vec![0.95, 0.85],
        upkeep: vec![0.5, 0.3],
        priority: 1.0,
    };
    let all = worths(&problem, &certain(&problem)).unwrap();
    let of = |thing| all.iter().find(|worth| worth.thing == thing).unwrap().value;
    assert!((of(Thing::Stock(0)) - 54.0).abs() < 1e-6, "{}", of(Thing::Stock(0)));
    // Bought it costs 100 × 0.5 and serves two quarters (54), or 100 × 0.3 and serves one: 5 · 6 · 0.85 = 25.5 < 30.
    assert!((of(Thing::Offered(0)) - 4.0).abs() < 1e-6, "{}", of(Thing::Offered(0)));
}
