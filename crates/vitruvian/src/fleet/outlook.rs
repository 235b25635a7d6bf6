//! What plans come to over all futures.

use vitruvian_planner::fleet::Books;
use vitruvian_planner::fleet::strategy::{Strategy, Tried, quantile};

use super::Worked;
use super::answer::{FutureAnswer, Spread, StrategyAnswer};

/// Relative tolerance of the solver.
const TOLERANCE: f64 = 1e-9;

/// A strategy over all futures.
pub(super) fn strategy(worked: &Worked<'_>, tried: &Tried) -> StrategyAnswer {
    let of = |figure: &dyn Fn(&Books) -> f64| {
        spread(&tried.books.iter().map(|books| (figure(books), books.weight)).collect::<Vec<_>>())
    };
    let asked = asked_tokens(worked).max(f64::MIN_POSITIVE);
    let regret = tried.regret.iter().zip(&tried.books).map(|(regret, books)| (*regret, books.weight));
    let (name, how) = words(worked, tried.strategy);
    StrategyAnswer {
        name,
        how,
        cost_usd: of(&Books::cost),
        total_usd: of(&Books::total),
        shortfall_tokens: of(&Books::short_tokens),
        shortfall_share: of(&|books| books.short_tokens() / asked),
        regret_usd: spread(&regret.collect::<Vec<_>>()),
        nodes: tried.hedged.as_ref().map(|hedged| {
            hedged.orders.nodes.iter().map(|dues| dues.iter().sum::<f64>().round() as u32).collect()
        }),
        gap: tried.hedged.as_ref().map(|hedged| rounded(hedged.gap())),
    }
}

fn words(worked: &Worked<'_>, strategy: Strategy) -> (String, String) {
    match strategy {
        Strategy::Mixed => ("plan".to_owned(), "orders of all chips, best over all futures".to_owned()),
        Strategy::Only(chip) => {
            let name = &worked.problem.chips[chip].name;
            (format!("all {name}"), format!("orders of {name} alone, best over all futures"))
        }
        Strategy::Wait(until) => {
            let until = worked.quarter(until);
            (format!("wait until {until}"), format!("nothing due before {until}, then the future is known"))
        }
    }
}

/// Every future with what the plan comes to in it.
pub(super) fn futures(worked: &Worked<'_>) -> Vec<FutureAnswer> {
    let all = worked.futures.iter().zip(&worked.tried[0].books).zip(worked.known);
    all.map(|((future, books), known)| FutureAnswer {
        outcomes: worked.outcomes(&future.outcomes),
        probability: future.weight,
        speed: future.speed.clone(),
        cost_usd: books.cost(),
        penalty_usd: books.penalty,
        known_usd: *known,
        shortfall_tokens: (0..worked.problem.quarters)
            .map(|quarter| books.short.iter().map(|demand| demand[quarter]).sum())
            .collect(),
    })
    .collect()
}

/// Output tokens that are asked for in all.
fn asked_tokens(worked: &Worked<'_>) -> f64 {
    worked.problem.demands.iter().map(|demand| demand.rate.iter().sum::<f64>() * demand.tokens).sum()
}

/// A gap below the solver's own tolerance is none.
pub(super) fn rounded(gap: f64) -> f64 {
    if gap < TOLERANCE { 0.0 } else { gap }
}

fn spread(values: &[(f64, f64)]) -> Spread {
    let weight: f64 = values.iter().map(|(_, weight)| weight).sum();
    Spread {
        mean: values.iter().map(|(value, weight)| value * weight).sum::<f64>() / weight,
        p10: quantile(values, 0.1),
        p50: quantile(values, 0.5),
        p90: quantile(values, 0.9),
    }
}
