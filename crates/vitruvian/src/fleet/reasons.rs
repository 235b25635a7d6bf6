//! What the plan does and why: sentences made of the figures of the answer alone.

use vitruvian_quantity::three;

use super::answer::{FleetAnswer, ShadowPrice, StopRelief, Stops, StrategyAnswer};

/// Less than this is not told.
const LITTLE: f64 = 5e-4;

/// The sentences.
pub(super) fn reasons(answer: &FleetAnswer) -> Vec<String> {
    let mut sentences = vec![orders(answer), outlook(answer)];
    sentences.extend(answer.stops.as_ref().map(stopped));
    sentences.extend(runner_up(answer));
    sentences.extend(waiting(answer));
    sentences.extend(binding(&answer.shadow_prices));
    sentences.push(gaps(answer));
    sentences
}

/// `US$ 12.3 million`, `US$ 147 thousand`; below a dollar, nothing.
fn money(dollars: f64) -> String {
    match dollars.abs() {
        size if size < 1.0 => "nothing".to_owned(),
        size if size < 1e6 => format!("US$ {} thousand", three(dollars / 1e3)),
        _ => format!("US$ {} million", three(dollars / 1e6)),
    }
}

fn percent(part: f64) -> String {
    format!("{:.1} %", 100.0 * part)
}

fn orders(answer: &FleetAnswer) -> String {
    let plan = answer.strategies.first().and_then(|plan| plan.nodes.as_deref()).unwrap_or_default();
    let bought: Vec<String> = answer
        .question
        .chips
        .iter()
        .zip(plan)
        .filter(|(_, nodes)| **nodes > 0)
        .map(|(chip, nodes)| format!("{nodes} nodes of {chip}"))
        .collect();
    let stacks: Vec<String> = answer
        .plan
        .quarters
        .iter()
        .flat_map(|quarter| quarter.stacks.iter().map(move |stack| format!("{stack} in {}", quarter.quarter)))
        .collect();
    let taken =
        if stacks.is_empty() { String::new() } else { format!(" and takes up {}", stacks.join(", ")) };
    if bought.is_empty() {
        return format!("The plan buys nothing{taken}: no node saves more in penalties than it costs.");
    }
    format!("The plan orders {}{taken}.", bought.join(", "))
}

fn outlook(answer: &FleetAnswer) -> String {
    let Some(plan) = answer.strategies.first() else { return String::new() };
    let futures = if answer.question.futures == 1 {
        "It".to_owned()
    } else {
        format!("Over {} futures it", answer.question.futures)
    };
    let served = plan.shortfall_share;
    let unserved = if served.p90 < LITTLE {
        "leaves nothing unserved".to_owned()
    } else if answer.question.futures == 1 {
        format!("leaves {} of the tokens unserved", percent(served.mean))
    } else {
        format!(
            "leaves {} of the tokens unserved (P10–P90 {} to {})",
            percent(served.mean),
            percent(served.p10),
            percent(served.p90)
        )
    };
    format!("{futures} costs {} (present value) and {unserved}.", money(plan.cost_usd.mean))
}

fn stopped(stops: &Stops) -> String {
    let short: Vec<String> = stops
        .short
        .iter()
        .map(|one| {
            format!(
                "{} from {} on (worst in {}: {} missing)",
                one.demand,
                one.from,
                one.worst,
                percent(one.share)
            )
        })
        .collect();
    let enough: Vec<String> = stops.alone.iter().filter_map(amount).collect();
    let remedy = match (&enough[..], &stops.together) {
        ([], None) => "No amount of all limits together would do: a service has no deployment, or nothing arrives in time.".to_owned(),
        ([], Some(all)) => {
            let all: Vec<String> = all.iter().filter_map(amount).collect();
            format!("No limit alone is what stops it; together it takes {}.", all.join(" and "))
        }
        (enough, _) => format!("It would take {}.", enough.join(", or ")),
    };
    format!("If all goes as is likeliest the demand cannot be met: {}. {remedy}", short.join("; "))
}

/// `1.3 MW more of power in every quarter`.
fn amount(relief: &StopRelief) -> Option<String> {
    let more = relief.more?;
    Some(format!("{} {} more ({})", three(more), relief.unit, relief.limit))
}

fn runner_up(answer: &FleetAnswer) -> Option<String> {
    let plan = answer.strategies.first()?;
    let alone = answer.strategies.iter().filter(|other| other.name.starts_with("all "));
    let best = alone.min_by(|a, b| a.total_usd.mean.total_cmp(&b.total_usd.mean))?;
    let more = best.total_usd.mean - plan.total_usd.mean;
    if more <= plan.total_usd.mean.abs() * LITTLE {
        let bought = best.nodes.iter().flatten().any(|nodes| *nodes > 0);
        return bought.then(|| format!("`{}` comes to the same: other chips add nothing.", best.name));
    }
    Some(format!("{} with penalties{}.", dearer(best, more), risk(best, plan)))
}

fn dearer(other: &StrategyAnswer, more: f64) -> String {
    format!("`{}`, the best of one chip, comes to {} more", other.name, money(more))
}

fn risk(other: &StrategyAnswer, plan: &StrategyAnswer) -> String {
    if (other.shortfall_share.p90 - plan.shortfall_share.p90).abs() < LITTLE {
        return String::new();
    }
    format!(
        " and leaves {} unserved in one future of ten, against {}",
        percent(other.shortfall_share.p90),
        percent(plan.shortfall_share.p90)
    )
}

fn waiting(answer: &FleetAnswer) -> Option<String> {
    let (plan, wait) = (answer.strategies.first()?, answer.strategies.last()?);
    let more = wait.total_usd.mean - plan.total_usd.mean;
    if answer.question.futures == 1 {
        return None;
    }
    let compared = if more >= 0.0 { "more" } else { "less" };
    Some(format!(
        "To {} comes to {} {compared}, though the future is known by then.",
        wait.name,
        money(more.abs())
    ))
}

fn binding(prices: &[ShadowPrice]) -> Option<String> {
    let best = prices
        .iter()
        .filter(|price| price.value_usd > 0.0)
        .max_by(|a, b| a.value_usd.total_cmp(&b.value_usd))?;
    Some(format!("Most is gained by {}: {}.", best.thing, money(best.value_usd)))
}

fn gaps(answer: &FleetAnswer) -> String {
    format!(
        "No other orders are better by more than {} of the expected cost, no other placements by more than {} of theirs; whole deployments cost {} more than the shared nodes that futures are counted with.",
        tight(answer.plan.orders_gap),
        tight(answer.plan.placements_gap),
        tight(whole_over_shared(answer))
    )
}

/// What whole deployments cost over the nodes that are shared, in the likeliest future.
fn whole_over_shared(answer: &FleetAnswer) -> f64 {
    let plan = &answer.plan;
    let (whole, shared) = (plan.likely_cost_usd + plan.likely_penalty_usd, plan.likely_shared_usd);
    if shared >= 1.0 { whole / shared - 1.0 } else { 0.0 }
}

/// Gaps are small: two digits.
fn tight(gap: f64) -> String {
    format!("{:.2} %", 100.0 * gap)
}
