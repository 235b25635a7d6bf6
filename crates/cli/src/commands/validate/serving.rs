//! `vitruvian validate serving`: measured serving points against predictions.

use std::path::{Path, PathBuf};

use clap::Args;
use vitruvian::validation::{EngineFit, ServingReport, fit, serving};
use vitruvian_diagnostics::{Diagnostics, SourceText};
use vitruvian_report::{Block, Cell, Column, Page, Table, csv};

use crate::answer::{Answer, OutputFile};
use crate::io;

/// Arguments of `validate serving`.
#[derive(Debug, Args)]
pub(crate) struct ServingArgs {
    /// CSV with a measured point a row
    #[arg(long, value_name = "FILE.csv")]
    table: PathBuf,
    /// Folder of configurations named `org--name.json`; without it, `models` beside the table's folder, then the catalog
    #[arg(long, value_name = "FOLDER")]
    models: Option<PathBuf>,
    /// Write every point with its prediction
    #[arg(long, value_name = "FILE.csv")]
    predictions: Option<PathBuf>,
    /// Fit the engines' host figures to the table and print them, with errors on models left out
    #[arg(long)]
    fit: bool,
}

/// Answers the question.
pub(crate) fn run(arguments: &ServingArgs) -> Result<Answer, Diagnostics> {
    let folder = arguments.models.clone().unwrap_or_else(|| models_beside(&arguments.table));
    let configuration = |path: &str| configuration(&folder, path);
    if arguments.fit {
        let fits = fit(&io::read_text(&arguments.table)?, &configuration)?;
        let page = Page { blocks: vec![Block::Table(figures(&fits))], ..Page::default() };
        return Ok(Answer::new(page, &fits));
    }
    let report = serving(&io::read_text(&arguments.table)?, &configuration)?;
    let predictions = arguments
        .predictions
        .iter()
        .map(|path| OutputFile { path: path.clone(), contents: csv::render(&points(&report)) });
    let page = Page { blocks: vec![Block::Table(errors(&report))], ..Page::default() };
    Ok(Answer { files: predictions.collect(), ..Answer::new(page, &report) })
}

fn models_beside(table: &Path) -> PathBuf {
    table.parent().and_then(Path::parent).unwrap_or(Path::new(".")).join("models")
}

fn configuration(folder: &Path, path: &str) -> Option<SourceText> {
    let file = folder.join(format!("{}.json", path.replace('/', "--")));
    file.is_file().then(|| io::read_text(&file).ok()).flatten()
}

fn figures(fits: &[EngineFit]) -> Table {
    let mut table = Table::new([Column::name("engine"), Column::text("figure"), Column::text("value")])
        .title("Host figures of engines, fitted");
    for fit in fits {
        for figure in &fit.figures {
            table.row([Cell::text(&*fit.engine), Cell::text(figure.key), Cell::text(&*figure.value)]);
        }
        let errors = [("in the fit", fit.fitted), ("models left out", fit.left_out)];
        errors.iter().for_each(|(name, error)| {
            table.note(format!(
                "{}, {} points, {name}: TTFT {:.1} %, TPOT {:.1} % median; sigma {:.3} and {:.3}.",
                fit.engine,
                fit.points,
                error.ttft_median_abs_pct_error,
                error.tpot_median_abs_pct_error,
                error.ttft_sigma,
                error.tpot_sigma
            ));
        });
    }
    table
}

fn errors(report: &ServingReport) -> Table {
    let mut table = Table::new([
        Column::name("points"),
        Column::number("n", ""),
        Column::number("TPOT median", "%"),
        Column::number("mean", "%"),
        Column::number("P90", "%"),
        Column::number("bias", "%"),
        Column::number("TTFT median", "%"),
        Column::number("mean", "%"),
        Column::number("bias", "%"),
    ])
    .title("Absolute error of predicted against measured");
    let all = ("all", report.ttft, report.tpot);
    let groups = report.groups.iter().map(|group| (group.name.as_str(), group.ttft, group.tpot));
    for (name, ttft, tpot) in std::iter::once(all).chain(groups) {
        table.row([
            Cell::text(name),
            Cell::count(tpot.n),
            Cell::number(tpot.median_abs_pct_error),
            Cell::number(tpot.mean_abs_pct_error),
            Cell::number(tpot.p90_abs_pct_error),
            Cell::number(100.0 * tpot.mean_log_ratio),
            Cell::number(ttft.median_abs_pct_error),
            Cell::number(ttft.mean_abs_pct_error),
            Cell::number(100.0 * ttft.mean_log_ratio),
        ]);
    }
    report
        .skipped
        .iter()
        .for_each(|skipped| table.note(format!("{} points skipped: {}.", skipped.count, skipped.reason)));
    table
}

fn points(report: &ServingReport) -> Table {
    let mut table = Table::new([
        Column::name("id"),
        Column::text("group"),
        Column::text("layout"),
        Column::number("isl", "token"),
        Column::number("osl", "token"),
        Column::number("concurrency", ""),
        Column::number("measured TTFT", "ms"),
        Column::number("predicted TTFT", "ms"),
        Column::number("measured TPOT", "ms"),
        Column::number("predicted TPOT", "ms"),
        Column::text("bound"),
    ]);
    for point in &report.points {
        table.row([
            Cell::text(&*point.id),
            Cell::text(&*point.group),
            Cell::text(&*point.layout),
            Cell::integer(point.isl),
            Cell::integer(point.osl),
            Cell::integer(point.concurrency),
            Cell::number(point.measured_ttft_ms),
            Cell::number(point.predicted_ttft_ms),
            Cell::number(point.measured_tpot_ms),
            Cell::number(point.predicted_tpot_ms),
            Cell::text(&*point.bound),
        ]);
    }
    table
}
