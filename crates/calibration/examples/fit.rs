//! Fits profiles to measured tables, or judges the present ones on them.
//!
//! `fit CHIP TABLE…` judges; `fit CHIP --write TABLE…` fits and prints a profile file. Options: `--stack NAME VERSION` for
//! tables that do not name their software, `--copies N` for benchmarks that rotate over N sets of operands, `--family F`,
//! `--source TEXT`, `--rows N` a profile, `--shapes` for errors by shape family.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use vitruvian_calibration::{Options, Table, calibrate, read_csv, read_parquet, validate, write};
use vitruvian_cost::profile::Stack;
use vitruvian_cost::{Costs, Fidelity, Library, Profile, Residency};
use vitruvian_diagnostics::SourceText;
use vitruvian_hardware::catalog;

struct Arguments {
    chip: String,
    tables: Vec<String>,
    fit: bool,
    shapes: bool,
    options: Options,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = arguments()?;
    let chip = catalog::chip(&arguments.chip)?;
    let software = arguments.options.stack.software.clone();
    let library = Library::catalog()?;
    let profiles = library.profiles(&chip, (software != "unstated").then_some(software.as_str()))?;
    let tables = arguments.tables.iter().map(|path| table(path)).collect::<Result<Vec<_>, _>>()?;
    let started = std::time::Instant::now();
    if arguments.fit {
        let calibration = calibrate(&chip, &library, &tables, &arguments.options)?;
        for fit in &calibration.fits {
            let (a, b) = (fit.in_fit, fit.held_out);
            eprintln!(
                "{} {} {}: {} points, in fit mean {:.2} median {:.2} p90 {:.2} %, held out {:.2} {:.2} {:.2} %, bias {:+.3}, sigma {:.3}",
                fit.profile.family,
                fit.profile.precision,
                fit.profile.stack.software,
                a.n,
                a.mean_abs_pct_error,
                a.median_abs_pct_error,
                a.p90_abs_pct_error,
                b.mean_abs_pct_error,
                b.median_abs_pct_error,
                b.p90_abs_pct_error,
                b.mean_log_ratio,
                fit.profile.sigma
            );
        }
        let fitted: Vec<Profile<Vec<f64>>> = calibration.fits.into_iter().map(|fit| fit.profile).collect();
        println!("{}", write::toml(&chip.name, &fitted));
    } else {
        judge(&validate(&Costs::new(&chip, &profiles, Fidelity::Tile), &tables), arguments.shapes);
    }
    eprintln!("{:.2} s", started.elapsed().as_secs_f64());
    Ok(())
}

fn judge(report: &vitruvian_calibration::Report, shapes: bool) {
    for family in &report.families {
        let s = family.score;
        println!(
            "{} {}: n {} mean {:.2} median {:.2} p90 {:.2} % bias {:+.3} within {:.2}",
            family.family,
            family.precision,
            s.n,
            s.mean_abs_pct_error,
            s.median_abs_pct_error,
            s.p90_abs_pct_error,
            s.mean_log_ratio,
            s.share_within_p10_p90
        );
    }
    for (reason, rows) in &report.refused {
        println!("refused {rows}: {reason}");
    }
    for row in &report.worst {
        println!(
            "worst {}:{} {} {} measured {:.1} us predicted {:.1} us ({:+.0} %) {}",
            row.table,
            row.line,
            row.precision,
            row.shape,
            row.measured_us,
            row.predicted_us,
            row.error_pct,
            row.bound
        );
    }
    if shapes {
        let mut by: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for row in &report.rows {
            by.entry(&row.shape).or_default().push(row.error_pct);
        }
        for (shape, errors) in by {
            let n = errors.len() as f64;
            let mean = errors.iter().map(|e| e.abs()).sum::<f64>() / n;
            println!("{shape}: n {n} mean {mean:.1} bias {:+.1}", errors.iter().sum::<f64>() / n);
        }
    }
}

fn table(path: &str) -> Result<Table, Box<dyn Error>> {
    let table = if Path::new(path).extension().is_some_and(|e| e == "parquet") {
        read_parquet(path, std::fs::read(path)?)?
    } else {
        read_csv(&SourceText::new(path, std::fs::read_to_string(path)?))?
    };
    eprintln!("{path}: {:?}, {} rows, skipped {:?}", table.kind, table.measurements.len(), table.skipped);
    Ok(table)
}

fn arguments() -> Result<Arguments, Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let stack = Stack { software: "unstated".to_owned(), version: "unstated".to_owned() };
    let options = Options {
        source: "unstated".to_owned(),
        stack,
        residency: Residency::Cold,
        families: vec![],
        rows: 1500,
    };
    let chip = words.next().ok_or("name a chip")?;
    let mut arguments = Arguments { chip, tables: vec![], fit: false, shapes: false, options };
    while let Some(word) = words.next() {
        let mut next = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--write" => arguments.fit = true,
            "--shapes" => arguments.shapes = true,
            "--stack" => arguments.options.stack = Stack { software: next()?, version: next()? },
            "--copies" => arguments.options.residency = Residency::Rotating { copies: next()?.parse()? },
            "--family" => arguments.options.families.push(next()?.parse()?),
            "--source" => arguments.options.source = next()?,
            "--rows" => arguments.options.rows = next()?.parse()?,
            _ => arguments.tables.push(word),
        }
    }
    Ok(arguments)
}
