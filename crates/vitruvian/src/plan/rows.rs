//! Plans as rows of the answer.

use vitruvian_planner::Question;
use vitruvian_planner::census::KINDS;
use vitruvian_planner::plan::{Found, Plan, Pool, Shape, rank};
use vitruvian_quantity::{Money, Seconds, three};

use super::answer::{
    Analytic, KindFell, KindOfChip, PlanQuestion, PlanRow, PlanSearch, PoolRow, TransferRow,
};
use super::{Asked, pairing, reasons};
use crate::answer::{FellCount, Range};
use crate::deployment::in_one_line;

/// The plans that are listed, and their rows.
pub(super) struct Shown<'a> {
    pub(super) plans: Vec<&'a Plan>,
    pub(super) rows: Vec<PlanRow>,
}

/// The best plan of each shape and the next best, as many as asked for.
pub(super) fn rows<'a>(asked: &Asked<'_>, found: &'a Found) -> Shown<'a> {
    let chosen = found.shortlist(asked.study.most as usize);
    let plans: Vec<&Plan> = chosen.iter().map(|index| &found.plans[*index]).collect();
    let front = rank::front(&plans.iter().map(|plan| rank::figures(plan)).collect::<Vec<_>>());
    let rows = plans.iter().enumerate().map(|(index, plan)| PlanRow {
        pareto: front.contains(&index),
        why: reasons::why(&plans, &front, index),
        ..row(asked, plan)
    });
    let rows = rows.collect();
    Shown { plans, rows }
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
        rate_per_s: asked.study.rate,
        ttft_ms: asked.targets.ttft.map(milliseconds),
        tpot_ms: asked.targets.tpot.map(milliseconds),
        objective: asked.objective_name.to_owned(),
        attainment: asked.study.confirm.map(|confirm| confirm.attainment),
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
