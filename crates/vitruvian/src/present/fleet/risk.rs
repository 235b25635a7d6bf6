//! Strategies, shadow prices and what stops a plan.

use vitruvian_report::{Cell, Column, Table, Tone};

use super::MILLION;
use crate::fleet::{FleetAnswer, Spread, StopRelief};

/// Strategies over all futures.
pub fn strategy_table(answer: &FleetAnswer) -> Table {
    let mut table = Table::new([
        Column::name("strategy"),
        Column::number("cost", "MUSD"),
        Column::number("with penalties", "MUSD"),
        Column::number("unserved", "%"),
        Column::number("regret", "MUSD"),
        Column::number("gap", "%"),
    ])
    .title("Strategies over all futures: expected value, P10–P90");
    let least = answer.strategies.iter().map(|one| one.total_usd.mean).fold(f64::INFINITY, f64::min);
    for strategy in &answer.strategies {
        let total = range(strategy.total_usd, 1.0 / MILLION);
        let best = strategy.total_usd.mean <= least;
        table.row([
            Cell::text(&*strategy.name),
            range(strategy.cost_usd, 1.0 / MILLION),
            if best { total.tone(Tone::Good) } else { total },
            range(strategy.shortfall_share, 100.0),
            range(strategy.regret_usd, 1.0 / MILLION),
            Cell::from(strategy.gap.map(|gap| 100.0 * gap)),
        ]);
    }
    table.note(
        "The plan orders all chips, `all …` one of them, both best over all futures; who waits orders nothing until then, and then knows the future. Regret: present value, penalties included, above that of knowing the future, for which nodes may be split; gap: how much better other orders of the kind could be at most.",
    );
    table
}

fn range(spread: Spread, factor: f64) -> Cell {
    if spread.p10 == spread.p90 {
        return Cell::number(spread.mean * factor);
    }
    Cell::range(spread.mean * factor, spread.p10 * factor, spread.p90 * factor)
}

/// What one more of each thing is worth.
pub fn shadow_table(answer: &FleetAnswer) -> Table {
    let mut table =
        Table::new([Column::name("one more"), Column::number("worth", "kUSD")]).title("Shadow prices");
    for price in &answer.shadow_prices {
        table.row([Cell::text(&*price.thing), Cell::number(price.value_usd / 1e3)]);
    }
    table.note(
        "The relaxation of the likeliest future solved again with one more (a finite difference, no dual value): what the present value falls by, penalties included.",
    );
    table
}

/// What stops the plan, if anything does.
pub fn stops_table(answer: &FleetAnswer) -> Option<Table> {
    let stops = answer.stops.as_ref()?;
    let mut table = Table::new([Column::name("limit"), Column::number("more", ""), Column::text("unit")])
        .title("What stops it, and how much more would do");
    let (enough, vain): (Vec<&StopRelief>, Vec<&StopRelief>) =
        stops.alone.iter().partition(|one| one.more.is_some());
    if !enough.is_empty() {
        table.section("one of these");
        enough.iter().for_each(|one| table.row(relief(one)));
    }
    match &stops.together {
        Some(all) => {
            let or = if enough.is_empty() { "" } else { "or " };
            table.section(format!("{or}the least of all together"));
            all.iter().for_each(|one| table.row(relief(one)));
        }
        None => table.note("No amount of all limits together is enough: a service has no deployment, or nothing arrives in time."),
    }
    if !vain.is_empty() {
        let names: Vec<&str> = vain.iter().map(|one| one.limit.as_str()).collect();
        table.note(format!("No amount of one of these alone is enough: {}.", names.join(", ")));
    }
    Some(table)
}

fn relief(relief: &StopRelief) -> [Cell; 3] {
    [Cell::text(&*relief.limit), Cell::from(relief.more), Cell::text(&*relief.unit)]
}
