//! What orders come to in each future.

use rayon::prelude::*;

use crate::fleet::direct::{Orders, arrived, order_charge};
use crate::fleet::future::Future;
use crate::fleet::problem::Problem;
use crate::fleet::recourse::shared;
use crate::fleet::relax::Halt;

/// Money and shortfall of one future. Money is present value, penalties without priority.
#[derive(Clone, Debug, PartialEq)]
pub struct Books {
    /// Probability of the future.
    pub weight: f64,
    /// Use of the nodes that arrived.
    pub nodes: f64,
    /// Stacks.
    pub stacks: f64,
    /// Electricity.
    pub energy: f64,
    /// Penalties.
    pub penalty: f64,
    /// Output tokens that are not served, by demand and quarter.
    pub short: Vec<Vec<f64>>,
}

impl Books {
    /// What is paid.
    pub fn cost(&self) -> f64 {
        self.nodes + self.stacks + self.energy
    }

    /// What is paid and what is forgone.
    pub fn total(&self) -> f64 {
        self.cost() + self.penalty
    }

    /// Output tokens that are not served in all.
    pub fn short_tokens(&self) -> f64 {
        self.short.iter().flatten().sum()
    }
}

/// Nodes of each chip that are there and usable in a quarter, in nodes of the estimated speed.
pub fn there(problem: &Problem, orders: &Orders, future: &Future, quarter: usize) -> Vec<f64> {
    let one = |chip: usize| {
        let open = problem.chips[chip]
            .stack
            .map_or(1.0, |stack| orders.open[stack][..=quarter].iter().sum::<f64>().min(1.0));
        let bought: f64 = orders.nodes[chip]
            .iter()
            .enumerate()
            .map(|(due, nodes)| nodes * arrived(future, chip, due, quarter))
            .sum();
        problem.chips[chip].stock[quarter] * future.speed[chip] * open + bought
    };
    (0..problem.chips.len()).map(one).collect()
}

/// Present value of the nodes that arrive.
pub fn nodes_charge(problem: &Problem, orders: &Orders, future: &Future) -> f64 {
    let by_chip = orders.nodes.iter().enumerate().flat_map(|(chip, dues)| {
        dues.iter()
            .enumerate()
            .filter(|(_, nodes)| **nodes > 0.0)
            .map(move |(due, nodes)| nodes * order_charge(problem, future, chip, due))
    });
    by_chip.sum()
}

/// Present value of the stacks.
pub fn stacks_charge(problem: &Problem, orders: &Orders) -> f64 {
    let all = orders.open.iter().enumerate().flat_map(|(stack, quarters)| {
        quarters.iter().enumerate().map(move |(quarter, open)| open * problem.stack_charge(stack, quarter))
    });
    all.sum()
}

/// Books of every future, placements being the best of each quarter. In parallel, merged in order.
///
/// # Errors
/// The solver fails.
pub fn evaluate(problem: &Problem, orders: &Orders, futures: &[Future]) -> Result<Vec<Books>, Halt> {
    futures.par_iter().map(|future| books(problem, orders, future)).collect()
}

fn books(problem: &Problem, orders: &Orders, future: &Future) -> Result<Books, Halt> {
    let mut books = Books {
        weight: future.weight,
        nodes: nodes_charge(problem, orders, future),
        stacks: stacks_charge(problem, orders),
        energy: 0.0,
        penalty: 0.0,
        short: vec![vec![0.0; problem.quarters]; problem.demands.len()],
    };
    for quarter in 0..problem.quarters {
        let found = shared(problem, quarter, &there(problem, orders, future, quarter))?;
        let energy = problem.columns.iter().zip(&found.placed).map(|(column, n)| column.energy * n);
        books.energy += energy.sum::<f64>() * problem.running[quarter];
        book_shortfall(problem, quarter, &found.short, &mut books);
    }
    Ok(books)
}

/// Enters shortfall and its penalty.
pub fn book_shortfall(problem: &Problem, quarter: usize, short: &[f64], books: &mut Books) {
    for (demand, rate) in short.iter().enumerate() {
        books.penalty += rate * problem.penalty(demand, quarter);
        books.short[demand][quarter] = rate * problem.demands[demand].tokens;
    }
}
