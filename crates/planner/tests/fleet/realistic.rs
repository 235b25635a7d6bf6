//! Fleets of realistic figures: the solver must come through, and what it says must hang together.

use proptest::prelude::*;
use vitruvian_planner::fleet::branch::Effort;
use vitruvian_planner::fleet::elastic::blocked;
use vitruvian_planner::fleet::future::Sampling;
use vitruvian_planner::fleet::hedge::{Patience, hedge};
use vitruvian_planner::fleet::placement::placements;
use vitruvian_planner::fleet::polish::keeps_limits;
use vitruvian_planner::fleet::strategy::{Strategy as Way, attempt, known};
use vitruvian_planner::fleet::worth::worths;
use vitruvian_planner::fleet::{
    ChipSupply, Column, Demand, Doubt, Effect, Limits, Outcome, Problem, Risk, Stack, futures, likely,
};

const QUARTERS: usize = 6;
const PATIENCE: Patience =
    Patience { steps: 40, gap: 1e-3, rounds: 2, branch: Effort { nodes: 100, gap: 1e-4 } };

fn by_quarter(value: f64, growth: f64) -> Vec<f64> {
    (0..QUARTERS).map(|quarter| value * growth.powi(i32::try_from(quarter).unwrap())).collect()
}

/// Nodes of 50,000 to 400,000 dollars; services of one to a hundred thousand requests per second.
fn problem() -> impl Strategy<Value = Problem> {
    let chip = (5e4..4e5, 0.0..400.0, 0.0..200.0, 0.2..1.0);
    let demand = (0.0..5.0, 1e2..1e5, 0.9..1.3);
    let column = (0.1..200.0, 3.0..12.0, 1u32..5);
    (
        prop::collection::vec(chip, 3),
        prop::collection::vec(demand, 3),
        prop::collection::vec(column, 9),
        (0.0..5e6, 0.0..3e5, 0usize..3),
        (prop::option::of(10.0..5e3), prop::option::of(1e6..5e7), prop::bool::ANY),
    )
        .prop_map(|(chips, demands, columns, (migration, upkeep, ready), (power, budget, dear))| {
            let chips = chips.iter().enumerate().map(
                |(index, (price, offered, stock, racks)): (usize, &(f64, f64, f64, f64))| ChipSupply {
                    name: format!("chip-{index}"),
                    chips_per_node: 8,
                    price: by_quarter(*price, 0.98),
                    payable: by_quarter(price * 1.15, 0.98),
                    offered: by_quarter(offered.floor(), 1.0),
                    stock: by_quarter(stock.floor(), 1.0),
                    racks_per_node: *racks,
                    stack: (index == 2).then_some(0),
                },
            );
            let demands = demands.iter().enumerate().map(|(index, (size, penalty, growth))| Demand {
                name: format!("demand-{index}"),
                rate: by_quarter(10_f64.powf(*size), *growth),
                penalty: vec![*penalty; QUARTERS],
                tokens: 2e9,
            });
            let columns = columns.iter().enumerate().map(|(index, (rate, power, nodes))| Column {
                demand: index % 3,
                chip: index / 3,
                nodes: f64::from(*nodes),
                rate: rate * f64::from(*nodes),
                power: power * f64::from(*nodes),
                energy: power * f64::from(*nodes) * 120.0,
            });
            Problem {
                quarters: QUARTERS,
                chips: chips.collect(),
                demands: demands.collect(),
                columns: columns.collect(),
                stacks: vec![Stack { name: "second".to_owned(), migration, upkeep, ready }],
                limits: Limits {
                    power: power.map(|kilowatts| vec![kilowatts; QUARTERS]),
                    racks: Some(vec![1000.0; QUARTERS]),
                    budget: budget.map(|dollars| vec![dollars; QUARTERS]),
                    total: budget.map(|dollars| dollars * 4.0),
                },
                cash: by_quarter(1.0, 0.98),
                running: by_quarter(0.98, 0.98),
                upkeep: (0..QUARTERS).map(|quarter| 0.085 * (QUARTERS - quarter) as f64).collect(),
                priority: if dear { 1e3 } else { 1.0 },
            }
        })
}

fn risks() -> Vec<Risk> {
    let effect = Effect { chip: 0, from: 2, until: QUARTERS, share: 0.0, ramp: 0, delay: 0, price: 1.0 };
    let outcome = |name: &str, probability, effects| Outcome { name: name.to_owned(), probability, effects };
    let slow = Effect { chip: 2, from: 0, share: 0.3, ramp: 4, delay: 1, ..effect };
    vec![
        Risk {
            name: "ban".to_owned(),
            outcomes: vec![outcome("no", 0.6, Vec::new()), outcome("yes", 0.4, vec![effect])],
        },
        Risk {
            name: "yield".to_owned(),
            outcomes: vec![outcome("good", 0.5, Vec::new()), outcome("slow", 0.5, vec![slow])],
        },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 20, ..ProptestConfig::default() })]
    #[test]
    fn plans_come_through_and_hang_together(problem in problem()) {
        let risks = risks();
        let doubts = [0.15, 0.15, 0.3].map(|speed| Doubt { volume: 0.2, speed, kin: 0 });
        let futures = futures(&problem, &risks, &doubts, Sampling { seed: 3, samples: 12 });
        let likely = likely(&problem, &risks);
        let known = known(&problem, &futures).unwrap();
        let found = hedge(&problem, &futures, PATIENCE).unwrap();
        prop_assert!(keeps_limits(&problem, &found.orders), "{:?}", found.orders);
        prop_assert!(found.bound <= found.expected * (1.0 + 1e-6), "{} above {} by {}", found.bound, found.expected, found.bound / found.expected - 1.0);
        let plan = attempt(&problem, &futures, &known, Way::Mixed, PATIENCE).unwrap();
        for (books, least) in plan.books.iter().zip(&known) {
            prop_assert!(books.total() >= least * (1.0 - 1e-6), "{} below {least}", books.total());
        }
        let placed = placements(&problem, &found.orders, &likely, Effort { nodes: 500, gap: 1e-3 }).unwrap();
        prop_assert!(placed.iter().all(|quarter| quarter.bound <= quarter.cost * (1.0 + 1e-9) + 1e-6));
        prop_assert!(worths(&problem, &likely).unwrap().iter().all(|worth| worth.value.is_finite()));
        blocked(&problem, &likely).unwrap();
    }
}
