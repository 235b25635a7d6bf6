//! Fits the profiles of `catalog/profiles` to the tables that `tables.toml` lists: `refit FOLDER [--chip C] [--family F]…`.
//! `--page FILE` writes the accuracy page; `--no-fit` leaves the profiles as they are.
//!
//! Profiles of families, precisions or software that were not fitted again stay as they are.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::path::Path;

use vitruvian_calibration::accuracy::{self, Section};
use vitruvian_calibration::manifest::Set;
use vitruvian_calibration::{
    Calibration, Manifest, Options, Table, calibrate, read_csv, read_parquet, validate, write,
};
use vitruvian_cost::profile::file;
use vitruvian_cost::{Costs, Family, Fidelity, Library, Profile, ProfileSet};
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
    set.tables.iter().map(|table| read(&format!("{folder}/{table}"))).collect()
}

/// A section for each chip, in the order of the list.
fn page(folder: &str, manifest: &Manifest) -> Result<String, Box<dyn Error>> {
    let mut chips: Vec<&str> = manifest.set.iter().map(|set| set.chip.as_str()).collect();
    chips.dedup();
    let sections =
        chips.into_iter().map(|chip| section(folder, manifest, chip)).collect::<Result<Vec<_>, _>>()?;
    Ok(accuracy::page(manifest, &sections))
}

fn section(folder: &str, manifest: &Manifest, name: &str) -> Result<Section, Box<dyn Error>> {
    let chip = catalog::chip(name)?;
    let (library, _) = library(name)?;
    let sets = manifest.set.iter().filter(|set| set.chip == name);
    let tables = sets.map(|set| tables(folder, set)).collect::<Result<Vec<_>, _>>()?.concat();
    let judge = |profiles: &ProfileSet| validate(&Costs::new(&chip, profiles, Fidelity::Tile), &tables);
    let own = judge(&library.profiles(&chip, None)?);
    let borrowed = judge(&library.without(name).profiles(&chip, None)?);
    Ok(Section { title: chip.title.clone(), profiles: library.own(name).cloned().collect(), own, borrowed })
}

/// The words that follow an option, each time it is given.
fn after<'a>(words: &'a [String], option: &'static str) -> impl Iterator<Item = &'a String> {
    words.iter().zip(words.iter().skip(1)).filter(move |(word, _)| *word == option).map(|(_, value)| value)
}

fn tell(chip: &str, calibration: &Calibration, seconds: f64) {
    for fit in &calibration.fits {
        let (a, b) = (fit.in_fit, fit.held_out);
        println!(
            "{chip} {} {} {}: {} points, in fit {:.2} {:.2} {:.2} %, held out {:.2} {:.2} {:.2} %, sigma {:.3}",
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
            fit.profile.sigma
        );
    }
    println!("{chip}: {seconds:.1} s");
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
