//! Answers about owning and renting as tables.

use vitruvian_report::{Block, Cell, Column, Page, Table};

use super::{contest, range};
use crate::answer::Range;
use crate::ownership::answer::{
    Assumption, ChipHour, RentAnswer, Sale, ServeAnswer, ServeAnswers, TrainCostAnswer,
};

/// What a served token costs, chip against chip. `sources` adds every price and assumption.
pub fn serve(answers: &ServeAnswers, sources: bool) -> Page {
    let mut blocks = vec![Block::Table(serve_table(answers))];
    blocks.extend(answers.chips.iter().filter_map(rents).map(Block::Table));
    if sources {
        blocks.extend(answers.chips.iter().map(|answer| Block::Table(assumptions(&answer.assumptions))));
    }
    Page { blocks, ..Page::default() }
}

/// Rows of one figure a chip.
struct Rows<'a> {
    table: Table,
    chips: &'a [ServeAnswer],
}

impl Rows<'_> {
    fn row(&mut self, name: &str, unit: &str, of: impl Fn(&ServeAnswer) -> Cell) {
        self.table.metric(name, unit, self.chips.iter().map(of));
    }

    /// A figure of the hour of a chip, where a price is known.
    fn hour(&mut self, name: &str, unit: &str, of: impl Fn(&ChipHour) -> Cell) {
        self.row(name, unit, |answer| answer.chip_hour.as_ref().map_or_else(Cell::default, &of));
    }

    /// A row of ranges; the least in a good tone where it leads all others.
    fn least(&mut self, name: &str, unit: &str, of: impl Fn(&ServeAnswer) -> Option<Range>) {
        let ranges: Vec<Option<Range>> = self.chips.iter().map(of).collect();
        self.table.metric(name, unit, contest(&ranges, false));
    }
}

/// The hour of a chip, the price of a token, energy and carbon.
pub fn serve_table(answers: &ServeAnswers) -> Table {
    let chips = &answers.chips;
    let table = Table::side_by_side(chips.iter().map(|answer| answer.title.clone()));
    let title = chips.first().map_or(String::new(), |answer| {
        let question = &answer.question;
        format!(
            "{}: {} input and {} output tokens",
            question.model, question.input_tokens, question.output_tokens
        )
    });
    let mut rows = Rows { table: table.title(title), chips };
    deployments(&mut rows);
    hours(&mut rows);
    tokens(&mut rows);
    sale(&mut rows);
    let mut table = rows.table;
    table.note("Ranges: by the span of prices, and for tokens also by the uncertainty of speed.");
    for answer in chips {
        table.note(format!("{}: {}, {}.", answer.chip, answer.engine, answer.node));
        answer.notes.iter().for_each(|note| table.note(note.clone()));
    }
    table
}

fn deployments(rows: &mut Rows<'_>) {
    rows.row("chips of a replica", "", |answer| Cell::integer(answer.question.chips));
    rows.row("layout", "", |answer| Cell::text(&answer.deployment.layout));
    rows.row("precision", "", |answer| Cell::text(&answer.deployment.precision));
    rows.row("batch", "", |answer| Cell::integer(answer.deployment.batch));
    rows.row("TTFT", "ms", |answer| range(answer.deployment.ttft_ms));
    rows.row("TPOT", "ms", |answer| range(answer.deployment.tpot_ms));
}

fn hours(rows: &mut Rows<'_>) {
    let Some(hour) = rows.chips.iter().find_map(|answer| answer.chip_hour.as_ref()) else { return };
    rows.table.section(hour_title(hour));
    rows.hour("chip with its share of the server", "USD", |hour| range(hour.capital_usd));
    rows.hour("server capital", "USD/h", |hour| Cell::number(hour.server_usd));
    rows.hour("network and storage", "USD/h", |hour| Cell::number(hour.network_usd));
    rows.hour("staff, maintenance, rack", "USD/h", |hour| Cell::number(hour.operations_usd));
    if hour.building_usd > 0.0 {
        rows.hour("building", "USD/h", |hour| Cell::number(hour.building_usd));
    }
    rows.hour("electricity", "USD/h", |hour| Cell::number(hour.energy_usd));
    rows.least("all", "USD/h", |answer| answer.chip_hour.as_ref().map(|hour| hour.total_usd));
    rows.hour("electricity at the power cap", "USD/h", |hour| Cell::number(hour.energy_at_cap_usd));
}

fn hour_title(hour: &ChipHour) -> String {
    format!("one chip in a used hour ({:.0} % of the hours are used)", hour.utilisation * 100.0)
}

fn tokens(rows: &mut Rows<'_>) {
    rows.table.section("a million tokens");
    if rows.chips.iter().any(|answer| answer.tokens.is_some()) {
        prices(rows);
    }
    rows.row("energy, input", "kWh", |answer| Cell::number(answer.energy.input_kwh_per_million));
    rows.row("energy, output", "kWh", |answer| Cell::number(answer.energy.output_kwh_per_million));
    rows.row("carbon dioxide, input", "kg", |answer| Cell::number(answer.energy.input_kg_per_million));
    rows.row("carbon dioxide, output", "kg", |answer| Cell::number(answer.energy.output_kg_per_million));
    rows.row("power of a chip with its host", "W", |answer| range(answer.energy.wall_power_w));
    rows.row("the same at the power cap", "W", |answer| Cell::number(answer.energy.wall_power_at_cap_w));
}

fn prices(rows: &mut Rows<'_>) {
    rows.least("input", "USD", |answer| answer.tokens.map(|money| money.input_usd));
    rows.least("output", "USD", |answer| answer.tokens.map(|money| money.output_usd));
    rows.least("everything over output", "USD", |answer| {
        answer.tokens.map(|money| money.all_over_output_usd)
    });
}

fn sale(rows: &mut Rows<'_>) {
    let Some(sale) = rows.chips.iter().find_map(|answer| answer.sale) else { return };
    let three = vitruvian_quantity::three;
    rows.table.section(format!(
        "sold at {} and {} USD a million",
        three(sale.input_price_usd),
        three(sale.output_price_usd)
    ));
    let sold =
        |answer: &ServeAnswer, of: fn(&Sale) -> Cell| answer.sale.as_ref().map_or_else(Cell::default, of);
    rows.row("one chip earns", "USD/h", |answer| sold(answer, |sale| Cell::number(sale.usd_per_chip_hour)));
    rows.row("margin over cost", "", |answer| sold(answer, |sale| Cell::from(sale.margin.map(Cell::share))));
    rows.row("hours that must be sold", "", |answer| sold(answer, |sale| never(sale.break_even_utilisation)));
    rows.row("capital is repaid after", "months", |answer| {
        answer.sale.map_or_else(Cell::default, |sale| months(sale.payback_months, answer))
    });
}

fn never(share: Option<f64>) -> Cell {
    share.map_or_else(|| Cell::text("never"), Cell::share)
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
    let mut table = Table::new(columns).title(format!("Renting {}", answer.title));
    for rent in &answer.rents {
        table.row([
            Cell::text(&rent.quoted),
            range(rent.usd_per_chip_hour),
            Cell::number(rent.input_usd),
            Cell::number(rent.output_usd),
            never(rent.break_even_utilisation),
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
    if let Some(hour) = &answer.chip_hour {
        table.section(hour_title(hour));
        table.metric("chip with its share of the server", "USD", [range(hour.capital_usd)]);
        table.metric(
            "capital, network, operations",
            "USD/h",
            [Cell::number(hour.total_usd.p50 - hour.energy_usd)],
        );
        table.metric("electricity", "USD/h", [Cell::number(hour.energy_usd)]);
        table.metric("all", "USD/h", [range(hour.total_usd)]);
    }
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
            never(rent.break_even_utilisation),
            Cell::text(&rent.date),
            Cell::text(&rent.grade),
        ]);
    }
    (!answer.rents.is_empty()).then_some(table)
}
