//! Why a plan is where it is, in words.

use vitruvian_planner::Objective;
use vitruvian_planner::plan::{Plan, Shape};
use vitruvian_quantity::three;

use super::Asked;
use super::answer::PlanRow;
use super::rows::Shown;

/// What stops a plan, where it leads, or what beats it; `figures` are those of the listed plans, `index` is this one.
pub(super) fn why(limit: &str, figures: &[[f64; 3]], front: &[usize], index: usize) -> String {
    let own = figures[index];
    if !front.contains(&index) {
        let beats = |other: &&usize| figures[**other].iter().zip(own).all(|(theirs, ours)| *theirs >= ours);
        let beaten = front.iter().find(beats).map(|other| format!("beaten by {}; ", other + 1));
        return format!("{}limited by {limit}", beaten.unwrap_or_default());
    }
    let names = ["most requests per second", "fastest tokens", "cheapest tokens"];
    let leads = |place: &usize| figures.iter().all(|other| other[*place] <= own[*place]);
    let leading = (0..names.len()).filter(leads).map(|place| names[place].to_owned());
    leading.chain([format!("limited by {limit}")]).collect::<Vec<_>>().join("; ")
}

/// Share of its closed form below which a plan's simulation is called out.
const DOUBTFUL: f64 = 0.5;

/// Where the simulation carries far less than the closed form, the plan stands on the former alone.
pub(super) fn doubt(row: &PlanRow) -> &'static str {
    let simulated = row.simulated.as_ref().and_then(|simulated| simulated.goodput_per_s);
    match simulated {
        Some(goodput) if goodput < DOUBTFUL * row.analytic.capacity_per_s.p50 => {
            "; carries less than half of its closed form in simulation"
        }
        _ => "",
    }
}

/// Sentences on the best plan, and on the best of each other way to split the work.
pub(super) fn reasons(asked: &Asked<'_>, shown: &Shown<'_>) -> Vec<String> {
    let (Some(best), Some(row)) = (shown.plans.first(), shown.rows.first()) else { return Vec::new() };
    let mut reasons = vec![format!("Best by {}: {}.", asked.objective_name, row.name), carries(best, row)];
    reasons.extend(split(best, row));
    let mut seen = vec![&best.shape];
    for (plan, other) in shown.plans.iter().zip(&shown.rows).skip(1) {
        if !seen.contains(&&plan.shape) {
            seen.push(&plan.shape);
            reasons.push(against(asked, (best, row), (plan, other)));
        }
    }
    reasons
}

/// What it carries by both models, and what stops it.
fn carries(plan: &Plan, row: &PlanRow) -> String {
    let simulated = row.simulated.as_ref().and_then(|simulated| simulated.goodput_per_s);
    let simulated = simulated.map_or(String::new(), |rate| format!(", {} in simulation", three(rate)));
    format!(
        "It carries {} requests/s within the targets by the analytic model{simulated}; it is limited by {}.",
        three(plan.capacity),
        plan.limit
    )
}

/// Why prefill and decode are where they are.
fn split(plan: &Plan, row: &PlanRow) -> Option<String> {
    let (Shape::Disaggregated(..), Some(link)) = (&plan.shape, &plan.transfer) else { return None };
    let [prefill, decode] = [row.pools.first()?, row.pools.get(1)?];
    Some(format!(
        "Prefill loads {} × {} to {:.0} % and decode {} × {} to {:.0} %; a prompt's cache of {} moves in {}.",
        prefill.chips,
        prefill.chip,
        100.0 * prefill.load,
        decode.chips,
        decode.chip,
        100.0 * decode.load,
        link.bytes,
        link.time
    ))
}

/// How the best of another shape compares, and what stops it.
fn against(asked: &Asked<'_>, best: (&Plan, &PlanRow), other: (&Plan, &PlanRow)) -> String {
    let figure = |(plan, row): (&Plan, &PlanRow)| {
        let s = row.simulated.as_ref();
        match asked.objective {
            Objective::Throughput => s.and_then(|s| s.goodput_per_s).unwrap_or(plan.capacity),
            Objective::Cost => s
                .and_then(|s| s.cost_per_million_output_usd)
                .unwrap_or_else(|| plan.score(asked.objective, &asked.workload)),
            Objective::Energy => s.map_or(plan.energy_per_token.get(), |s| s.energy_per_token_j),
            Objective::Latency => s.map_or_else(
                || plan.request_time(&asked.workload).get() * 1e3,
                |s| s.ttft_ms_mean + s.tpot_ms_mean * f64::from(asked.workload.decode_steps()),
            ),
        }
    };
    let what = match asked.objective {
        Objective::Throughput => "requests per second",
        Objective::Cost => "price of a token",
        Objective::Energy => "energy of a token",
        Objective::Latency => "time of a request",
    };
    let ratio = figure(other) / figure(best);
    let shape = shape_name(asked, other.0);
    format!("{shape}: at best {ratio:.2} times its {what}, limited by {}.", other.0.limit)
}

/// `Whole requests on h20`, `Prefill on h20 with decode on ascend-910b2`.
fn shape_name(asked: &Asked<'_>, plan: &Plan) -> String {
    let chip = |kind: usize| asked.setups[kind].chip.name.as_str();
    match &plan.shape {
        Shape::Aggregated(kinds) => {
            let names: Vec<&str> = kinds.iter().map(|kind| chip(*kind)).collect();
            format!("Whole requests on {}", names.join(" and "))
        }
        Shape::Disaggregated(from, to) => format!("Prefill on {} with decode on {}", chip(*from), chip(*to)),
    }
}
