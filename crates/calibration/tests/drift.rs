//! The errors that the catalog's profiles state are those that the code makes, where the tables are at hand.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fs;
use std::path::Path;

use vitruvian_calibration::manifest::Set;
use vitruvian_calibration::validate::{Judge, Report};
use vitruvian_calibration::{Manifest, Table, read_csv, read_parquet};
use vitruvian_cost::{Fidelity, Library, Profile};
use vitruvian_diagnostics::SourceText;
use vitruvian_hardware::{Chip, catalog};

const TABLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/operators");
const LIST: &str = include_str!("../../../catalog/profiles/tables.toml");

/// A stated error may differ from the true one by this much, in percentage points: rounding of the parameters.
const TOLERANCE: f64 = 0.3;
/// Rows of a table that are judged: an even selection keeps the test short.
const ROWS: usize = 4000;

fn read(path: &str) -> Option<Table> {
    let full = Path::new(TABLES).join(path);
    if !full.exists() {
        eprintln!("skipped: no {}", full.display());
        return None;
    }
    let mut table = if path.ends_with(".parquet") {
        read_parquet(path, fs::read(full).unwrap()).unwrap()
    } else {
        read_csv(&SourceText::new(path, fs::read_to_string(full).unwrap())).unwrap()
    };
    let step = table.measurements.len().div_ceil(ROWS).max(1);
    table.measurements = table.measurements.into_iter().step_by(step).collect();
    Some(table)
}

fn report(chip: &Chip, library: &Library, software: Option<&str>, tables: &[Table]) -> Report {
    Judge { chip, library, software, fidelity: Fidelity::Tile, import: &[] }.report(tables).unwrap()
}

/// Profiles fitted to exactly these tables: all tables of a set, so that a CSV set is judged on all of its rows.
fn drifts(set: &Set, tables: &[Table]) -> Vec<String> {
    let (chip, library) = (catalog::chip(&set.chip).unwrap(), Library::catalog().unwrap());
    let software = set.stack.as_ref().map(|stack| stack.software.as_str());
    let families = report(&chip, &library, software, tables).families;
    let drift = |profile: &Profile<Vec<f64>>| {
        let precision = profile.precision.to_string();
        let alike =
            families.iter().find(|f| f.family == profile.family.name() && f.precision == precision)?;
        let (stated, found) = (100.0 * profile.in_fit?.mean, alike.score.mean_abs_pct_error);
        let far = (stated - found).abs() > TOLERANCE;
        far.then(|| {
            format!("{} {} {precision}: stated {stated:.2} %, is {found:.2} %", profile.chip, profile.family)
        })
    };
    let own = library.own(&chip.name).filter(|profile| software == Some(profile.stack.software.as_str()));
    own.filter(|profile| profile.points > 0).filter_map(drift).collect()
}

#[test]
fn profiles_state_their_true_error() {
    let manifest = Manifest::read(&SourceText::new("tables.toml", LIST)).unwrap();
    let csv = |set: &&Set| {
        set.tables.iter().all(|table| std::path::Path::new(table).extension().is_some_and(|end| end == "csv"))
    };
    for set in manifest.set.iter().filter(csv) {
        let Some(tables) = set
            .tables
            .iter()
            .map(|path| read(path).map(|table| set.judged(table)))
            .collect::<Option<Vec<_>>>()
        else {
            continue;
        };
        let drifts = drifts(set, &tables);
        assert!(drifts.is_empty(), "refit, or say in DEVIATIONS.md why:\n{}", drifts.join("\n"));
    }
}

#[test]
fn an_imported_table_is_worth_more_than_the_tile_model() {
    let (chip, library) = (catalog::chip("h20").unwrap(), Library::catalog().unwrap());
    let Some(table) = read("h20/gemm.csv") else { return };
    // Every fourth row is judged with the other three imported.
    let part = |wanted: fn(usize) -> bool| {
        let rows = table.measurements.iter().enumerate().filter(|(index, _)| wanted(*index));
        Table { measurements: rows.map(|(_, row)| row.clone()).collect(), ..table.clone() }
    };
    let (import, judged) = (part(|index| index % 4 != 1), part(|index| index % 4 == 1));
    let judge = |fidelity| {
        let import = std::slice::from_ref(&import);
        let judge = Judge { chip: &chip, library: &library, software: None, fidelity, import };
        judge.report(std::slice::from_ref(&judged)).unwrap().score
    };
    let (tile, measured) = (judge(Fidelity::Tile), judge(Fidelity::Measured));
    assert!(
        measured.mean_abs_pct_error < tile.mean_abs_pct_error && measured.share_within_p10_p90 > 0.7,
        "{tile:?} {measured:?}"
    );
}
