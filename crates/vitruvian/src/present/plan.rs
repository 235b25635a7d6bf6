//! The answer of a plan: a table of plans, one of their pools, one paragraph; or a page.

use std::fmt::Write;

use vitruvian_quantity::three;
use vitruvian_report::{Block, Cell, Column, Page, Table, Tone};

use super::range;
use crate::plan::PlanAnswer;
use crate::plan::answer::{PlanQuestion, PlanRow, Simulated};

/// The plans, best first: what is analytic, then what was simulated.
pub fn table(answer: &PlanAnswer) -> Table {
    let simulated = answer.plans.iter().any(|plan| plan.simulated.is_some());
    let mut columns = vec![
        Column::name(""),
        Column::text("work"),
        Column::number("chips", ""),
        Column::number("capacity", "1/s"),
        Column::number("TTFT", "ms"),
        Column::number("TPOT", "ms"),
        Column::number("per token", "J"),
        Column::number("10⁶ tokens", "USD"),
    ];
    if simulated {
        columns.extend([
            Column::number("goodput", "1/s"),
            Column::number("TTFT P90", "ms"),
            Column::number("TPOT P90", "ms"),
            Column::number("within", "%"),
        ]);
    }
    let mut table = Table::new(columns).title(title(&answer.question));
    for (index, plan) in answer.plans.iter().enumerate() {
        let mut cells = analytic(index, plan);
        if simulated {
            cells.extend(simulation(plan.simulated.as_ref()));
        }
        table.row(cells);
    }
    if simulated {
        table.note(
            "goodput and what follows it are simulated, what precedes it is analytic; → is prefill to decode",
        );
    }
    answer.notes.iter().for_each(|note| table.note(note.clone()));
    table
}

fn analytic(index: usize, plan: &PlanRow) -> Vec<Cell> {
    let a = &plan.analytic;
    let place = format!("{}{}", index + 1, if plan.pareto { " *" } else { "" });
    vec![
        Cell::text(place).tone(if plan.pareto { Tone::Good } else { Tone::Plain }),
        Cell::text(work(plan)),
        Cell::integer(plan.chips),
        range(a.capacity_per_s),
        range(a.ttft_ms),
        range(a.tpot_ms),
        a.energy_per_token_j.into(),
        a.cost_per_million_output_usd.into(),
    ]
}

/// `h20 + ascend-910b2` for replicas of whole requests, `ascend-910b2 → h20` for prefill and decode apart.
fn work(plan: &PlanRow) -> String {
    let chips: Vec<&str> = plan.pools.iter().map(|pool| pool.chip.as_str()).collect();
    chips.join(if plan.split == "disaggregated" { " → " } else { " + " })
}

fn simulation(simulated: Option<&Simulated>) -> [Cell; 4] {
    let of = |figure: fn(&Simulated) -> Option<f64>| Cell::from(simulated.and_then(figure));
    [
        of(|s| s.goodput_per_s),
        of(|s| Some(s.ttft_ms_p90)),
        of(|s| Some(s.tpot_ms_p90)),
        of(|s| Some(100.0 * s.attainment)),
    ]
}

/// The pools of every plan, and why the plan is where it is.
pub fn pools(answer: &PlanAnswer) -> Table {
    let mut table = Table::new([
        Column::name(""),
        Column::text("role"),
        Column::text("chip"),
        Column::number("chips", ""),
        Column::text("replicas"),
        Column::text("precision"),
        Column::number("batch", ""),
        Column::number("step", "token"),
        Column::number("load", "%"),
        Column::number("a chip", "W"),
        Column::detail("why"),
    ])
    .title("Pools");
    for (index, plan) in answer.plans.iter().enumerate() {
        for (place, pool) in plan.pools.iter().enumerate() {
            let first = place == 0;
            table.row([
                if first { Cell::text((index + 1).to_string()) } else { Cell::default() },
                Cell::text(&*pool.role),
                Cell::text(&*pool.chip),
                Cell::integer(pool.chips),
                Cell::text(format!("{} × {}", pool.replicas, pool.layout)),
                Cell::text(&*pool.precision),
                Cell::integer(pool.batch),
                Cell::integer(pool.chunk),
                (100.0 * pool.load).into(),
                pool.wall_power_w.into(),
                if first { Cell::text(&*plan.why) } else { Cell::default() },
            ]);
        }
    }
    if answer.plans.iter().any(|plan| plan.pareto) {
        table.note(
            "* no other listed plan beats it in requests per second, time per token and money per token",
        );
    }
    table
}

/// The reasons, or what came closest.
pub fn paragraph(answer: &PlanAnswer) -> String {
    let all: Vec<&str> = answer.closest.iter().chain(&answer.reasons).map(String::as_str).collect();
    all.join(" ")
}

/// How the search went, by kind of chip.
pub fn search_table(answer: &PlanAnswer) -> Table {
    let columns = [
        Column::name("chip"),
        Column::text("fell to"),
        Column::number("candidates", ""),
        Column::detail("nearest miss"),
    ];
    let mut table = Table::new(columns).title(format!(
        "Search: {} plans costed, {} layouts and precisions kept, {} simulations",
        answer.search.candidates, answer.search.kept, answer.search.simulations
    ));
    for kind in &answer.search.fell {
        for (index, fell) in kind.fell.iter().enumerate() {
            table.row([
                if index == 0 { Cell::text(&*kind.chip) } else { Cell::default() },
                Cell::text(&*fell.reason),
                Cell::integer(i64::try_from(fell.count).unwrap_or(i64::MAX)),
                Cell::text(fell.nearest.clone().unwrap_or_default()),
            ]);
        }
    }
    table
}

/// The whole answer as one page.
pub fn page(answer: &PlanAnswer) -> Page {
    Page {
        title: format!("Plans for {}", answer.question.model),
        subtitle: title(&answer.question),
        summary: vec![paragraph(answer)],
        blocks: vec![
            Block::Table(table(answer)),
            Block::Table(pools(answer)),
            Block::Heading("How the search went".to_owned()),
            Block::Table(search_table(answer)),
        ],
        footer: vec![
            "Analytic figures are means with P10–P90; simulated ones are of single runs.".to_owned(),
            format!("Vitruvian {}.", env!("CARGO_PKG_VERSION")),
        ],
    }
}

/// The question in a line.
fn title(question: &PlanQuestion) -> String {
    let chips: Vec<String> =
        question.chips.iter().map(|kind| format!("{} × {}", kind.count, kind.chip)).collect();
    let mut title = format!(
        "{} on {}: {} input and {} output tokens",
        question.model,
        chips.join(" and "),
        question.input_tokens,
        question.output_tokens
    );
    if let Some(rate) = question.rate_per_s {
        let _ = write!(title, ", {} requests/s", three(rate));
    }
    for (name, target) in [("TTFT", question.ttft_ms), ("TPOT", question.tpot_ms)] {
        if let Some(time) = target {
            let _ = write!(title, ", {name} ≤ {} ms", three(time));
        }
    }
    title + &format!(", best {}", question.objective)
}
