//! The answer of `cost die` as tables.

use vitruvian_report::{Block, Cell, Column, Page, Table};

use super::range;
use crate::die::answer::{DieAnswer, OnProcess};

/// Inputs that move the cost less are left out of the table.
const SMALLEST_SHARE: f64 = 0.005;

/// Cost on each process side by side; then bins, sensitivity and quoted yields of each. `sources` adds every input.
pub fn page(answer: &DieAnswer, sources: bool) -> Page {
    let mut blocks = vec![Block::Table(table(answer))];
    for process in &answer.processes {
        blocks.extend(
            [bins(process), sensitivity(process), quoted(process)].into_iter().flatten().map(Block::Table),
        );
        if sources {
            blocks.push(Block::Table(inputs(process)));
        }
    }
    Page { blocks, ..Page::default() }
}

/// The cost on each process.
pub fn table(answer: &DieAnswer) -> Table {
    let processes = &answer.processes;
    let titles = processes.iter().map(|process| process.title.clone());
    let mut table = Table::side_by_side(titles).title(format!("One good {}, to make", answer.title));
    let mut row = |name: &str, unit: &str, of: &dyn Fn(&OnProcess) -> Cell| {
        table.metric(name, unit, processes.iter().map(of));
    };
    row("die area", "mm²", &|p| Cell::number(p.area_mm2));
    row("dies per wafer", "", &|p| Cell::integer(p.dies_per_wafer));
    row("by the formula", "", &|p| Cell::number(p.dies_per_wafer_formula));
    row("defects", "1/cm²", &|p| range(p.defect_density_per_cm2));
    row("dies without a defect", "", &|p| Cell::share(p.whole_die_yield));
    row("dies with enough good cores", "%", &|p| {
        let share = p.die_yield;
        Cell::range(share.p50 * 100.0, share.p10 * 100.0, share.p90 * 100.0)
    });
    row("good die", "USD", &|p| range(p.good_die_usd));
    row("good chip", "USD", &|p| range(p.chip_usd));
    parts(&mut table, answer);
    table.note(format!(
        "Typical and P10–P90 of {} simulated chips, seed {}; {}.",
        answer.samples, answer.seed, answer.model
    ));
    if let Some(materials) = answer.materials_usd {
        table.note(format!("Analysts put the bill of materials at {materials:.0} USD."));
    }
    for rate in &answer.rates {
        table.note(format!("1 {} = {} USD, {}.", rate.currency, rate.usd, rate.origin));
    }
    answer.notes.iter().for_each(|note| table.note(note.clone()));
    table
}

fn parts(table: &mut Table, answer: &DieAnswer) {
    table.section("in one good chip");
    let mut names: Vec<&str> = Vec::new();
    for part in answer.processes.iter().flat_map(|process| &process.parts) {
        if !names.contains(&part.part.as_str()) {
            names.push(&part.part);
        }
    }
    for name in names {
        let cells = answer.processes.iter().map(|process| {
            Cell::from(process.parts.iter().find(|part| part.part == name).map(|part| range(part.usd)))
        });
        table.metric(name, "USD", cells.collect::<Vec<_>>());
    }
}

fn bins(process: &OnProcess) -> Option<Table> {
    let columns = [
        Column::name("good cores"),
        Column::text("sold as"),
        Column::number("best bin", ""),
        Column::number("at least", ""),
        Column::number("dies a wafer", ""),
        Column::number("good die", "USD"),
    ];
    let mut table = Table::new(columns).title(format!("Bins on {}", process.title));
    for bin in &process.bins {
        table.row([
            Cell::integer(bin.cores),
            Cell::text(bin.chips.join(", ")),
            Cell::share(bin.share),
            Cell::share(bin.at_least),
            Cell::number(bin.dies_per_wafer),
            Cell::number(bin.good_die_usd),
        ]);
    }
    table.note("`good die`: if only dies with at least so many good cores are sold.");
    (!process.bins.is_empty()).then_some(table)
}

fn sensitivity(process: &OnProcess) -> Option<Table> {
    let columns = [
        Column::name("input"),
        Column::number("low", ""),
        Column::number("high", ""),
        Column::number("chip at low", "USD"),
        Column::number("chip at high", "USD"),
        Column::number("share", ""),
    ];
    let mut table = Table::new(columns).title(format!("What the cost hangs on, on {}", process.title));
    for swing in process.sensitivity.iter().filter(|swing| swing.share >= SMALLEST_SHARE) {
        let unit = if swing.unit.is_empty() { String::new() } else { format!(", {}", swing.unit) };
        table.row([
            Cell::text(format!("{}{unit}", swing.input)),
            Cell::number(swing.low),
            Cell::number(swing.high),
            Cell::number(swing.at_low_usd),
            Cell::number(swing.at_high_usd),
            Cell::share(swing.share),
        ]);
    }
    table.note("Each input at its P10 and P90, the others typical; shares are of squared swings, below half a per cent left out.");
    (!process.sensitivity.is_empty()).then_some(table)
}

fn quoted(process: &OnProcess) -> Option<Table> {
    let columns = [
        Column::name("quoted yield"),
        Column::number("defects", "1/cm²"),
        Column::number("dies with enough cores", ""),
        Column::number("good die", "USD"),
        Column::text("grade"),
        Column::detail("source"),
    ];
    let mut table = Table::new(columns).title(format!("What quoted yields of {} would mean", process.title));
    for quoted in &process.quoted_yields {
        table.row([
            Cell::share(quoted.good),
            Cell::number(quoted.defect_density_per_cm2),
            Cell::share(quoted.die_yield),
            Cell::number(quoted.good_die_usd),
            Cell::text(&quoted.grade),
            Cell::text(&quoted.source),
        ]);
    }
    table.note("A quoted yield is taken as the share of whole dies without a defect; no source says which yield it means.");
    (!process.quoted_yields.is_empty()).then_some(table)
}

fn inputs(process: &OnProcess) -> Table {
    let columns = [
        Column::name("input"),
        Column::number("typical", ""),
        Column::text("date"),
        Column::text("grade"),
        Column::detail("source"),
    ];
    let mut table = Table::new(columns).title(format!("Where the inputs come from, on {}", process.title));
    for input in &process.inputs {
        let unit = if input.unit.is_empty() { String::new() } else { format!(", {}", input.unit) };
        let others: Vec<String> = input.alternatives.iter().map(|other| format!("; or {other}")).collect();
        table.row([
            Cell::text(format!("{}{unit}", input.input)),
            Cell::range(input.typical, input.low, input.high),
            Cell::text(&input.date),
            Cell::text(&input.grade),
            Cell::text(format!("{}{}", input.source, others.concat())),
        ]);
    }
    table
}
