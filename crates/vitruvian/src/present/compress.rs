//! The answer of `compress` as tables.

use vitruvian_report::{
    Axis, Block, Cell, Column, Figure, Mark, Page, Plot, Point, Row, Series, Table, Tone, Xy,
};

use super::range;
use crate::compress::answer::{ChipTrade, CompressAnswer, MixAnswer, SchemeAnswer, SchemeTrade};

/// The trade, then quality, then mixes, then what is slower and why.
pub fn page(answer: &CompressAnswer) -> Page {
    let mut blocks = vec![Block::Table(trade(answer)), Block::Table(quality(answer))];
    if answer.chips.iter().any(|chip| !chip.mixes.is_empty()) {
        blocks.push(Block::Table(mixes(answer)));
    }
    blocks.extend(slower(answer).map(Block::Table));
    Page { title: format!("Compressing {}", answer.checkpoint.name), blocks, ..Page::default() }
}

/// The same as a page that stands for itself, with a figure.
pub fn report(answer: &CompressAnswer) -> Page {
    let mut page = page(answer);
    page.subtitle = title(answer);
    page.blocks.insert(1, Block::Figure(figure(answer)));
    page.footer = vec![format!("Vitruvian {}. {}", env!("CARGO_PKG_VERSION"), answer.protocol)];
    page
}

/// Money against error, one colour a chip.
fn figure(answer: &CompressAnswer) -> Figure {
    let measured = is_measured(answer);
    let error = |scheme: &SchemeAnswer| if measured { scheme.divergence_nats } else { scheme.sqnr_db };
    let point = |(quality, scheme): (&SchemeAnswer, &SchemeTrade)| {
        let cost = scheme.deployment.as_ref()?.cost_per_million_output_usd?;
        Some(Point::new(error(quality)?, cost.p50).label(&*scheme.scheme))
    };
    let series = answer.chips.iter().map(|chip| {
        let points = answer.schemes.iter().zip(&chip.schemes).filter_map(point);
        Series::new(&*chip.title, Mark::Points, points)
    });
    let x = if measured { Axis::linear("divergence", "nat/token") } else { Axis::linear("SQNR", "dB") };
    let y = Axis::linear("10⁶ output tokens", "USD");
    let plot = Xy { x, y, series: series.collect(), rules: Vec::new() };
    let better = if measured { "further left loses less" } else { "further right loses less" };
    Figure::new(
        "Money against error",
        format!(
            "One mark a scheme and chip: lower is cheaper, {better}. 16 bits lose nothing and are left out."
        ),
        Plot::Xy(plot),
    )
}

/// Every scheme on every chip.
pub fn trade(answer: &CompressAnswer) -> Table {
    let measured = is_measured(answer);
    let quality =
        if measured { Column::number("divergence", "nat/token") } else { Column::number("SQNR", "dB") };
    let mut table = Table::new([
        Column::name("scheme"),
        Column::text("front"),
        quality,
        Column::text("deployment"),
        Column::number("weights", "GB"),
        Column::number("TTFT", "ms"),
        Column::number("TPOT", "ms"),
        Column::number("output", "token/s"),
        Column::number("against 16 bits", "×"),
        Column::number("energy", "J/token"),
        Column::number("10⁶ output tokens", "USD"),
    ]);
    table = table.title(title(answer));
    for chip in &answer.chips {
        table.section(format!("{}, {}", chip.title, chip.engine));
        for (quality, scheme) in answer.schemes.iter().zip(&chip.schemes) {
            table.push(line(measured, quality, scheme));
        }
    }
    notes(&mut table, answer);
    table
}

fn title(answer: &CompressAnswer) -> String {
    let question = &answer.question;
    let target =
        |name: &str, time: Option<f64>| time.map_or(String::new(), |time| format!(", {name} ≤ {time} ms"));
    format!(
        "{}: {} chips, {} + {} tokens{}{}",
        question.model,
        question.chips,
        question.input_tokens,
        question.output_tokens,
        target("TTFT", question.ttft_ms),
        target("TPOT", question.tpot_ms)
    )
}

fn is_measured(answer: &CompressAnswer) -> bool {
    answer.schemes.iter().any(|scheme| scheme.perplexity.is_some())
}

fn line(measured: bool, quality: &SchemeAnswer, scheme: &SchemeTrade) -> Row {
    let error = if measured { quality.divergence_nats } else { quality.sqnr_db };
    let front = if scheme.on_front { "●" } else { "" };
    let name = [Cell::text(&*scheme.scheme), Cell::text(front), error.into()];
    let Some(deployment) = &scheme.deployment else {
        let why = if scheme.refused.is_some() { "cannot run" } else { "misses the targets" };
        let why = Cell::text(why).tone(Tone::Bad);
        return Row::new(name.into_iter().chain([why]));
    };
    let slower = scheme.speedup.is_some_and(|speedup| speedup < 1.0);
    let speedup = Cell::from(scheme.speedup);
    let rest = [
        Cell::text(format!("{} × {}, batch {}", deployment.layout, deployment.replicas, deployment.batch)),
        Cell::number(deployment.weights_gb),
        Cell::number(deployment.ttft_ms.p50),
        Cell::number(deployment.tpot_ms.p50),
        range(deployment.output_tokens_per_s),
        if slower { speedup.tone(Tone::Bad) } else { speedup },
        Cell::number(deployment.energy_per_token_j.p50),
        Cell::from(deployment.cost_per_million_output_usd.map(|cost| cost.p50)),
    ];
    Row::new(name.into_iter().chain(rest))
}

/// What chips cannot run, what they do instead, how quality was measured.
fn notes(table: &mut Table, answer: &CompressAnswer) {
    table.note("● on the front: no other scheme on this chip has less error and costs less");
    for chip in &answer.chips {
        for scheme in &chip.schemes {
            let refused = scheme.refused.iter().map(|what| format!("{}: {what}", scheme.scheme));
            let misses = scheme
                .misses
                .iter()
                .map(|what| format!("{} on {}: closest is {what}", scheme.scheme, chip.title));
            refused.chain(misses).chain(scheme.notes.iter().cloned()).for_each(|note| table.note(note));
        }
    }
    answer.notes.iter().for_each(|note| table.note(note.clone()));
}

/// What each scheme loses.
pub fn quality(answer: &CompressAnswer) -> Table {
    let measured = is_measured(answer);
    let mut columns = vec![
        Column::name("scheme"),
        Column::number("weight", "bit"),
        Column::number("checkpoint", "GB"),
        Column::number("SQNR", "dB"),
    ];
    if measured {
        columns.extend([
            Column::number("output error", "%"),
            Column::number("perplexity", ""),
            Column::number("same token", "%"),
            Column::number("divergence", "nat/token"),
        ]);
    }
    columns.push(Column::detail("worst layer"));
    let mut table = Table::new(columns).title("Quality");
    for scheme in &answer.schemes {
        let mut cells = vec![
            Cell::text(&*scheme.scheme),
            Cell::number(scheme.bits_per_weight),
            Cell::number(scheme.checkpoint_bytes / 1e9),
            scheme.sqnr_db.into(),
        ];
        if measured {
            let percent = |share: Option<f64>| Cell::from(share.map(|share| 100.0 * share));
            cells.extend([
                percent(scheme.output_error),
                scheme.perplexity.into(),
                percent(scheme.same_token),
                scheme.divergence_nats.into(),
            ]);
        }
        cells.push(Cell::text(scheme.worst_layer.clone().unwrap_or_default()));
        table.row(cells);
    }
    if let Some(other) = &answer.against {
        let mut cells = vec![
            Cell::text(&*other.layout),
            Cell::default(),
            Cell::number(other.checkpoint_bytes as f64 / 1e9),
        ];
        cells.push(other.sqnr_db.into());
        cells.extend(vec![Cell::default(); if measured { 4 } else { 0 }]);
        cells.push(Cell::text(other.worst_layer.clone().unwrap_or_default()));
        table.row(cells);
        table.note(format!(
            "{}: {}, {} layers held against the original",
            other.layout, other.name, other.layers
        ));
    }
    let sizes = &answer.checkpoint;
    table.note(format!(
        "{}: {} of {} parameters lie in {} linear layers; the others stay in 16 bits",
        sizes.name, sizes.linear_parameters, sizes.parameters, sizes.linear_layers
    ));
    table.note(answer.protocol.clone());
    table
}

/// Layers in different schemes.
pub fn mixes(answer: &CompressAnswer) -> Table {
    let mut table = Table::new([
        Column::name("of the saving"),
        Column::number("decode step", "ms"),
        Column::number("error", ""),
        Column::number("one scheme for all", ""),
        Column::text("which"),
        Column::text("groups of layers"),
    ])
    .title("Mixed layers: least error within a time");
    for chip in answer.chips.iter().filter(|chip| !chip.mixes.is_empty()) {
        table.section(section(chip));
        for mix in &chip.mixes {
            table.row(mix_line(mix));
        }
    }
    table.note("error: sum over groups of layers of the relative squared error; a group is what one product computes");
    table
}

fn section(chip: &ChipTrade) -> String {
    match &chip.common_point {
        Some(point) => format!("{} at {point}", chip.title),
        None => chip.title.clone(),
    }
}

fn mix_line(mix: &MixAnswer) -> [Cell; 6] {
    let counts: Vec<String> =
        mix.counts.iter().map(|count| format!("{} {}", count.groups, count.scheme)).collect();
    [
        Cell::text(format!("{:.0} %", 100.0 * mix.saving)),
        Cell::number(mix.decode_step_ms),
        Cell::number(mix.error),
        mix.uniform_error.into(),
        Cell::text(mix.uniform_scheme.clone().unwrap_or_default()),
        Cell::text(counts.join(", ")),
    ]
}

/// Where 16 bits are faster at the same point, and why.
fn slower(answer: &CompressAnswer) -> Option<Table> {
    let columns = [
        Column::name("scheme"),
        Column::text("step"),
        Column::number("time", "ms"),
        Column::number("in 16 bits", "ms"),
        Column::detail("what takes longer"),
    ];
    let mut table = Table::new(columns).title("Slower than 16 bits");
    for chip in &answer.chips {
        let all =
            chip.schemes.iter().flat_map(|scheme| scheme.slower.iter().map(move |slower| (scheme, slower)));
        for (index, (scheme, slower)) in all.enumerate() {
            if index == 0 {
                table.section(section(chip));
            }
            table.row([
                Cell::text(&*scheme.scheme),
                Cell::text(&*slower.phase),
                Cell::number(slower.step_ms),
                Cell::number(slower.plain_step_ms),
                Cell::text(slower.why.join("; ")),
            ]);
        }
    }
    (table.rows().count() > 0).then_some(table)
}
