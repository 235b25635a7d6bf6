//! `vitruvian validate operators`: measured operator times against predictions.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vitruvian::present::residuals;
use vitruvian_calibration::exchange;
use vitruvian_calibration::validate::{Judge, Report, Row};
use vitruvian_calibration::{Score, Table as Measured};
use vitruvian_cost::{Fidelity, Library};
use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_hardware::{Chip, catalog};
use vitruvian_network::Library as CollectiveLibrary;
use vitruvian_report::{Block, Cell, Column, Page, Table, csv, html};

use crate::answer::{Answer, OutputFile};
use crate::{inputs, io, tables};

/// Arguments of `validate operators`.
#[derive(Debug, Args)]
pub(crate) struct OperatorsArgs {
    /// The chip that was measured: a name of the catalog, or a TOML file
    #[arg(long, value_name = "CHIP")]
    chip: String,
    /// Measured operator times: CSV or parquet files, or folders of them
    #[arg(long = "table", required = true, num_args = 1.., value_name = "FILE")]
    tables: Vec<PathBuf>,
    /// Profiles of your own, as `calibrate` writes them, in place of the catalog's
    #[arg(long, value_name = "FILE.toml")]
    profiles: Option<PathBuf>,
    /// Software that was measured, where profiles differ by it: vllm, sglang, …
    #[arg(long, value_name = "NAME")]
    software: Option<String>,
    /// How closely kernels are looked at
    #[arg(long, value_enum, default_value_t)]
    fidelity: FidelityArg,
    /// Correct the tile model by what these tables measure: the `measured` fidelity
    #[arg(long, num_args = 1.., value_name = "FILE", conflicts_with = "fidelity")]
    import: Vec<PathBuf>,
    /// Write every row with its prediction
    #[arg(long, value_name = "FILE.csv")]
    predictions: Option<PathBuf>,
    /// Write a page with the residuals of each family drawn over measured time
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// How closely kernels are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum FidelityArg {
    /// Peaks and bandwidth only
    Roofline,
    /// Tiles, waves and fitted profiles
    #[default]
    Tile,
    /// Kernels on the cycle-level Da Vinci core; what has none, by the tile model
    Simulated,
}

/// Answers the question.
pub(crate) fn run(arguments: &OperatorsArgs) -> Result<Answer, Diagnostics> {
    let chip = inputs::chip(&arguments.chip)?;
    let measured = tables::read(&arguments.tables)?;
    let report = report(arguments, &chip.chip, &measured.tables)?;
    let blocks = [errors(&chip.chip, &report), worst(&report)].map(Block::Table).to_vec();
    let page = Page { blocks, ..Page::default() };
    let file = |path: &PathBuf, contents: String| OutputFile { path: path.clone(), contents };
    let predictions = arguments.predictions.iter().map(|path| file(path, csv::render(&rows(&report.rows))));
    let drawn =
        arguments.report.iter().map(|path| file(path, html::render(&drawn(&chip.chip, &page, &report))));
    let files = predictions.chain(drawn).collect();
    let doubts = chip.warnings.into_iter().chain(measured.doubts).collect();
    Ok(Answer { files, doubts, ..Answer::new(page, &report) })
}

/// The tables of the answer and the residuals of each family.
fn drawn(chip: &Chip, page: &Page, report: &Report) -> Page {
    let figures = residuals::figures(report).into_iter().map(Block::Figure);
    let blocks = page.blocks.iter().cloned().chain(figures);
    Page {
        title: format!("Predicted against measured operator times, {}", chip.title),
        blocks: blocks.collect(),
        ..page.clone()
    }
}

/// Kernels by the chip's profiles, collectives by those of its communication library in the node it is sold in.
fn report(arguments: &OperatorsArgs, chip: &Chip, tables: &[Measured]) -> Result<Report, Diagnostics> {
    let mut library = Library::catalog()?;
    if let Some(path) = &arguments.profiles {
        library.add(&io::read_text(path)?)?;
    }
    let import = tables::read(&arguments.import)?.tables;
    let fidelity = if import.is_empty() { arguments.fidelity.into() } else { Fidelity::Measured };
    if !fidelity.fits(chip) {
        let message = format!("{} has no Da Vinci core to simulate", chip.title);
        return Err(Diagnostic::error("fidelity-chip", message).help("use tile, or an Ascend chip").into());
    }
    let software = arguments.software.as_deref();
    let judge = Judge { chip, library: &library, software, fidelity, import: &import };
    let kernels = judge.report(tables)?;
    if tables.iter().all(|table| table.exchanges.is_empty()) {
        return Ok(kernels);
    }
    let node = catalog::node_for(chip)?;
    // With the kernels of every engine: each table says whose it measured.
    let profile = CollectiveLibrary::catalog()?.nearest(chip)?;
    let collectives = exchange::rows(chip, &node, &profile, tables);
    Ok(Report::of(kernels.rows.into_iter().chain(collectives).collect(), kernels.refused))
}

fn errors(chip: &Chip, report: &Report) -> Table {
    let mut table = Table::new([
        Column::name("family"),
        Column::text("precision"),
        Column::number("rows", ""),
        Column::number("mean", "%"),
        Column::number("median", "%"),
        Column::number("P90", "%"),
        Column::number("bias", "%"),
        Column::number("in P10–P90", ""),
    ])
    .title(format!("Absolute error of predicted against measured times, {}", chip.title));
    for family in &report.families {
        table.row(line(family.family, &family.precision, &family.score));
    }
    table.row(line("all", "", &report.score));
    for (reason, rows) in &report.refused {
        table.note(format!("{rows} rows without a prediction: {reason}."));
    }
    table
}

fn line(family: &str, precision: &str, score: &Score) -> [Cell; 8] {
    [
        Cell::text(family),
        Cell::text(precision),
        Cell::count(score.n),
        hundredths(score.mean_abs_pct_error),
        hundredths(score.median_abs_pct_error),
        hundredths(score.p90_abs_pct_error),
        hundredths(100.0 * score.mean_log_ratio.exp_m1()),
        Cell::share(score.share_within_p10_p90),
    ]
}

/// No error is known more closely than to a hundredth of a percent.
fn hundredths(percent: f64) -> Cell {
    Cell::number((percent * 100.0).round() / 100.0)
}

fn worst(report: &Report) -> Table {
    Table { title: Some("Rows that are furthest off".to_owned()), ..rows(&report.worst) }
}

fn rows(rows: &[Row]) -> Table {
    let mut table = Table::new([
        Column::name("table"),
        Column::number("line", ""),
        Column::text("family"),
        Column::text("precision"),
        Column::text("shape"),
        Column::number("measured", "us"),
        Column::number("predicted", "us"),
        Column::number("error", "%"),
        Column::text("bound"),
    ]);
    for row in rows {
        table.row([
            Cell::text(row.table.as_str()),
            Cell::integer(row.line),
            Cell::text(row.family),
            Cell::text(row.precision.as_str()),
            Cell::text(row.shape.as_str()),
            Cell::number(row.measured_us),
            Cell::range(row.predicted_us, row.p10_us, row.p90_us),
            Cell::number(row.error_pct),
            Cell::text(row.bound),
        ]);
    }
    table
}

impl From<FidelityArg> for Fidelity {
    fn from(argument: FidelityArg) -> Self {
        match argument {
            FidelityArg::Roofline => Self::Roofline,
            FidelityArg::Tile => Self::Tile,
            FidelityArg::Simulated => Self::Simulated,
        }
    }
}
