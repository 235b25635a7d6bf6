//! A fleet plan as tables, figures and a page.

mod figures;
mod risk;

use vitruvian_report::{Block, Cell, Column, Page, Table, Tone};

use crate::fleet::{FleetAnswer, PlanQuarter};
pub use risk::{shadow_table, stops_table, strategy_table};

const MILLION: f64 = 1e6;
const KILOWATTS_PER_MEGAWATT: f64 = 1000.0;

/// The plan by quarter: orders due, nodes at work, power, racks, money, shortfall.
pub fn table(answer: &FleetAnswer) -> Table {
    let mut columns = vec![Column::name("quarter")];
    columns.extend(answer.question.chips.iter().map(|chip| Column::number(chip.clone(), "nodes")));
    columns.push(Column::number("at work", "nodes"));
    columns.push(Column::number("power", "MW"));
    columns.push(Column::number("of limit", "%"));
    if limited_racks(answer) {
        columns.push(Column::number("racks", ""));
    }
    columns.push(Column::number("to pay", "MUSD"));
    if answer.plan.quarters.iter().any(|quarter| quarter.budget_usd.is_some()) {
        columns.push(Column::number("of budget", "%"));
    }
    columns.push(Column::number("unserved", "%"));
    columns.push(Column::detail("takes up"));
    let mut table = Table::new(columns).title(format!("Plan: {}", answer.question.title));
    answer
        .plan
        .quarters
        .iter()
        .enumerate()
        .for_each(|(index, quarter)| table.row(cells(answer, index, quarter)));
    table.note(format!(
        "Under each chip, nodes ordered by the quarter in which they are due. {}",
        decided(answer)
    ));
    table.notes.extend(doubt(answer));
    answer.notes.iter().for_each(|note| table.note(note.clone()));
    table
}

/// Over which futures orders were decided, and of which one the plan is told.
fn decided(answer: &FleetAnswer) -> String {
    let question = &answer.question;
    let futures = match (question.futures, question.exact) {
        (1, true) => return "Nothing is uncertain.".to_owned(),
        (all, true) => format!("all {all} futures, with their probabilities"),
        (drawn, false) => format!("{drawn} futures drawn with seed {}", question.seed),
    };
    format!(
        "Orders are best over {futures}; placements, power and what is unserved are those of the likeliest one{}.",
        likeliest(answer)
    )
}

/// How uncertain it is what each chip serves.
fn doubt(answer: &FleetAnswer) -> Option<String> {
    let chips = answer.question.chips.iter().zip(&answer.question.speed_sigma);
    let told: Vec<String> = chips
        .filter(|(_, sigma)| **sigma > 0.0)
        .map(|(chip, sigma)| format!("{chip} {:.0} %", 100.0 * sigma))
        .collect();
    (!told.is_empty()).then(|| {
        format!(
            "What a chip serves is uncertain, too (relative standard deviation: {}); in the likeliest future it is the estimate.",
            told.join(", ")
        )
    })
}

fn likeliest(answer: &FleetAnswer) -> String {
    let outcomes = &answer.question.likeliest;
    if outcomes.is_empty() { String::new() } else { format!(" ({})", outcomes.join("; ")) }
}

fn limited_racks(answer: &FleetAnswer) -> bool {
    answer.plan.quarters.iter().any(|quarter| quarter.racks_limit.is_some())
}

fn cells(answer: &FleetAnswer, index: usize, quarter: &PlanQuarter) -> Vec<Cell> {
    let mut cells = vec![Cell::text(&*quarter.quarter)];
    cells.extend(answer.question.chips.iter().map(|chip| {
        let line = quarter.orders.iter().find(|line| line.chip == *chip);
        Cell::from(line.map(|line| Cell::integer(line.nodes)))
    }));
    let at_work: u32 = quarter.placements.iter().map(|line| line.nodes).sum();
    cells.push(Cell::integer(at_work));
    cells.push(Cell::number(quarter.power_kw / KILOWATTS_PER_MEGAWATT));
    cells.push(Cell::from(quarter.power_limit_kw.map(|limit| part(quarter.power_kw, limit))));
    if limited_racks(answer) {
        let racks = format!("{} / {}", quarter.racks.ceil(), quarter.racks_limit.unwrap_or_default());
        cells.push(Cell::text(racks));
    }
    cells.push(Cell::number(quarter.payable_usd / MILLION));
    cells.extend(quarter.budget_usd.map(|budget| part(quarter.payable_usd, budget)));
    let unserved = unserved(answer, index, quarter);
    let missing = Cell::number(100.0 * unserved);
    cells.push(if unserved > 0.0 { missing.tone(Tone::Bad) } else { missing });
    cells.push(Cell::text(quarter.stacks.join(", ")));
    cells
}

fn part(used: f64, limit: f64) -> Cell {
    if limit > 0.0 { Cell::number(100.0 * used / limit) } else { Cell::default() }
}

/// Part of a quarter's output tokens that is not served.
fn unserved(answer: &FleetAnswer, index: usize, quarter: &PlanQuarter) -> f64 {
    let demands = &answer.question.demands;
    let tokens = |name: &str, rate: f64| {
        demands
            .iter()
            .find(|demand| demand.name == name)
            .map_or(0.0, |demand| f64::from(demand.output_tokens) * rate)
    };
    let short: f64 = quarter.shortfalls.iter().map(|line| tokens(&line.demand, line.requests_per_s)).sum();
    let asked: f64 = demands
        .iter()
        .map(|demand| f64::from(demand.output_tokens) * demand.peak_requests_per_s[index])
        .sum();
    if asked > 0.0 { short / asked } else { 0.0 }
}

/// Nodes of each chip that serve each service, by quarter.
pub fn placement_table(answer: &FleetAnswer) -> Table {
    let mut columns = vec![Column::name("service"), Column::text("chip")];
    columns.extend(answer.question.quarters.iter().map(|quarter| Column::number(quarter.clone(), "")));
    let mut table = Table::new(columns).title("Nodes at work, if all goes as is likeliest");
    for demand in &answer.question.demands {
        for chip in &answer.question.chips {
            let nodes: Vec<u32> =
                answer.plan.quarters.iter().map(|quarter| at_work(quarter, &demand.name, chip)).collect();
            if nodes.iter().any(|nodes| *nodes > 0) {
                let cells = nodes
                    .iter()
                    .map(|nodes| if *nodes > 0 { Cell::integer(*nodes) } else { Cell::default() });
                table.row([Cell::text(&*demand.name), Cell::text(&**chip)].into_iter().chain(cells));
            }
        }
    }
    table
}

fn at_work(quarter: &PlanQuarter, demand: &str, chip: &str) -> u32 {
    let lines = quarter.placements.iter().filter(|line| line.demand == demand && line.chip == chip);
    lines.map(|line| line.nodes).sum()
}

/// The deployments that the plan chooses from.
pub fn deployment_table(answer: &FleetAnswer) -> Table {
    let mut table = Table::new([
        Column::name("service"),
        Column::text("chip"),
        Column::number("chips", ""),
        Column::number("requests", "1/s"),
        Column::number("TTFT", "ms"),
        Column::number("TPOT", "ms"),
        Column::number("peak power", "kW"),
        Column::number("10⁶ output tokens", "USD"),
        Column::detail("deployment"),
    ])
    .title("Deployments");
    for way in &answer.deployments {
        table.row([
            Cell::text(&*way.demand),
            Cell::text(&*way.chip),
            Cell::integer(way.chips),
            Cell::number(way.requests_per_s),
            Cell::number(way.ttft_ms),
            Cell::number(way.tpot_ms),
            Cell::number(way.peak_power_kw),
            Cell::number(way.cost_usd_per_million_output),
            Cell::text(&*way.deployment),
        ]);
    }
    for pair in &answer.unserved {
        table.note(format!("Nothing on {} meets {}: {}.", pair.chip, pair.demand, pair.why));
    }
    table
}

/// The reasons as a paragraph.
pub fn paragraph(answer: &FleetAnswer) -> String {
    answer.reasons.join(" ")
}

/// The whole answer as one page.
pub fn page(answer: &FleetAnswer) -> Page {
    let mut blocks = vec![Block::Table(table(answer))];
    blocks.extend(stops_table(answer).map(Block::Table));
    blocks.push(Block::Figure(figures::orders(answer)));
    blocks.push(Block::Table(placement_table(answer)));
    blocks.push(Block::Figure(figures::demand(answer)));
    blocks.push(Block::Heading("Over all futures".to_owned()));
    blocks.push(Block::Table(strategy_table(answer)));
    blocks.push(Block::Figure(figures::strategies(answer)));
    blocks.push(Block::Figure(figures::regret(answer)));
    blocks.push(Block::Figure(figures::shortfall(answer)));
    blocks.push(Block::Heading("What one more is worth".to_owned()));
    blocks.push(Block::Table(shadow_table(answer)));
    blocks.push(Block::Heading("What the plan chooses from".to_owned()));
    blocks.push(Block::Table(deployment_table(answer)));
    Page {
        title: answer.question.title.clone(),
        subtitle: subtitle(answer),
        summary: vec![paragraph(answer)],
        blocks,
        footer: vec![
            "Money is present value in US dollars. A service that gets a part of the peak rate it needs serves that part of its tokens. Placements over many futures share nodes; those of the plan by quarter are whole.".to_owned(),
            format!("Vitruvian {}.", env!("CARGO_PKG_VERSION")),
        ],
    }
}

fn subtitle(answer: &FleetAnswer) -> String {
    let question = &answer.question;
    let (first, last) = (question.quarters.first(), question.quarters.last());
    format!(
        "{} services on {} chips, {} to {}, goal: {}",
        question.demands.len(),
        question.chips.len(),
        first.map_or("", String::as_str),
        last.map_or("", String::as_str),
        question.goal
    )
}
