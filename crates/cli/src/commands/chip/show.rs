//! `vitruvian chip show`: every figure of one chip, and where it comes from.

use schemars::JsonSchema;
use serde::Serialize;
use vitruvian_diagnostics::Diagnostics;
use vitruvian_hardware::catalog::citations;
use vitruvian_hardware::{Chip, Figure};
use vitruvian_quantity::FlopsPerSecond;
use vitruvian_report::{Block, Cell, Column, Page, Row, Table, Tone};

use super::ShowArgs;
use crate::answer::Answer;
use crate::inputs;

/// What `--format json` gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Shown {
    name: String,
    title: String,
    vendor: &'static str,
    architecture: &'static str,
    status: &'static str,
    peaks: Vec<ShownPeak>,
    figures: Vec<ShownFigure>,
    sources: Vec<ShownSource>,
}

/// What the short name of a source stands for.
#[derive(Debug, Serialize, JsonSchema)]
struct ShownSource {
    id: String,
    text: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ShownPeak {
    dtype: String,
    matrix_tflop_per_s: f64,
    sustained_matrix_tflop_per_s: f64,
    vector_tflop_per_s: f64,
    ridge_flop_per_byte: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ShownFigure {
    key: String,
    value: String,
    grade: &'static str,
    source: String,
    note: Option<String>,
    alternatives: Vec<ShownAlternative>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ShownAlternative {
    value: String,
    grade: &'static str,
    source: String,
}

pub(super) fn run(arguments: &ShowArgs) -> Result<Answer, Diagnostics> {
    let parsed = inputs::chip(&arguments.chip)?;
    let shown = shown(&parsed.chip);
    let cited = arguments.sources.then(|| cited(&shown));
    let tables = [figures(&shown, arguments.sources), peaks(&shown)].into_iter().chain(cited);
    let page = Page {
        title: shown.title.clone(),
        subtitle: format!("{} · {} · {} · {}", shown.name, shown.vendor, shown.architecture, shown.status),
        blocks: tables.map(Block::Table).collect(),
        ..Page::default()
    };
    Ok(Answer { doubts: parsed.warnings, ..Answer::new(page, &shown) })
}

fn shown(chip: &Chip) -> Shown {
    Shown {
        name: chip.name.clone(),
        title: chip.title.clone(),
        vendor: chip.vendor.name(),
        architecture: chip.architecture.name(),
        status: chip.status.name(),
        peaks: shown_peaks(chip),
        figures: chip.figures.iter().map(shown_figure).collect(),
        sources: citations(&chip.figures)
            .into_iter()
            .map(|cited| ShownSource { id: cited.id, text: cited.text })
            .collect(),
    }
}

fn shown_peaks(chip: &Chip) -> Vec<ShownPeak> {
    let tera = |rate: FlopsPerSecond| rate.in_unit("TFLOP/s");
    let shown = |peak: vitruvian_hardware::Peak| ShownPeak {
        dtype: peak.dtype.to_string(),
        matrix_tflop_per_s: tera(peak.matrix),
        sustained_matrix_tflop_per_s: tera(peak.sustained),
        vector_tflop_per_s: tera(peak.vector),
        ridge_flop_per_byte: peak.ridge,
    };
    chip.peaks().into_iter().map(shown).collect()
}

fn shown_figure(figure: &Figure) -> ShownFigure {
    let provenance = &figure.provenance;
    let alternatives = provenance.alternatives.iter().map(|other| ShownAlternative {
        value: other.value.clone(),
        grade: other.grade.name(),
        source: other.source.clone(),
    });
    ShownFigure {
        key: figure.key.clone(),
        value: figure.value.clone(),
        grade: provenance.grade.name(),
        source: provenance.source.clone(),
        note: provenance.note.clone(),
        alternatives: alternatives.collect(),
    }
}

/// Keys that the heading shows.
const IN_HEADING: [&str; 4] = ["title", "vendor", "architecture", "status"];

/// One section for each group of keys, in order of first mention: `hbm.capacity` stands under `hbm`.
fn figures(shown: &Shown, sources: bool) -> Table {
    let sourced = sources.then(|| Column::detail("source"));
    let columns = [Column::name("figure"), Column::text("value"), Column::text("grade")];
    let mut table = Table::new(columns.into_iter().chain(sourced));
    let listed: Vec<&ShownFigure> =
        shown.figures.iter().filter(|f| !IN_HEADING.contains(&f.key.as_str())).collect();
    let groups: Vec<&str> = listed.iter().map(|figure| group(figure)).collect();
    for (index, name) in groups.iter().enumerate().filter(|(index, name)| !groups[..*index].contains(name)) {
        table.section(*name);
        let members = listed[index..].iter().filter(|figure| group(figure) == *name);
        members.flat_map(|figure| figure_rows(figure, sources)).for_each(|row| table.push(row));
    }
    if !sources {
        table.note("`--sources` shows where each figure comes from, and what other sources say.");
    }
    table
}

fn group(figure: &ShownFigure) -> &str {
    figure.key.split_once('.').map_or("chip", |(group, _)| group)
}

/// The figure and, with its sources, what others say.
fn figure_rows(figure: &ShownFigure, sources: bool) -> Vec<Row> {
    let others = figure.alternatives.iter().filter(|_| sources).map(alternative_row);
    std::iter::once(figure_row(figure, sources)).chain(others).collect()
}

fn figure_row(figure: &ShownFigure, sources: bool) -> Row {
    let name = figure.key.split_once('.').map_or(figure.key.as_str(), |(_, name)| name);
    let why = figure.note.iter().map(|note| format!("; {note}"));
    let source = std::iter::once(figure.source.clone()).chain(why).collect::<String>();
    let cells = [name, &figure.value, figure.grade].map(Cell::text);
    Row::new(cells.into_iter().chain(sources.then(|| Cell::text(source))))
}

fn alternative_row(other: &ShownAlternative) -> Row {
    Row::new(["  or", &other.value, other.grade, &other.source].map(Cell::text)).tone(Tone::Dim)
}

fn cited(shown: &Shown) -> Table {
    let mut table = Table::new([Column::name("source"), Column::text("stands for")]);
    shown.sources.iter().for_each(|source| table.row([&source.id, &source.text].map(Cell::text)));
    table
}

fn peaks(shown: &Shown) -> Table {
    let mut table = Table::new([
        Column::name("derived"),
        Column::number("matrix", "TFLOP/s"),
        Column::number("sustained", "TFLOP/s"),
        Column::number("vector", "TFLOP/s"),
        Column::number("ridge", "FLOP/B"),
    ]);
    for peak in &shown.peaks {
        let numbers = [
            peak.matrix_tflop_per_s,
            peak.sustained_matrix_tflop_per_s,
            peak.vector_tflop_per_s,
            peak.ridge_flop_per_byte,
        ];
        let numbers = numbers.map(|value| if value > 0.0 { Cell::number(value) } else { Cell::text("–") });
        table.row(std::iter::once(Cell::text(&peak.dtype)).chain(numbers));
    }
    table.note("Dense peaks: cores × FLOP/cycle × clock. Ridge: matrix peak over memory bandwidth.");
    table
}
