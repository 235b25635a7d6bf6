//! Published results: recorded errors hold, mistakes in scenario files are told at their place, open tables meet bounds.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::fs;
use std::path::Path;

use vitruvian::validation::scenarios::{ScenarioReport, scenarios};
use vitruvian::validation::serving;
use vitruvian_diagnostics::SourceText;

/// How far an error may move from the recorded one before someone must say why, in percentage points of the measurement.
const TOLERANCE: f64 = 3.0;

fn folder(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn read(path: &Path) -> SourceText {
    SourceText::new(path.display().to_string(), fs::read_to_string(path).unwrap())
}

fn committed() -> ScenarioReport {
    let mut paths: Vec<_> =
        fs::read_dir(folder("validation")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    scenarios(&paths.iter().map(|path| read(path)).collect::<Vec<_>>()).unwrap()
}

/// A metric has moved if its prediction did by more than the tolerance; a large error by as much in proportion.
fn moved(error: f64, recorded: f64) -> bool {
    (error - recorded).abs() > TOLERANCE * (1.0 + recorded / 100.0).max(1.0)
}

#[test]
fn every_published_error_is_recorded_and_has_not_moved() {
    let report = committed();
    let faults: Vec<String> = report
        .rows
        .iter()
        .filter_map(|row| {
            let error = row.error_pct?;
            match row.recorded_error_pct {
                Some(recorded) if !moved(error, recorded) => None,
                recorded => Some(format!("{} {}: {error:.1} %, recorded {recorded:?}", row.file, row.metric)),
            }
        })
        .collect();
    assert!(faults.is_empty(), "record the new errors and say why in DEVIATIONS.md:\n{}", faults.join("\n"));
}

#[test]
fn a_moved_prediction_is_noticed() {
    assert!(!moved(10.0, 12.0));
    assert!(moved(10.0, 14.0));
    // +150 % is 2.5 times the measurement: 3 % of the prediction are 7.5 points.
    assert!(!moved(156.0, 150.0));
    assert!(moved(159.0, 150.0));
}

/// rivals 3: the published points of one H20.
#[test]
fn the_published_points_of_one_h20_are_reproduced_within_ten_percent() {
    let report = committed();
    for file in ["h20-qwen3-8b-fp8-prefill", "h20-qwen3-8b-fp8-decode", "h20-qwen3-30b-a3b-prefill"] {
        let row = report.rows.iter().find(|row| row.file.contains(file)).unwrap();
        assert!(row.error_pct.unwrap().abs() < 10.0, "{file}: {:?}", row.error_pct);
    }
}

const GOOD: &str = r#"title = "t"
model = "qwen3-8b"
[deployment]
chip = "h20"
[workload]
load = "decode"
input = 100
sequences = 4
"#;

#[test]
fn a_scenario_without_measurement_is_a_question() {
    let report = scenarios(&[SourceText::new("a.toml", GOOD)]).unwrap();
    assert!(report.rows.iter().all(|row| row.measured.is_none() && row.predicted > 0.0));
    assert!(report.groups.is_empty());
}

#[test]
fn mistakes_of_several_files_are_told_at_once_with_their_places() {
    let chip = SourceText::new("chip.toml", GOOD.replace("h20", "h21").replace("qwen3-8b", "qwen3-9b"));
    let key = SourceText::new("key.toml", GOOD.replace("sequences", "sequence"));
    let faults = scenarios(&[chip, key]).unwrap_err().0;
    let lines: Vec<(String, usize)> = faults
        .iter()
        .map(|fault| {
            let label = &fault.labels[0];
            (label.source.name().to_owned(), label.source.line_column(label.span.start).0)
        })
        .collect();
    let place = |file: &str, line| (file.to_owned(), line);
    assert!(lines.contains(&place("chip.toml", 2)), "{lines:?}");
    assert!(lines.contains(&place("chip.toml", 4)), "{lines:?}");
    assert!(lines.iter().any(|(file, _)| file == "key.toml"), "{lines:?}");
}

#[test]
fn a_value_in_another_unit_is_refused() {
    let measured = r#"
[measured]
grade = "A"
split = "heldout"
source_repo = "a/b"
source_commit = "c"
source_path = "d"
tpot = { value = 3, unit = "token/s" }
"#;
    let faults = scenarios(&[SourceText::new("unit.toml", format!("{GOOD}{measured}"))]).unwrap_err();
    assert!(faults.to_string().contains("another unit"), "{faults}");
}

/// Medians of every third point of the open serving table, disaggregated ones with known workers included; the whole table
/// is in docs/validation.md, and its targets (8 % for TPOT, 15 % for TTFT) in DEVIATIONS.md. These bounds keep what was
/// reached.
#[test]
fn the_open_serving_table_stays_as_close_as_it_was() {
    let shared = folder("../shared/data");
    let table = shared.join("serving/h100_h200_serving.csv");
    if !table.is_file() {
        println!("skipped: no table {}", table.display());
        return;
    }
    let configuration = |name: &str| {
        let file = shared.join("models").join(format!("{}.json", name.replace('/', "--")));
        file.is_file().then(|| read(&file))
    };
    let whole = read(&table);
    let (header, rows) = whole.text().split_once('\n').unwrap();
    let third: Vec<&str> = std::iter::once(header).chain(rows.lines().step_by(3)).collect();
    let report = serving::serving(&SourceText::new(whole.name(), third.join("\n")), &configuration).unwrap();
    assert!(report.tpot.n > 240, "{}", report.tpot.n);
    assert!(report.tpot.median_abs_pct_error <= 10.5, "TPOT {}", report.tpot.median_abs_pct_error);
    assert!(report.ttft.median_abs_pct_error <= 18.0, "TTFT {}", report.ttft.median_abs_pct_error);
    assert!(report.groups.iter().any(|group| group.name.ends_with("disaggregated")));
}
