//! Fits the collective profiles of `catalog/profiles/collectives` to the tables that its `tables.toml` lists:
//! `refit_collectives FOLDER [--dry-run]`, where FOLDER holds the operator tables.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use vitruvian_calibration::exchange::{Fitted, Measured, calibrate, write};
use vitruvian_calibration::{Table, read_parquet};
use vitruvian_hardware::{Chip, Node, catalog};
use vitruvian_network::Library;

const CATALOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/profiles/collectives");

#[derive(Deserialize)]
struct Job {
    head: String,
    chips: Vec<Source>,
}

#[derive(Deserialize)]
struct Source {
    chip: String,
    node: String,
    tables: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(words.first().ok_or("name the folder of operator tables")?);
    let jobs: BTreeMap<String, Job> = toml::from_str(&fs::read_to_string(format!("{CATALOG}/tables.toml"))?)?;
    for (name, job) in &jobs {
        let path = format!("{CATALOG}/{name}.toml");
        let text = refit(folder, job, &fs::read_to_string(&path)?)?;
        if !words.iter().any(|word| word == "--dry-run") {
            fs::write(&path, text)?;
        }
    }
    Ok(())
}

fn refit(folder: &Path, job: &Job, present: &str) -> Result<String, Box<dyn Error>> {
    let read: Vec<Place> = job.chips.iter().map(|source| read(folder, source)).collect::<Result<_, _>>()?;
    let measured: Vec<Measured> = read
        .iter()
        .map(|(chip, node, tables)| Measured {
            chip,
            node,
            exchanges: tables.iter().flat_map(|table| &table.exchanges).collect(),
        })
        .collect();
    let start = Library::catalog()?.nearest(measured.first().ok_or("a job without chips")?.chip)?;
    let fitted = calibrate(&start, &measured);
    report(&fitted);
    let answers_for =
        toml::from_str::<toml::Table>(present)?.remove("answers_for").ok_or("no [answers_for]")?;
    Ok(write::toml(&job.head, &answers_for.try_into()?, &fitted.profile))
}

fn read(folder: &Path, source: &Source) -> Result<Place, Box<dyn Error>> {
    let tables = source.tables.iter().map(|path| -> Result<Table, Box<dyn Error>> {
        Ok(read_parquet(path, fs::read(folder.join(path))?)?)
    });
    Ok((catalog::chip(&source.chip)?, catalog::node(&source.node)?, tables.collect::<Result<_, _>>()?))
}

/// A chip in a node, and what was measured there; owned, so that measurements can borrow from it.
type Place = (Chip, Node, Vec<Table>);

fn report(fitted: &Fitted) {
    for path in &fitted.paths {
        println!(
            "{}: {} points, in fit {:.2} %",
            path.path.name(),
            path.in_fit.n,
            path.in_fit.mean_abs_pct_error
        );
        for (part, score) in &path.held_out {
            println!(
                "  held out, {part}: mean {:.2} median {:.2} p90 {:.2} % bias {:+.3}",
                score.mean_abs_pct_error,
                score.median_abs_pct_error,
                score.p90_abs_pct_error,
                score.mean_log_ratio
            );
        }
    }
}
