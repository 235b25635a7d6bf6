//! Ways to decide, held against knowing the future.

use rayon::prelude::*;

use crate::fleet::branch::Effort;
use crate::fleet::direct::{Direct, Freedom, Orders, direct};
use crate::fleet::evaluate::{Books, book_shortfall, evaluate, nodes_charge, stacks_charge};
use crate::fleet::future::Future;
use crate::fleet::hedge::{Hedged, Patience, hedge};
use crate::fleet::problem::Problem;
use crate::fleet::relax::Halt;

/// How orders are decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// All chips, over all futures: the plan.
    Mixed,
    /// Only this chip is bought.
    Only(usize),
    /// Nothing is bought that is due before this quarter; from then on the future is known.
    Wait(usize),
}

/// What a strategy comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The strategy.
    pub strategy: Strategy,
    /// Books of each future.
    pub books: Vec<Books>,
    /// Present value above that of knowing the future, penalties included, by future. At least zero.
    pub regret: Vec<f64>,
    /// Orders and their gap, where the strategy decides beforehand.
    pub hedged: Option<Hedged>,
}

/// No effort is needed where nothing must be whole.
const RELAXED: Effort = Effort { nodes: 1, gap: 0.0 };

/// Present value of the best plan of each future, had it been known: nodes may be split, so it is a lower bound.
///
/// # Errors
/// The solver fails.
pub fn known(problem: &Problem, futures: &[Future]) -> Result<Vec<f64>, Halt> {
    let plain = Problem { priority: 1.0, ..problem.clone() };
    let one = |future: &Future| Ok(direct(&plain, future, Freedom::default(), RELAXED)?.cost);
    futures.par_iter().map(one).collect()
}

/// Tries a strategy on all futures.
///
/// # Errors
/// The solver fails.
pub fn attempt(
    problem: &Problem,
    futures: &[Future],
    known: &[f64],
    strategy: Strategy,
    patience: Patience,
) -> Result<Tried, Halt> {
    let (books, hedged) = match strategy {
        Strategy::Mixed => ahead(problem, futures, patience)?,
        Strategy::Only(chip) => ahead(&problem.buying_only(|other| other == chip), futures, patience)?,
        Strategy::Wait(until) => (wait(problem, futures, until)?, None),
    };
    let regret = books.iter().zip(known).map(|(books, least)| (books.total() - least).max(0.0)).collect();
    Ok(Tried { strategy, books, regret, hedged })
}

fn ahead(
    problem: &Problem,
    futures: &[Future],
    patience: Patience,
) -> Result<(Vec<Books>, Option<Hedged>), Halt> {
    let hedged = hedge(problem, futures, patience)?;
    Ok((evaluate(problem, &hedged.orders, futures)?, Some(hedged)))
}

fn wait(problem: &Problem, futures: &[Future], until: usize) -> Result<Vec<Books>, Halt> {
    let plain = Problem { priority: 1.0, ..problem.clone() };
    let freedom = Freedom { not_before: until, ..Freedom::default() };
    let one = |future: &Future| Ok(books(&plain, future, &direct(&plain, future, freedom, RELAXED)?));
    futures.par_iter().map(one).collect()
}

fn books(problem: &Problem, future: &Future, plan: &Direct) -> Books {
    let Direct { orders, placed, short, .. } = plan;
    let mut books = Books {
        weight: future.weight,
        nodes: nodes_charge(problem, orders, future),
        stacks: stacks_charge(problem, orders),
        energy: 0.0,
        penalty: 0.0,
        short: vec![vec![0.0; problem.quarters]; problem.demands.len()],
    };
    for quarter in 0..problem.quarters {
        let energy = problem.columns.iter().zip(placed).map(|(column, n)| column.energy * n[quarter]);
        books.energy += energy.sum::<f64>() * problem.running[quarter];
        let short: Vec<f64> = short.iter().map(|by_quarter| by_quarter[quarter]).collect();
        book_shortfall(problem, quarter, &short, &mut books);
    }
    books
}

/// Orders of nothing.
pub fn nothing(problem: &Problem) -> Orders {
    let zero = |rows: usize| vec![vec![0.0; problem.quarters]; rows];
    Orders { nodes: zero(problem.chips.len()), open: zero(problem.stacks.len()) }
}

/// A weighted quantile: the least value that so much of the weight does not exceed.
pub fn quantile(values: &[(f64, f64)], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: f64 = sorted.iter().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    let found = sorted.iter().find(|(_, weight)| {
        below += weight;
        below >= part * all * (1.0 - 1e-12)
    });
    found.or(sorted.last()).map_or(0.0, |(value, _)| *value)
}
