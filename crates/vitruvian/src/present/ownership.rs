//! Answers about owning and renting as tables.

use vitruvian_report::{Block, Cell, Column, Page, Table};

use super::range;
use crate::ownership::answer::{Assumption, ChipHour, RentAnswer, ServeAnswer, TrainCostAnswer};

/// What a served token costs. `sources` adds every price and assumption.
pub fn serve(answer: &ServeAnswer, sources: bool) -> Page {
    let mut blocks = vec![Block::Table(serve_table(answer))];
    blocks.extend(rents(answer).map(Block::Table));
    if sources {
        blocks.push(Block::Table(assumptions(&answer.assumptions)));
    }
    Page { blocks, ..Page::default() }
}

/// The hour of a chip, the price of a token, energy and carbon.
pub fn serve_table(answer: &ServeAnswer) -> Table {
    let (question, deployment) = (&answer.question, &answer.deployment);
    let mut table = Table::side_by_side([answer.title.clone()]).title(format!(
        "{} on {} × {}, {}, {}, batch {}",
        question.model,
        question.chips,
        answer.title,
        deployment.layout,
        deployment.precision,
        deployment.batch
    ));
    chip_hour(&mut table, answer.chip_hour.as_ref());
    tokens(&mut table, answer);
    sale(&mut table, answer);
    table.note(format!(
        "{} input and {} output tokens a request; TTFT {:.0} ms, TPOT {:.1} ms; {}, {}.",
        question.input_tokens,
        question.output_tokens,
        deployment.ttft_ms.p50,
        deployment.tpot_ms.p50,
        answer.engine,
        answer.node
    ));
    table.note("Ranges: by the span of prices, and for tokens also by the uncertainty of speed.".to_owned());
    answer.notes.iter().for_each(|note| table.note(note.clone()));
    table
}

fn chip_hour(table: &mut Table, hour: Option<&ChipHour>) {
    let Some(hour) = hour else { return };
    table.section(format!(
        "one chip in a used hour ({:.0} % of the hours are used)",
        hour.utilisation * 100.0
    ));
    table.metric("chip with its share of the server", "USD", [range(hour.capital_usd)]);
    let mut money = |name: &str, value: f64| table.metric(name, "USD/h", [Cell::number(value)]);
    money("server capital", hour.server_usd);
    money("network and storage", hour.network_usd);
    money("staff, maintenance, rack", hour.operations_usd);
    if hour.building_usd > 0.0 {
        money("building", hour.building_usd);
    }
    money("electricity", hour.energy_usd);
    table.metric("all", "USD/h", [range(hour.total_usd)]);
    table.metric("electricity at the power cap", "USD/h", [Cell::number(hour.energy_at_cap_usd)]);
}

fn tokens(table: &mut Table, answer: &ServeAnswer) {
    table.section("a million tokens");
    if let Some(money) = &answer.tokens {
        table.metric("input", "USD", [range(money.input_usd)]);
        table.metric("output", "USD", [range(money.output_usd)]);
        table.metric("everything over output", "USD", [range(money.all_over_output_usd)]);
    }
    let energy = &answer.energy;
    table.metric("energy, input", "kWh", [Cell::number(energy.input_kwh_per_million)]);
    table.metric("energy, output", "kWh", [Cell::number(energy.output_kwh_per_million)]);
    table.metric("carbon dioxide, input", "kg", [Cell::number(energy.input_kg_per_million)]);
    table.metric("carbon dioxide, output", "kg", [Cell::number(energy.output_kg_per_million)]);
    table.metric("power of a chip with its host", "W", [range(energy.wall_power_w)]);
    table.metric("the same at the power cap", "W", [Cell::number(energy.wall_power_at_cap_w)]);
}

fn sale(table: &mut Table, answer: &ServeAnswer) {
    let Some(sale) = &answer.sale else { return };
    table.section(format!(
        "sold at {} and {} USD a million",
        vitruvian_quantity::three(sale.input_price_usd),
        vitruvian_quantity::three(sale.output_price_usd)
    ));
    table.metric("one chip earns", "USD/h", [Cell::number(sale.usd_per_chip_hour)]);
    table.metric("margin over cost", "", [Cell::from(sale.margin.map(Cell::share))]);
    let even = sale.break_even_utilisation.map_or_else(|| Cell::text("never"), Cell::share);
    table.metric("hours that must be sold", "", [even]);
    table.metric("capital is repaid after", "months", [months(sale.payback_months, answer)]);
}

/// Months as a cell: more than the years of service is never.
fn months(months: Option<f64>, answer: &ServeAnswer) -> Cell {
    let life = answer.chip_hour.as_ref().map_or(f64::INFINITY, |hour| hour.years * 12.0);
    months.filter(|months| *months <= life).map_or_else(|| Cell::text("not in its life"), Cell::number)
}

fn rents(answer: &ServeAnswer) -> Option<Table> {
    let columns = [
        Column::name("rent instead"),
        Column::number("chip-hour", "USD"),
        Column::number("10⁶ input", "USD"),
        Column::number("10⁶ output", "USD"),
        Column::number("break-even use", ""),
        Column::number("owning pays after", "months"),
        Column::text("date"),
        Column::text("grade"),
    ];
    let mut table = Table::new(columns);
    for rent in &answer.rents {
        table.row([
            Cell::text(&rent.quoted),
            range(rent.usd_per_chip_hour),
            Cell::number(rent.input_usd),
            Cell::number(rent.output_usd),
            rent.break_even_utilisation.map_or_else(|| Cell::text("never"), Cell::share),
            months(rent.break_even_months, answer),
            Cell::text(&rent.date),
            Cell::text(&rent.grade),
        ]);
    }
    table.note(
        "Rented by the used hour, electricity included. Above 100 % of the hours renting is always cheaper.",
    );
    (!answer.rents.is_empty()).then_some(table)
}

/// Every price and assumption.
pub fn assumptions(list: &[Assumption]) -> Table {
    let columns = [
        Column::name("assumption"),
        Column::text("value"),
        Column::text("span"),
        Column::text("date"),
        Column::text("grade"),
        Column::detail("source"),
    ];
    let mut table = Table::new(columns);
    for one in list {
        let span = one.span.as_ref().map_or(String::new(), |[low, high]| format!("{low} to {high}"));
        table.row([one.key.as_str(), &one.value, &span, &one.date, &one.grade, &one.source].map(Cell::text));
    }
    table
}

/// What renting chips costs.
pub fn rent(answer: &RentAnswer) -> Page {
    let mut table = Table::side_by_side([answer.title.clone()]).title(format!(
        "{} × {} for {} h",
        grouped(answer.chips),
        answer.title,
        grouped(answer.hours)
    ));
    table.metric("rent of a chip and hour", "USD", [range(answer.usd_per_chip_hour)]);
    let total = answer.total_range_usd;
    let all =
        if total.p10 == total.p90 { Cell::integer(answer.total_usd.round() as i64) } else { range(total) };
    table.metric("all", "USD", [all]);
    if let Some(tokens) = &answer.tokens {
        table.metric("input of a server", "token/s", [Cell::number(tokens.input_per_s_per_node)]);
        table.metric("output of a server", "token/s", [Cell::number(tokens.output_per_s_per_node)]);
        table.metric("input from the cache", "10⁹ tokens", [Cell::number(tokens.cached / 1e9)]);
        table.metric("all over all tokens", "USD per 10⁶", [Cell::number(tokens.all_usd_per_million)]);
        let output = tokens.all_over_output_usd_per_million;
        table.metric("all over output tokens", "USD per 10⁶", [Cell::number(output)]);
    }
    let source = &answer.source;
    let date = if source.date.is_empty() { String::new() } else { format!(" ({})", source.date) };
    table.note(format!("{}: {}{date}, {}.", source.value, source.source, source.grade));
    Page { blocks: vec![Block::Table(table)], ..Page::default() }
}

/// A count that may be a mean.
fn grouped(count: f64) -> String {
    if count.fract() == 0.0 { format!("{count:.0}") } else { format!("{count:.2}") }
}

/// What a training run costs. `sources` adds every price and assumption.
pub fn train(answer: &TrainCostAnswer, sources: bool) -> Page {
    let mut blocks = vec![Block::Table(train_table(answer))];
    blocks.extend(run_rents(answer).map(Block::Table));
    if sources {
        blocks.push(Block::Table(assumptions(&answer.assumptions)));
    }
    Page { blocks, ..Page::default() }
}

fn train_table(answer: &TrainCostAnswer) -> Table {
    let mut table = Table::side_by_side([answer.title.clone()]).title(format!(
        "{} on {} × {}, {}: {:.3e} tokens",
        answer.model, answer.chips, answer.title, answer.layout, answer.tokens
    ));
    chip_hour(&mut table, answer.chip_hour.as_ref());
    table.section("the run");
    table.metric("time", "days", [range(answer.days)]);
    table.metric("time that is progress", "", [Cell::share(answer.goodput)]);
    table.metric("chip hours", "h", [Cell::number(answer.chip_hours)]);
    table.metric("cost, owned", "USD", [Cell::from(answer.total_usd.map(range))]);
    table.metric("10⁶ tokens", "USD", [Cell::from(answer.usd_per_million_tokens)]);
    table.metric("of that, electricity", "USD", [Cell::number(answer.electricity_usd)]);
    table.metric("energy", "MWh", [Cell::number(answer.energy_mwh)]);
    table.metric("energy at the power cap", "MWh", [Cell::number(answer.energy_at_cap_mwh)]);
    table.metric("carbon dioxide", "t", [Cell::number(answer.carbon_t)]);
    table.note("Ranges: by the span of prices, and for the run also by the uncertainty of its time.");
    answer.notes.iter().for_each(|note| table.note(note.clone()));
    table
}

fn run_rents(answer: &TrainCostAnswer) -> Option<Table> {
    let columns = [
        Column::name("rent instead"),
        Column::number("the run", "USD"),
        Column::number("break-even use", ""),
        Column::text("date"),
        Column::text("grade"),
    ];
    let mut table = Table::new(columns);
    for rent in &answer.rents {
        table.row([
            Cell::text(&rent.quoted),
            range(rent.total_usd),
            rent.break_even_utilisation.map_or_else(|| Cell::text("never"), Cell::share),
            Cell::text(&rent.date),
            Cell::text(&rent.grade),
        ]);
    }
    (!answer.rents.is_empty()).then_some(table)
}
