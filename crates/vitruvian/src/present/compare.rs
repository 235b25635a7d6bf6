//! The answer of a comparison: one table, one paragraph; or a page with figures.

use vitruvian_report::{Block, Cell, Column, Page, Table};

use super::figures::{breakdown, fronts, rooflines};
use super::operators::operator_table;
use super::{contest, range};
use crate::answer::{ChipAnswer, CompareAnswer, Deployment, Question, Range};

/// The deployments side by side.
pub fn table(answer: &CompareAnswer) -> Table {
    let mut table = Table::side_by_side(answer.chips.iter().map(|chip| chip.title.clone()))
        .title(title(&answer.question));
    table.section("deployment");
    let chips = &answer.chips;
    words(&mut table, chips, "layout", layout);
    words(&mut table, chips, "precision", |d| d.precision.clone());
    words(&mut table, chips, "batch × replicas", |d| format!("{} × {}", d.batch, d.replicas));
    words(&mut table, chips, "step tokens", |d| d.chunk.to_string());
    facts(&mut table, chips, "engine", |chip| chip.engine.clone());
    facts(&mut table, chips, "node", |chip| chip.node.clone());
    table.section("service");
    figures(&mut table, chips, "TTFT", "ms", false, |d| Some(d.ttft_ms));
    figures(&mut table, chips, "TPOT", "ms", false, |d| Some(d.tpot_ms));
    figures(&mut table, chips, "request", "s", false, |d| Some(d.request_time_s));
    figures(&mut table, chips, "output per chip", "token/s", true, |d| Some(d.output_tokens_per_s_per_chip));
    figures(&mut table, chips, "output, all chips", "token/s", true, |d| Some(d.output_tokens_per_s));
    figures(&mut table, chips, "output per user", "token/s", true, |d| Some(d.output_tokens_per_s_per_user));
    table.section("what bounds it");
    words(&mut table, chips, "prefill", |d| {
        format!("{} ({:.0} % of time)", d.prefill_bound, 100.0 * d.prefill_share)
    });
    words(&mut table, chips, "decode", |d| d.decode_bound.clone());
    table.section("memory of a rank");
    numbers(&mut table, chips, "used", "GB", |d| d.memory_used_gb);
    numbers(&mut table, chips, "of it weights", "GB", |d| d.weights_gb);
    numbers(&mut table, chips, "of it cache", "GB", |d| d.cache_gb);
    numbers(&mut table, chips, "free", "GB", |d| d.memory_free_gb);
    table.section("energy and money");
    figures(&mut table, chips, "chip power", "W", false, |d| Some(d.chip_power_w));
    figures(&mut table, chips, "energy per token", "J", false, |d| Some(d.energy_per_token_j));
    figures(&mut table, chips, "10⁶ input tokens", "USD", false, |d| d.cost_per_million_input_usd);
    figures(&mut table, chips, "10⁶ output tokens", "USD", false, |d| d.cost_per_million_output_usd);
    chips.iter().flat_map(|chip| &chip.notes).for_each(|note| table.note(note.clone()));
    table
}

/// The paragraph of reasons.
pub fn paragraph(answer: &CompareAnswer) -> String {
    answer.reasons.join(" ")
}

/// How the search went on each chip: candidates by fate, with the nearest miss.
pub fn search_table(answer: &CompareAnswer) -> Table {
    let columns = [
        Column::name("chip"),
        Column::text("fell to"),
        Column::number("candidates", ""),
        Column::detail("nearest miss"),
    ];
    let mut table = Table::new(columns).title("Search");
    for chip in &answer.chips {
        let search = &chip.search;
        table.row([
            Cell::text(&*chip.title),
            Cell::text("(all)"),
            count(search.candidates),
            Cell::text(format!("{} on the Pareto front", search.front)),
        ]);
        for fell in &search.fell {
            let nearest = fell.nearest.clone().unwrap_or_default();
            table.row([Cell::default(), Cell::text(&*fell.reason), count(fell.count), Cell::text(nearest)]);
        }
    }
    table
}

fn count(candidates: u64) -> Cell {
    Cell::integer(i64::try_from(candidates).unwrap_or(i64::MAX))
}

/// Every candidate of every chip as a table for machines.
pub fn candidate_table(answer: &CompareAnswer) -> Table {
    let mut table = Table::new([
        Column::name("chip"),
        Column::text("layout"),
        Column::number("replicas", ""),
        Column::text("precision"),
        Column::number("batch", ""),
        Column::number("chunk", "token"),
        Column::text("verdict"),
        Column::number("TTFT", "ms"),
        Column::number("TPOT", "ms"),
        Column::number("output", "token/s"),
        Column::number("energy per token", "J"),
        Column::number("10⁶ output tokens", "USD"),
    ]);
    for chip in &answer.chips {
        for row in &chip.search.all {
            table.row([
                Cell::text(&*chip.chip),
                Cell::text(&*row.layout),
                Cell::integer(row.replicas),
                Cell::text(&*row.precision),
                Cell::integer(row.batch),
                Cell::integer(row.chunk),
                Cell::text(&*row.verdict),
                row.ttft_ms.into(),
                row.tpot_ms.into(),
                row.output_tokens_per_s.into(),
                row.energy_per_token_j.into(),
                row.cost_per_million_output_usd.into(),
            ]);
        }
    }
    table
}

/// The whole answer as one page.
pub fn page(answer: &CompareAnswer) -> Page {
    let mut blocks = vec![Block::Table(table(answer)), Block::Figure(fronts(answer))];
    blocks.push(Block::Figure(rooflines(answer)));
    blocks.push(Block::Figure(breakdown(answer)));
    blocks.push(Block::Heading("How the search went".to_owned()));
    blocks.push(Block::Table(search_table(answer)));
    for chip in &answer.chips {
        blocks.push(Block::Heading(format!("Operators on {}", chip.title)));
        blocks.push(Block::Table(operator_table("Prefill of one prompt", &chip.prefill)));
        blocks.push(Block::Table(operator_table("One decode step", &chip.decode)));
    }
    blocks.push(Block::Heading("What the uncertainty rests on".to_owned()));
    blocks.push(Block::Table(profile_table(answer)));
    Page {
        title: answer.chips.iter().map(|chip| chip.title.as_str()).collect::<Vec<_>>().join(" against "),
        subtitle: title(&answer.question),
        summary: vec![paragraph(answer)],
        blocks,
        footer: vec![
            "Figures are medians with P10–P90: in four cases of five the truth should lie between."
                .to_owned(),
            format!("Vitruvian {}, fidelity {}.", env!("CARGO_PKG_VERSION"), answer.question.fidelity),
        ],
    }
}

/// The fitted profiles behind the answer.
fn profile_table(answer: &CompareAnswer) -> Table {
    let mut table = Table::new([
        Column::name("chip"),
        Column::text("operators"),
        Column::text("precision"),
        Column::number("sigma", "%"),
        Column::number("points", ""),
        Column::detail("source"),
    ]);
    for chip in &answer.chips {
        for profile in &chip.profiles {
            table.row([
                Cell::text(&*chip.title),
                Cell::text(&*profile.family),
                Cell::text(&*profile.precision),
                Cell::number(100.0 * profile.sigma),
                Cell::integer(profile.points),
                Cell::text(&*profile.source),
            ]);
        }
    }
    table
}

/// The question in a line.
pub(super) fn title(question: &Question) -> String {
    let mut targets = Vec::new();
    targets.extend(question.ttft_ms.map(|time| format!("TTFT ≤ {} ms", vitruvian_quantity::three(time))));
    targets.extend(question.tpot_ms.map(|time| format!("TPOT ≤ {} ms", vitruvian_quantity::three(time))));
    let targets = if targets.is_empty() { String::new() } else { format!(", {}", targets.join(", ")) };
    format!(
        "{} on {} chips: {} input and {} output tokens{targets}, best {}",
        question.model, question.chips, question.input_tokens, question.output_tokens, question.objective
    )
}

fn layout(deployment: &Deployment) -> String {
    if deployment.replicas > 1 {
        format!("{} × {}", deployment.replicas, deployment.layout)
    } else {
        deployment.layout.clone()
    }
}

/// The deployment shown for a chip: the best, else what came closest.
fn shown(chip: &ChipAnswer) -> Option<&Deployment> {
    chip.best.as_ref().or_else(|| chip.closest.as_ref().and_then(|closest| closest.deployment.as_ref()))
}

fn words(table: &mut Table, chips: &[ChipAnswer], name: &str, word: impl Fn(&Deployment) -> String) {
    table.metric(
        name,
        "",
        chips.iter().map(|chip| shown(chip).map_or_else(|| "none".into(), |d| Cell::text(word(d)))),
    );
}

fn facts(table: &mut Table, chips: &[ChipAnswer], name: &str, fact: impl Fn(&ChipAnswer) -> String) {
    table.metric(name, "", chips.iter().map(|chip| Cell::text(fact(chip))));
}

fn numbers(
    table: &mut Table,
    chips: &[ChipAnswer],
    name: &str,
    unit: &str,
    number: impl Fn(&Deployment) -> f64,
) {
    table.metric(name, unit, chips.iter().map(|chip| Cell::from(shown(chip).map(&number))));
}

fn figures(
    table: &mut Table,
    chips: &[ChipAnswer],
    name: &str,
    unit: &str,
    larger_wins: bool,
    figure: impl Fn(&Deployment) -> Option<Range>,
) {
    let ranges: Vec<Option<Range>> = chips.iter().map(|chip| shown(chip).and_then(&figure)).collect();
    let cells = if chips.len() > 1 {
        contest(&ranges, larger_wins)
    } else {
        ranges.iter().map(|one| Cell::from(one.map(range))).collect()
    };
    table.metric(name, unit, cells);
}
