//! Plans as rows of the answer.

use rayon::prelude::*;
use vitruvian_planner::census::KINDS;
use vitruvian_planner::plan::{Found, Plan, Pool, Shape, rank};
use vitruvian_planner::{Objective, Question};
use vitruvian_quantity::{Money, Seconds, three};

use super::answer::{
    Analytic, KindFell, KindOfChip, PlanQuestion, PlanRow, PlanSearch, PoolRow, TransferRow,
};
use super::{Asked, confirm, pairing, reasons};
use crate::answer::{FellCount, Range};
use crate::deployment::in_one_line;

/// The plans that are listed, and their rows, best first.
#[derive(Default)]
pub(super) struct Shown<'a> {
    pub(super) plans: Vec<&'a Plan>,
    pub(super) rows: Vec<PlanRow>,
    /// Runs of the simulation.
    pub(super) runs: u64,
}

/// The best plan of each shape and the next best, as many as asked for; confirmed, then ordered by what was confirmed.
pub(super) fn rows<'a>(asked: &Asked<'_>, kinds: &[Question<'_>], found: &'a Found) -> Shown<'a> {
    let chosen = found.shortlist(asked.study.most as usize);
    let plans: Vec<&Plan> = chosen.iter().map(|index| &found.plans[*index]).collect();
    let Some(settings) = &asked.study.confirm else {
        let rows = plans.iter().map(|plan| row(asked, plan)).collect();
        return placed(Shown { plans, rows, runs: 0 });
    };
    let confirmed: Vec<_> =
        plans.par_iter().map(|plan| confirm::confirm(asked, kinds, plan, settings)).collect();
    let runs = confirmed.iter().map(|one| one.runs).sum();
    let mut both: Vec<(&Plan, PlanRow)> = plans
        .into_iter()
        .zip(confirmed)
        .map(|(plan, one)| {
            let why = one.fault.map(|fault| format!("not simulated: {fault}")).unwrap_or_default();
            (plan, PlanRow { simulated: one.simulated, why, ..row(asked, plan) })
        })
        .collect();
    both.sort_by(|a, b| score(asked, a.0, &a.1).total_cmp(&score(asked, b.0, &b.1)));
    let (plans, rows) = both.into_iter().unzip();
    placed(Shown { plans, rows, runs })
}

/// Says of every row where it stands among the others.
fn placed(mut shown: Shown<'_>) -> Shown<'_> {
    let figures: Vec<[f64; 3]> = shown.rows.iter().map(figures).collect();
    let front = rank::front(&figures);
    for (index, row) in shown.rows.iter_mut().enumerate() {
        row.pareto = front.contains(&index);
        let why = reasons::why(&row.limit, &figures, &front, index) + reasons::doubt(row);
        row.why = if row.why.is_empty() { why } else { format!("{}; {why}", row.why) };
    }
    shown
}

/// Requests per second within the targets, speed for a user, tokens per dollar (per joule where a chip has no price): what
/// the simulation says, where it was run.
fn figures(row: &PlanRow) -> [f64; 3] {
    let a = &row.analytic;
    let (goodput, tpot, energy, money) = match &row.simulated {
        Some(s) => (
            s.goodput_per_s.unwrap_or(s.rate_per_s),
            s.tpot_ms_mean,
            s.energy_per_token_j,
            s.cost_per_million_output_usd,
        ),
        None => (a.capacity_per_s.p50, a.tpot_ms.p50, a.energy_per_token_j, a.cost_per_million_output_usd),
    };
    [goodput, 1.0 / tpot.max(f64::MIN_POSITIVE), 1.0 / money.unwrap_or(energy)]
}

/// What the objective asks for, smaller for the better; plans that miss the targets at the rate asked come last.
fn score(asked: &Asked<'_>, plan: &Plan, row: &PlanRow) -> f64 {
    let Some(s) = &row.simulated else { return f64::INFINITY };
    let needed = asked.study.attainment;
    if asked.rate.is_some() && s.attainment < needed {
        return f64::MAX * (1.0 - s.attainment / 2.0);
    }
    match asked.objective {
        Objective::Throughput => -s.goodput_per_s.unwrap_or(plan.capacity),
        Objective::Cost => s.cost_per_million_output_usd.unwrap_or(f64::INFINITY),
        Objective::Energy => s.energy_per_token_j,
        Objective::Latency => s.ttft_ms_mean + s.tpot_ms_mean * f64::from(asked.workload.decode_steps()),
    }
}

fn row(asked: &Asked<'_>, plan: &Plan) -> PlanRow {
    let split = matches!(plan.shape, Shape::Disaggregated(..));
    PlanRow {
        split: if split { "disaggregated" } else { "aggregated" }.to_owned(),
        name: name(asked, plan),
        pools: plan.pools.iter().enumerate().map(|(index, one)| pool(asked, plan, one, index)).collect(),
        chips: plan.chips,
        transfer: transfer(asked, plan),
        analytic: analytic(asked, plan),
        simulated: None,
        limit: plan.limit.to_string(),
        pareto: false,
        why: String::new(),
    }
}

/// `2 × TP2 on h20, bf16`, `prefill 1 × TP4 on h20, bf16; decode TP8 on ascend-910b2, bf16`.
pub(super) fn name(asked: &Asked<'_>, plan: &Plan) -> String {
    let pools = plan.pools.iter().enumerate().map(|(index, pool)| {
        let role = match (&plan.shape, index) {
            (Shape::Aggregated(_), _) => "",
            (Shape::Disaggregated(..), 0) => "prefill ",
            (Shape::Disaggregated(..), _) => "decode ",
        };
        let copies = match pool.candidate.replicas {
            1 => String::new(),
            replicas => format!("{replicas} × "),
        };
        let precision = &asked.spaces[pool.kind].precisions[pool.candidate.precision].name;
        let chip = &asked.setups[pool.kind].chip.name;
        format!("{role}{copies}{} on {chip}, {precision}", pool.candidate.layout)
    });
    pools.collect::<Vec<_>>().join("; ")
}

fn pool(asked: &Asked<'_>, plan: &Plan, pool: &Pool, index: usize) -> PoolRow {
    let role = match (&plan.shape, index) {
        (Shape::Aggregated(_), _) => "whole",
        (Shape::Disaggregated(..), 0) => "prefill",
        (Shape::Disaggregated(..), _) => "decode",
    };
    PoolRow {
        role: role.to_owned(),
        chip: asked.setups[pool.kind].chip.name.clone(),
        layout: pool.candidate.layout.to_string(),
        replicas: pool.candidate.replicas,
        chips: pool.chips(),
        precision: asked.spaces[pool.kind].precisions[pool.candidate.precision].name.clone(),
        batch: pool.candidate.batch,
        chunk: pool.candidate.chunk,
        load: pool.load,
        wall_power_w: pool.wall_power.get(),
    }
}

fn transfer(asked: &Asked<'_>, plan: &Plan) -> Option<TransferRow> {
    let (Shape::Disaggregated(from, to), Some(link)) = (&plan.shape, &plan.transfer) else { return None };
    Some(TransferRow {
        bytes: link.bytes.get(),
        time_ms: milliseconds(link.time),
        leaves_node: link.leaves_node,
        connector: pairing::connector(&asked.setups[*from].engine, &asked.setups[*to].engine),
    })
}

fn analytic(asked: &Asked<'_>, plan: &Plan) -> Analytic {
    Analytic {
        capacity_per_s: Range::new(plan.capacity, plan.sigma.1),
        rate_per_s: plan.rate,
        ttft_ms: Range::new(milliseconds(plan.ttft), plan.sigma.0),
        tpot_ms: Range::new(milliseconds(plan.tpot), plan.sigma.1),
        output_tokens_per_s: plan.rate * f64::from(asked.workload.output),
        energy_per_token_j: plan.energy_per_token.get(),
        cost_per_hour_usd: plan.per_hour.map(Money::get),
        cost_per_million_output_usd: plan.per_million.map(Money::get),
    }
}

fn milliseconds(time: Seconds) -> f64 {
    time.get() * 1e3
}

/// What the files of a plan say was predicted.
pub(super) fn predicted(row: &PlanRow) -> Vec<String> {
    let a = &row.analytic;
    let range = |range: &Range, unit: &str| {
        format!("{} {unit} ({} to {})", three(range.p50), three(range.p10), three(range.p90))
    };
    let mut lines = vec![
        row.name.clone(),
        format!("at {} requests/s: mean TTFT {}", three(a.rate_per_s), range(&a.ttft_ms, "ms")),
        format!("mean TPOT {}", range(&a.tpot_ms, "ms")),
        format!("at most {} within the targets", range(&a.capacity_per_s, "requests/s")),
    ];
    lines.extend(row.simulated.iter().map(|s| {
        format!(
            "simulated at {} requests/s: TTFT {} ms (P90 {}), TPOT {} ms (P90 {}), {:.0} % of requests within both targets",
            three(s.rate_per_s),
            three(s.ttft_ms_mean),
            three(s.ttft_ms_p90),
            three(s.tpot_ms_mean),
            three(s.tpot_ms_p90),
            100.0 * s.attainment
        )
    }));
    lines
}

/// What was asked, with defaults filled in.
pub(super) fn question(asked: &Asked<'_>) -> PlanQuestion {
    let chips = asked.setups.iter().zip(&asked.study.chips).map(|(setup, chips)| KindOfChip {
        chip: setup.chip.name.clone(),
        title: setup.chip.title.clone(),
        count: chips.count,
        node: setup.node.title.clone(),
        engine: format!("{} {}", setup.engine.title, setup.engine.version),
    });
    PlanQuestion {
        model: asked.model.name.clone(),
        chips: chips.collect(),
        input_tokens: asked.workload.input,
        output_tokens: asked.workload.output,
        cached_tokens: asked.workload.cached_tokens(),
        rate_per_s: asked.rate,
        ttft_ms: asked.targets.ttft.map(milliseconds),
        tpot_ms: asked.targets.tpot.map(milliseconds),
        objective: asked.objective_name.to_owned(),
        attainment: asked.study.attainment,
        simulated_requests: asked.study.confirm.map(|confirm| confirm.requests),
    }
}

/// How the search went.
pub(super) fn search(asked: &Asked<'_>, kinds: &[Question<'_>], found: &Found) -> PlanSearch {
    let fell = found.census.iter().enumerate().map(|(kind, census)| {
        let reasons = KINDS.iter().enumerate().filter(|(index, _)| census.fallen[*index] > 0);
        let counts = reasons.map(|(index, reason)| FellCount {
            reason: (*reason).to_owned(),
            count: census.fallen[index],
            nearest: census.nearest[index].as_ref().map(|miss| {
                format!("{}: {}", in_one_line(&miss.candidate, &kinds[kind].space.precisions), miss.fall)
            }),
        });
        KindFell { chip: asked.setups[kind].chip.name.clone(), fell: counts.collect() }
    });
    PlanSearch {
        candidates: found.candidates,
        kept: found.plans.len() as u64,
        simulations: 0,
        fell: fell.collect(),
    }
}
