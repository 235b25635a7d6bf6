//! Small random fleets.

use proptest::prelude::*;
use vitruvian_planner::fleet::future::{Delivery, Future};
use vitruvian_planner::fleet::{ChipSupply, Column, Demand, Limits, Problem, Stack};

pub(crate) const QUARTERS: usize = 2;

/// Two chips, the second of which needs a stack; two demands; each demand has a column on each chip.
pub(crate) fn problem() -> impl Strategy<Value = Problem> {
    let supply = (1u32..4, prop::collection::vec(0u32..3, QUARTERS), 0u32..2);
    let demand = (prop::collection::vec(0u32..30, QUARTERS), 1u32..40);
    let column = (3u32..15, 1u32..5, 0u32..5, 1u32..3);
    (
        prop::collection::vec(supply, 2),
        prop::collection::vec(demand, 2),
        prop::collection::vec(column, 4),
        (0u32..40, 0u32..8),
        (prop::option::of(2u32..16), prop::option::of(1u32..6), prop::option::of(5u32..60)),
    )
        .prop_map(|(chips, demands, columns, (migration, upkeep), (power, racks, total))| {
            let chips = chips.iter().enumerate().map(|(index, (price, offered, stock))| {
                let price = vec![10.0 * f64::from(*price); QUARTERS];
                ChipSupply {
                    name: format!("chip-{index}"),
                    chips_per_node: 8,
                    payable: price.clone(),
                    price,
                    offered: offered.iter().map(|n| f64::from(*n)).collect(),
                    stock: vec![f64::from(*stock); QUARTERS],
                    racks_per_node: 1.0 + index as f64 / 2.0,
                    stack: (index == 1).then_some(0),
                }
            });
            let demands = demands.iter().enumerate().map(|(index, (rate, penalty))| Demand {
                name: format!("demand-{index}"),
                rate: rate.iter().map(|r| f64::from(*r)).collect(),
                penalty: vec![f64::from(*penalty); QUARTERS],
                tokens: 100.0,
            });
            let columns = columns.iter().enumerate().map(|(index, (rate, power, energy, nodes))| Column {
                demand: index % 2,
                chip: index / 2,
                nodes: f64::from(*nodes),
                rate: f64::from(*rate * *nodes),
                power: f64::from(*power * *nodes),
                energy: f64::from(*energy * *nodes),
            });
            Problem {
                quarters: QUARTERS,
                chips: chips.collect(),
                demands: demands.collect(),
                columns: columns.collect(),
                stacks: vec![Stack {
                    name: "second".to_owned(),
                    migration: f64::from(migration),
                    upkeep: f64::from(upkeep),
                    ready: 0,
                }],
                limits: Limits {
                    power: power.map(|p| vec![f64::from(p); QUARTERS]),
                    // What is there must have room.
                    racks: racks.map(|r| vec![f64::from(r) + 3.0; QUARTERS]),
                    budget: None,
                    total: total.map(f64::from),
                },
                cash: vec![1.0, 0.9],
                running: vec![0.95, 0.85],
                upkeep: vec![0.5, 0.3],
                priority: 1.0,
            }
        })
}

/// Everything arrives when it is due.
pub(crate) fn certain(problem: &Problem) -> Future {
    let deliveries = problem
        .chips
        .iter()
        .map(|_| {
            (0..QUARTERS)
                .map(|quarter| vec![Delivery { quarter, share: 1.0, price: 1.0, speed: 1.0 }])
                .collect()
        })
        .collect();
    Future { outcomes: Vec::new(), weight: 1.0, deliveries, speed: vec![1.0; 2] }
}

/// A chip serves more or less than it was estimated to.
pub(crate) fn at_speed(problem: &Problem, chip: usize, speed: f64, weight: f64) -> Future {
    let mut future = certain(problem);
    future.speed[chip] = speed;
    future.deliveries[chip].iter_mut().flatten().for_each(|delivery| delivery.speed = speed);
    Future { weight, ..future }
}

/// Nothing of one chip arrives.
pub(crate) fn without(problem: &Problem, chip: usize, weight: f64) -> Future {
    let mut future = certain(problem);
    future.deliveries[chip] = vec![Vec::new(); QUARTERS];
    Future { weight, ..future }
}
