//! `vitruvian validate scenarios`: published results against predictions.

use std::path::PathBuf;

use clap::Args;
use vitruvian::validation::scenarios::{ScenarioReport, ScenarioRow, scenarios};
use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};
use vitruvian_report::{Block, Cell, Column, Page, Table};

use crate::answer::Answer;
use crate::io;

/// Arguments of `validate scenarios`.
#[derive(Debug, Args)]
pub(crate) struct ScenariosArgs {
    /// Scenario files, or folders of them
    #[arg(required = true, value_name = "DIR")]
    paths: Vec<PathBuf>,
}

/// Answers the question.
pub(crate) fn run(arguments: &ScenariosArgs) -> Result<Answer, Diagnostics> {
    let report = scenarios(&files(arguments)?)?;
    let page =
        Page { blocks: vec![Block::Table(rows(&report)), Block::Table(groups(&report))], ..Page::default() };
    Ok(Answer::new(page, &report))
}

fn files(arguments: &ScenariosArgs) -> Result<Vec<SourceText>, Diagnostics> {
    let mut texts = Vec::new();
    for path in &arguments.paths {
        let mut found = io::files_in(path);
        found.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
        found.sort();
        if found.is_empty() {
            return Err(Diagnostic::error("scenario-none", format!("{} holds no scenario", path.display()))
                .help("name a TOML file, or a folder of them")
                .into());
        }
        for file in &found {
            texts.push(io::read_text(file)?);
        }
    }
    Ok(texts)
}

fn rows(report: &ScenarioReport) -> Table {
    let mut table = Table::new([
        Column::name("scenario"),
        Column::text("metric"),
        Column::text("unit"),
        Column::number("measured", ""),
        Column::number("predicted", ""),
        Column::number("error", "%"),
        Column::text("grade"),
        Column::text("split"),
    ])
    .title("Published results");
    report.rows.iter().for_each(|row| table.row(line(row)));
    for refused in &report.refused {
        table.note(format!("{}: no prediction: {}.", refused.file, refused.reason));
    }
    table
}

fn line(row: &ScenarioRow) -> [Cell; 8] {
    let number = |value: Option<f64>| value.map_or(Cell::text(""), Cell::number);
    let spread = (1.2816 * row.sigma).exp();
    [
        Cell::text(&*row.title),
        Cell::text(&*row.metric),
        Cell::text(row.unit),
        number(row.measured),
        Cell::range(row.predicted, row.predicted / spread, row.predicted * spread),
        number(row.error_pct),
        Cell::text(&*row.grade),
        Cell::text(&*row.split),
    ]
}

fn groups(report: &ScenarioReport) -> Table {
    let mut table = Table::new([
        Column::name("chip"),
        Column::text("metric"),
        Column::text("split"),
        Column::number("n", ""),
        Column::number("median", "%"),
        Column::number("mean", "%"),
        Column::number("in P10–P90", ""),
    ])
    .title("Absolute error by chip and metric");
    for group in &report.groups {
        table.row([
            Cell::text(&*group.chip),
            Cell::text(&*group.metric),
            Cell::text(&*group.split),
            Cell::integer(group.errors.n as i64),
            Cell::number(group.errors.median_abs_pct_error),
            Cell::number(group.errors.mean_abs_pct_error),
            Cell::share(group.errors.share_within_p10_p90),
        ]);
    }
    table
}
