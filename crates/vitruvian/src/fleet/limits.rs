//! What stops a plan and what one more of a thing is worth, in words.

use vitruvian_planner::fleet::elastic::{Blocked, Limit, Relief};
use vitruvian_planner::fleet::worth::{Thing, Worth};

use super::Worked;
use super::answer::{ShadowPrice, StopRelief, StopShort, Stops};

const KILOWATTS_PER_MEGAWATT: f64 = 1000.0;
const DOLLARS_PER_MILLION: f64 = 1e6;
/// Less than this is the solver's rounding.
const NOISE: f64 = 1e-6;

/// What one more of a thing is worth.
pub(super) fn shadow_price(worked: &Worked<'_>, worth: &Worth) -> ShadowPrice {
    let node = |chip: usize| {
        let data = &worked.problem.chips[chip];
        format!("node of {} {}", data.chips_per_node, data.name)
    };
    let thing = match worth.thing {
        Thing::Megawatt => "1 MW more in every quarter".to_owned(),
        Thing::Rack => "1 rack more in every quarter".to_owned(),
        Thing::QuarterlyMillion => "1 MUSD more in each quarter's budget".to_owned(),
        Thing::Million => "1 MUSD more in the whole budget".to_owned(),
        Thing::Offered(chip) => format!("1 {} more on offer in every quarter", node(chip)),
        Thing::Stock(chip) => format!("1 {} there from the start", node(chip)),
    };
    ShadowPrice { thing, value_usd: worth.value }
}

/// What stops the plan.
pub(super) fn stops(worked: &Worked<'_>, blocked: &Blocked) -> Stops {
    let short =
        blocked.short.iter().enumerate().filter_map(|(demand, by_quarter)| short(worked, demand, by_quarter));
    let told = |limit: Limit, more: Option<f64>| relief(worked, &Relief { limit, more });
    Stops {
        short: short.collect(),
        alone: blocked.alone.iter().map(|one| told(one.limit, one.more)).collect(),
        together: blocked
            .together
            .as_ref()
            .map(|all| all.iter().map(|(limit, more)| told(*limit, Some(*more))).collect()),
    }
}

fn short(worked: &Worked<'_>, demand: usize, by_quarter: &[f64]) -> Option<StopShort> {
    let data = &worked.problem.demands[demand];
    let share = |quarter: usize| by_quarter[quarter] / data.rate[quarter].max(f64::MIN_POSITIVE);
    let first = by_quarter.iter().position(|short| *short > 0.0)?;
    let worst = (0..by_quarter.len()).max_by(|a, b| share(*a).total_cmp(&share(*b)).then(b.cmp(a)))?;
    Some(StopShort {
        demand: data.name.clone(),
        from: worked.quarter(first),
        worst: worked.quarter(worst),
        share: share(worst),
    })
}

fn relief(worked: &Worked<'_>, relief: &Relief) -> StopRelief {
    let chip = |chip: usize| &worked.problem.chips[chip];
    let (limit, unit, scale) = match relief.limit {
        Limit::Power => ("power in every quarter".to_owned(), "MW", 1.0 / KILOWATTS_PER_MEGAWATT),
        Limit::Racks => ("racks in every quarter".to_owned(), "racks", 1.0),
        Limit::Budget => ("budget of each quarter".to_owned(), "MUSD", 1.0 / DOLLARS_PER_MILLION),
        Limit::Total => ("budget in all".to_owned(), "MUSD", 1.0 / DOLLARS_PER_MILLION),
        Limit::Offered(index) => {
            let data = chip(index);
            (format!("{} on offer in every quarter", data.name), "chips", f64::from(data.chips_per_node))
        }
    };
    // Chips come in whole nodes.
    let whole = |more: f64| if let Limit::Offered(_) = relief.limit { (more - NOISE).ceil() } else { more };
    StopRelief { limit, more: relief.more.map(|more| whole(more) * scale), unit: unit.to_owned() }
}
