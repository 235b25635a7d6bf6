//! Why a plan is where it is, in words.

use vitruvian_planner::Objective;
use vitruvian_planner::plan::{Plan, Shape, rank};
use vitruvian_quantity::three;

use super::Asked;
use super::answer::PlanRow;

/// What stops a plan, where it leads, or what beats it. `rows` are the listed plans, `index` is this one.
pub(super) fn why(plans: &[&Plan], front: &[usize], index: usize) -> String {
    let plan = plans[index];
    let stops = format!("{} stops it", plan.limit);
    if !front.contains(&index) {
        let (own, figures) = (rank::figures(plan), |other: &usize| rank::figures(plans[*other]));
        let beats = |other: &usize| figures(other).iter().zip(own).all(|(theirs, ours)| *theirs >= ours);
        let beaten = front.iter().find(|other| beats(other)).map(|other| other + 1);
        return beaten.map_or(stops.clone(), |place| format!("beaten by {place}; {stops}"));
    }
    let leads = leads(plans, index);
    if leads.is_empty() { stops } else { format!("{}; {stops}", leads.join(", ")) }
}

fn leads(plans: &[&Plan], index: usize) -> Vec<&'static str> {
    let names = ["most requests per second", "fastest tokens", "cheapest tokens"];
    let own = rank::figures(plans[index]);
    let best = |figure: usize| plans.iter().all(|other| rank::figures(other)[figure] <= own[figure]);
    (0..names.len()).filter(|figure| best(*figure)).map(|figure| names[figure]).collect()
}

/// Sentences on the best plan, and on the best of each other way to split the work.
pub(super) fn reasons(asked: &Asked<'_>, plans: &[&Plan], rows: &[PlanRow]) -> Vec<String> {
    let (Some(best), Some(row)) = (plans.first(), rows.first()) else { return Vec::new() };
    let mut reasons = vec![format!(
        "Best by {}: {}, {} requests/s within the targets; {} stops it from carrying more.",
        asked.objective_name,
        row.name,
        three(best.capacity),
        best.limit
    )];
    reasons.extend(split(best, row));
    let mut seen = vec![&best.shape];
    for (plan, row) in plans.iter().zip(rows).skip(1) {
        if !seen.contains(&&plan.shape) {
            seen.push(&plan.shape);
            reasons.push(against(asked, best, plan, row));
        }
    }
    reasons
}

/// Why prefill and decode are where they are.
fn split(plan: &Plan, row: &PlanRow) -> Option<String> {
    let (Shape::Disaggregated(..), Some(link)) = (&plan.shape, &plan.transfer) else { return None };
    let [prefill, decode] = [row.pools.first()?, row.pools.get(1)?];
    Some(format!(
        "Prefill takes {} × {} at {:.0} % of what they can do and decode {} × {} at {:.0} %; a prompt's cache of {} is \
         there after {}.",
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

/// How much worse the best of another shape is, and what stops it.
fn against(asked: &Asked<'_>, best: &Plan, plan: &Plan, row: &PlanRow) -> String {
    let (what, ratio) = match asked.objective {
        Objective::Throughput => ("as many requests", plan.capacity / best.capacity),
        Objective::Cost => (
            "the price of a token",
            plan.score(asked.objective, &asked.workload) / best.score(asked.objective, &asked.workload),
        ),
        Objective::Energy => ("the energy of a token", plan.energy_per_token / best.energy_per_token),
        Objective::Latency => {
            ("the time of a request", plan.request_time(&asked.workload) / best.request_time(&asked.workload))
        }
    };
    format!(
        "The best {} ({}) has {ratio:.2} times {what}: {} stops it.",
        shape_name(asked, plan),
        row.name,
        plan.limit
    )
}

/// `aggregated on h20`, `prefill on h20 and decode on ascend-910b2`.
pub(super) fn shape_name(asked: &Asked<'_>, plan: &Plan) -> String {
    let chip = |kind: usize| asked.setups[kind].chip.name.as_str();
    match &plan.shape {
        Shape::Aggregated(kinds) => {
            let names: Vec<&str> = kinds.iter().map(|kind| chip(*kind)).collect();
            format!("aggregated on {}", names.join(" and "))
        }
        Shape::Disaggregated(from, to) => format!("prefill on {} and decode on {}", chip(*from), chip(*to)),
    }
}
