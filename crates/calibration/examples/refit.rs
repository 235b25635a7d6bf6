//! Fits the profiles of `catalog/profiles` to the tables that `tables.toml` lists: `refit FOLDER [--chip C] [--family F]…`.
//! `--page FILE` writes the accuracy page; `--no-fit` leaves the profiles as they are.
//!
//! Profiles of families, precisions or software that were not fitted again stay as they are.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::path::Path;

use vitruvian_calibration::accuracy::{self, Section};
use vitruvian_calibration::manifest::Set;
use vitruvian_calibration::validate::Judge;
use vitruvian_calibration::{
    Calibration, Manifest, Options, Score, Table, calibrate, read_csv, read_parquet, write,
};
use vitruvian_cost::profile::file;
use vitruvian_cost::{Family, Fidelity, Library, Profile};
use vitruvian_diagnostics::SourceText;
use vitruvian_hardware::catalog;

const PROFILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/profiles");

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let folder = words.first().ok_or("name the folder of measured tables")?;
    let families =
        after(&words, "--family").map(|family| family.parse()).collect::<Result<Vec<Family>, _>>()?;
    let chips: Vec<&String> = after(&words, "--chip").collect();
    let manifest = Manifest::read(&source(&format!("{PROFILES}/tables.toml"))?)?;
    let wanted = |set: &&Set| chips.is_empty() || chips.contains(&&set.chip);
    for set in manifest.set.iter().filter(wanted).filter(|_| !words.iter().any(|word| word == "--no-fit")) {
        refit(folder, set, &families)?;
    }
    match after(&words, "--page").next() {
        Some(path) => Ok(std::fs::write(path, page(folder, &manifest)?)?),
        None => Ok(()),
    }
}

/// The library as it stands on disk, not as it was embedded.
fn library(chip: &str) -> Result<(Library, String), Box<dyn Error>> {
    let mut library = Library::catalog()?;
    let path = format!("{PROFILES}/{chip}.toml");
    if Path::new(&path).exists() {
        library.add(&source(&path)?)?;
    }
    Ok((library, path))
}

fn refit(folder: &str, set: &Set, families: &[Family]) -> Result<(), Box<dyn Error>> {
    let started = std::time::Instant::now();
    let chip = catalog::chip(&set.chip)?;
    let (library, path) = library(&chip.name)?;
    let options = Options { families: families.to_vec(), ..set.options() };
    let calibration = calibrate(&chip, &library, &tables(folder, set)?, &options)?;
    tell(&chip.name, &calibration, started.elapsed().as_secs_f64());
    save(&path, &chip.name, calibration)
}

fn tables(folder: &str, set: &Set) -> Result<Vec<Table>, Box<dyn Error>> {
    set.tables.iter().map(|table| Ok(set.judged(read(&format!("{folder}/{table}"))?))).collect()
}

/// A section for each chip and software, in the order of the list.
fn page(folder: &str, manifest: &Manifest) -> Result<String, Box<dyn Error>> {
    let mut groups: Vec<((String, String), Vec<Table>)> = Vec::new();
    for set in &manifest.set {
        for table in tables(folder, set)? {
            let named = table.software().map(|software| software.name.clone());
            let software = named.or_else(|| set.stack.as_ref().map(|stack| stack.software.clone()));
            let key = (set.chip.clone(), software.unwrap_or_default());
            match groups.iter_mut().find(|(other, _)| *other == key) {
                Some((_, tables)) => tables.push(table),
                None => groups.push((key, vec![table])),
            }
        }
    }
    let order = |chip: &str| manifest.set.iter().position(|set| set.chip == chip);
    groups.sort_by_key(|((chip, _), _)| order(chip));
    let sections = groups.iter().map(|((chip, software), tables)| section(chip, software, tables));
    Ok(accuracy::page(manifest, &sections.collect::<Result<Vec<_>, _>>()?))
}

fn section(name: &str, software: &str, tables: &[Table]) -> Result<Section, Box<dyn Error>> {
    let chip = catalog::chip(name)?;
    let (library, _) = library(name)?;
    let judge = |library: &Library, fidelity: Fidelity| {
        Judge { chip: &chip, library, software: Some(software), fidelity, import: &[] }.report(tables)
    };
    let simulated = Fidelity::Simulated.fits(&chip).then(|| judge(&library, Fidelity::Simulated));
    let fitted: Vec<_> =
        library.own(name).filter(|profile| profile.stack.software == software).cloned().collect();
    let version = fitted.first().map(|profile| profile.stack.version.clone()).unwrap_or_default();
    Ok(Section {
        title: format!("{}, {software} {version}", chip.title),
        profiles: fitted,
        own: judge(&library, Fidelity::Tile)?,
        borrowed: judge(&library.without(name), Fidelity::Tile)?,
        simulated: simulated.transpose()?,
    })
}

/// The words that follow an option, each time it is given.
fn after<'a>(words: &'a [String], option: &'static str) -> impl Iterator<Item = &'a String> {
    words.iter().zip(words.iter().skip(1)).filter(move |(word, _)| *word == option).map(|(_, value)| value)
}

fn tell(chip: &str, calibration: &Calibration, seconds: f64) {
    for fit in &calibration.fits {
        println!(
            "{chip} {} {} {}: {} points, in fit {}, held out {}, sigma {:.3}",
            fit.profile.family,
            fit.profile.precision,
            fit.profile.stack.software,
            fit.in_fit.n,
            told(&fit.in_fit),
            told(&fit.held_out),
            fit.profile.sigma
        );
    }
    println!("{chip}: {seconds:.1} s");
}

/// Mean, median and 90th percentile; nothing where one family of shapes has nothing to be held out by.
fn told(score: &Score) -> String {
    let Score { mean_abs_pct_error, median_abs_pct_error, p90_abs_pct_error, .. } = score;
    match score.n {
        0 => "nothing".to_owned(),
        _ => format!("{mean_abs_pct_error:.2} {median_abs_pct_error:.2} {p90_abs_pct_error:.2} %"),
    }
}

fn save(path: &str, chip: &str, calibration: Calibration) -> Result<(), Box<dyn Error>> {
    let mut profiles = if Path::new(path).exists() { file::read(&source(path)?)? } else { Vec::new() };
    for fit in calibration.fits {
        let same = |old: &&mut Profile<Vec<f64>>| {
            let stack = old.points == 0 || old.stack.software == fit.profile.stack.software;
            (old.family, old.precision) == (fit.profile.family, fit.profile.precision) && stack
        };
        match profiles.iter_mut().find(same) {
            Some(old) => *old = fit.profile,
            None => profiles.push(fit.profile),
        }
    }
    Ok(std::fs::write(path, write::toml(chip, &profiles))?)
}

fn source(path: &str) -> Result<SourceText, Box<dyn Error>> {
    Ok(SourceText::new(path, std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?))
}

fn read(path: &str) -> Result<Table, Box<dyn Error>> {
    if Path::new(path).extension().is_some_and(|extension| extension == "parquet") {
        return Ok(read_parquet(path, std::fs::read(path).map_err(|error| format!("{path}: {error}"))?)?);
    }
    Ok(read_csv(&source(path)?)?)
}
