//! Draws the residuals of every family that misses its target, one SVG each: `residual_plots FOLDER_OF_TABLES OUT`.
//!
//! The rows are those of `docs/accuracy.md`, predicted by the profiles of the catalog.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use vitruvian::present::residuals;
use vitruvian_calibration::accuracy::plot_name;
use vitruvian_calibration::manifest::Set;
use vitruvian_calibration::validate::{Judge, Row};
use vitruvian_calibration::{Manifest, Table, read_csv, read_parquet};
use vitruvian_cost::{Fidelity, Library, Profile};
use vitruvian_diagnostics::SourceText;
use vitruvian_hardware::catalog;
use vitruvian_report::svg;

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/profiles/tables.toml");
/// Points of a figure in a repository.
const MOST: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, out] = &words[..] else { return Err("residual_plots FOLDER_OF_TABLES OUT".into()) };
    let manifest = Manifest::read(&SourceText::new(MANIFEST, std::fs::read_to_string(MANIFEST)?))?;
    let library = Library::catalog()?;
    std::fs::create_dir_all(out)?;
    let mut chips: Vec<&str> = manifest.set.iter().map(|set| set.chip.as_str()).collect();
    chips.dedup();
    for chip in chips {
        let missed: Vec<_> = library.own(chip).filter(|profile| manifest.misses(profile)).collect();
        if missed.is_empty() {
            continue;
        }
        let rows = rows(folder, chip, &manifest, &library)?;
        for profile in missed {
            draw(
                Path::new(out),
                chip,
                profile,
                rows.get(&profile.stack.software).map_or(&[][..], Vec::as_slice),
            )?;
        }
    }
    Ok(())
}

/// All rows of a chip's tables, by the software that was measured.
fn rows(
    folder: &str,
    chip: &str,
    manifest: &Manifest,
    library: &Library,
) -> Result<BTreeMap<String, Vec<Row>>, Box<dyn Error>> {
    let mut rows = BTreeMap::<String, Vec<Row>>::new();
    let chip = catalog::chip(chip)?;
    for set in manifest.set.iter().filter(|set| set.chip == chip.name) {
        for path in &set.tables {
            let table = set.judged(read(&format!("{folder}/{path}"))?);
            let software = software(set, &table);
            let judge = Judge {
                chip: &chip,
                library,
                software: Some(&software),
                fidelity: Fidelity::Tile,
                import: &[],
            };
            let report = judge.report(&[table])?;
            rows.entry(software).or_default().extend(report.rows);
        }
    }
    Ok(rows)
}

fn software(set: &Set, table: &Table) -> String {
    let named = table.software().map(|software| software.name.clone());
    named.or_else(|| set.stack.as_ref().map(|stack| stack.software.clone())).unwrap_or_default()
}

fn read(path: &str) -> Result<Table, Box<dyn Error>> {
    if Path::new(path).extension().is_some_and(|extension| extension == "parquet") {
        return Ok(read_parquet(path, std::fs::read(path)?)?);
    }
    Ok(read_csv(&SourceText::new(path, std::fs::read_to_string(path)?))?)
}

fn draw(out: &Path, chip: &str, profile: &Profile<Vec<f64>>, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let (family, precision) = (profile.family.name(), profile.precision.to_string());
    let own = rows.iter().filter(|row| row.family == family && row.precision == precision);
    let title = format!("{family} {precision} on {chip}, {}", profile.stack.software);
    let figure = residuals::figure(&title, own.collect(), MOST);
    let path = out.join(format!("{}.svg", plot_name(profile)));
    Ok(std::fs::write(path, svg::document(&figure))?)
}
