//! `vitruvian calibrate`: profiles fitted to a user's own measurements.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use vitruvian_calibration::calibrate::Fit;
use vitruvian_calibration::{Calibration, Options, Score, calibrate, write};
use vitruvian_cost::profile::Stack;
use vitruvian_cost::{Family, Library, Profile, Residency};
use vitruvian_diagnostics::Diagnostics;
use vitruvian_report::{Block, Cell, Column, Page, Table};

use crate::answer::{Answer, OutputFile};
use crate::{inputs, io, tables};

/// Arguments of `calibrate`.
#[derive(Debug, Args)]
pub(crate) struct CalibrateArgs {
    /// The chip that was measured: a name of the catalog, or a TOML file
    #[arg(long, value_name = "CHIP")]
    chip: String,
    /// Measured operator times: CSV or parquet files, or folders of them
    #[arg(long = "table", required = true, num_args = 1.., value_name = "FILE")]
    tables: Vec<PathBuf>,
    /// Write the fitted profiles there, for `--profiles` of other commands
    #[arg(long, value_name = "FILE.toml", required_unless_present = "dry_run")]
    out: Option<PathBuf>,
    /// Print the fit and write nothing
    #[arg(long, conflicts_with = "out")]
    dry_run: bool,
    /// Fit only these operator families: gemm, grouped-gemm, prefill-attention, decode-attention, mla-decode, …
    #[arg(long = "family", value_name = "FAMILY")]
    families: Vec<Family>,
    /// Where the measurements come from, for the profile
    #[arg(long, default_value = "own measurements", value_name = "TEXT")]
    source: String,
    /// Software that was measured, where the tables do not name it
    #[arg(long, default_value = "", value_name = "NAME")]
    software: String,
    /// Its version
    #[arg(long, default_value = "", value_name = "VERSION")]
    software_version: String,
    /// Sets of operands that the benchmark rotated over; without it, the cache was flushed between runs
    #[arg(long, value_name = "N")]
    copies: Option<u32>,
    /// Rows of one profile that a fit looks at: an even selection of more
    #[arg(long, default_value_t = 2000, value_name = "N")]
    rows: usize,
}

/// One fitted profile, as `--format json` gives it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Shown {
    family: &'static str,
    precision: String,
    software: String,
    rows: usize,
    /// Errors on all its rows, in percent.
    in_fit: ShownErrors,
    /// Errors on shape families left out, in percent; none if there are too few families.
    held_out: Option<ShownErrors>,
    /// Relative standard deviation that estimates carry.
    sigma: f64,
    parameters: Vec<ShownParameter>,
}

/// The keys are those of `validate operators`.
#[derive(Debug, Serialize, JsonSchema)]
#[allow(clippy::struct_field_names, reason = "keys of JSON say what they hold")]
struct ShownErrors {
    mean_abs_pct_error: f64,
    median_abs_pct_error: f64,
    p90_abs_pct_error: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ShownParameter {
    name: &'static str,
    unit: &'static str,
    value: f64,
}

/// Fits, and writes or prints.
pub(crate) fn run(arguments: &CalibrateArgs) -> Result<Answer, Diagnostics> {
    let parsed = inputs::chip(&arguments.chip)?;
    let measured = tables::read(&arguments.tables)?;
    let rows: usize = measured.tables.iter().map(|table| table.measurements.len()).sum();
    io::progress(&format!("fitting profiles of {} to {rows} rows", parsed.chip.title));
    let calibration = calibrate(&parsed.chip, &Library::catalog()?, &measured.tables, &options(arguments))?;
    let shown: Vec<Shown> = calibration.fits.iter().map(shown).collect();
    let contents = || toml(&parsed.chip.name, &calibration);
    let files = arguments.out.iter().map(|path| OutputFile { path: path.clone(), contents: contents() });
    let blocks = [errors(&shown), parameters(&shown)].map(Block::Table).to_vec();
    let page = Page { title: format!("Profiles of {}", parsed.chip.title), blocks, ..Page::default() };
    let doubts = parsed.warnings.into_iter().chain(measured.doubts).collect();
    Ok(Answer { doubts, files: files.collect(), ..Answer::new(page, &shown) })
}

fn options(arguments: &CalibrateArgs) -> Options {
    Options {
        source: arguments.source.clone(),
        stack: Stack { software: arguments.software.clone(), version: arguments.software_version.clone() },
        residency: arguments.copies.map_or(Residency::Cold, |copies| Residency::Rotating { copies }),
        families: arguments.families.clone(),
        rows: arguments.rows,
    }
}

fn toml(chip: &str, calibration: &Calibration) -> String {
    let profiles: Vec<Profile<Vec<f64>>> = calibration.fits.iter().map(|fit| fit.profile.clone()).collect();
    write::toml(chip, &profiles)
}

fn shown(fit: &Fit) -> Shown {
    let profile = &fit.profile;
    let parameters = profile.family.parameters().iter().zip(&profile.parameters);
    let parameter = |(declared, value): (&vitruvian_cost::Parameter, &f64)| ShownParameter {
        name: declared.name,
        unit: declared.unit,
        value: *value,
    };
    Shown {
        family: profile.family.name(),
        precision: profile.precision.to_string(),
        software: profile.stack.software.clone(),
        rows: fit.in_fit.n,
        in_fit: shown_errors(&fit.in_fit),
        held_out: (fit.held_out.n > 0).then(|| shown_errors(&fit.held_out)),
        sigma: profile.sigma,
        parameters: parameters.map(parameter).collect(),
    }
}

fn shown_errors(score: &Score) -> ShownErrors {
    ShownErrors {
        mean_abs_pct_error: score.mean_abs_pct_error,
        median_abs_pct_error: score.median_abs_pct_error,
        p90_abs_pct_error: score.p90_abs_pct_error,
    }
}

fn errors(fits: &[Shown]) -> Table {
    let mut table = Table::new([
        Column::name("family"),
        Column::text("precision"),
        Column::text("software"),
        Column::number("rows", ""),
        Column::number("mean in fit", "%"),
        Column::number("mean held out", "%"),
        Column::number("median held out", "%"),
        Column::number("P90 held out", "%"),
        Column::number("sigma", "%"),
    ]);
    for fit in fits {
        let held_out = |error: fn(&ShownErrors) -> f64| Cell::from(fit.held_out.as_ref().map(error));
        table.row([
            Cell::text(fit.family),
            Cell::text(&fit.precision),
            Cell::text(&fit.software),
            Cell::count(fit.rows),
            Cell::number(fit.in_fit.mean_abs_pct_error),
            held_out(|errors| errors.mean_abs_pct_error),
            held_out(|errors| errors.median_abs_pct_error),
            held_out(|errors| errors.p90_abs_pct_error),
            Cell::number(100.0 * fit.sigma),
        ]);
    }
    table.note(
        "Held out: each shape family predicted by a fit to the others. Sigma is what estimates will carry.",
    );
    table
}

fn parameters(fits: &[Shown]) -> Table {
    let mut table =
        Table::new([Column::name("parameter"), Column::number("value", ""), Column::text("unit")]);
    for fit in fits {
        table.section(format!("{} {}", fit.family, fit.precision));
        for parameter in &fit.parameters {
            table.row([
                Cell::text(parameter.name),
                Cell::number(parameter.value),
                Cell::text(parameter.unit),
            ]);
        }
    }
    table
}
