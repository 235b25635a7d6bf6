//! Fits on rows whose truth is known.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use vitruvian_calibration::calibrate::{Options, calibrate};
use vitruvian_calibration::cross;
use vitruvian_calibration::fit::{Effort, Problem, fit};
use vitruvian_calibration::measurement::{Measurement, Slot};
use vitruvian_calibration::residuals::residuals;
use vitruvian_calibration::score::Score;
use vitruvian_calibration::table::Table;
use vitruvian_calibration::validate::{predict, validate};
use vitruvian_calibration::{reader, write};
use vitruvian_cost::profile::{Stack, file};
use vitruvian_cost::{Costs, Family, Fidelity, Library, Precision, ProfileSet, Residency};
use vitruvian_diagnostics::SourceText;
use vitruvian_hardware::{Chip, catalog};
use vitruvian_model::Operator;
use vitruvian_model::operator::{VectorKind, VectorOp};
use vitruvian_quantity::{Dtype, Seconds};

const SLOT: Slot = Slot { family: Family::Vector, precision: Precision::VECTOR };

/// A chip, its priors, and the same with other vector parameters: the truth that rows are drawn from.
fn world() -> (Chip, ProfileSet, ProfileSet) {
    let chip = catalog::chip("h200-sxm").unwrap();
    let priors = Library::catalog().unwrap().priors().profiles(&chip, None).unwrap();
    let mut own = priors.profile(Family::Vector, Precision::VECTOR);
    own.chip.clone_from(&chip.name);
    let mut given = priors.clone();
    given.place(&own);
    let mut truth = given.clone();
    truth.set(Family::Vector, Precision::VECTOR, &[3.0, 0.5, 25.0, 2.0, 0.6, 0.7, 0.9, 3.0]);
    (chip, given, truth)
}

/// Rows of a truth, each time multiplied by a factor of its row number.
fn rows(chip: &Chip, truth: &ProfileSet, factor: impl Fn(u32) -> f64) -> Vec<Measurement> {
    let costs = Costs::new(chip, truth, Fidelity::Tile);
    let shapes = (0..14u32).flat_map(|power| (0..8u32).map(move |step| (1 << power, 512 << step)));
    let draw = |(line, (rows, width)): (usize, (u32, u32))| {
        let operator = Operator::Vector(VectorOp { kind: VectorKind::Norm, rows, width, dtype: Dtype::Bf16 });
        let time = costs.estimate(&operator).unwrap().time * factor(line as u32);
        let shape = format!("width={width}");
        Measurement {
            slot: SLOT,
            operators: vec![operator],
            time,
            shape,
            software: None,
            line: line as u32 + 1,
        }
    };
    shapes.enumerate().map(draw).collect()
}

fn problem<'a>(chip: &'a Chip, given: &'a ProfileSet, rows: &'a [&'a Measurement]) -> Problem<'a> {
    Problem { chip, profiles: given, slots: &[SLOT], rows, effort: Effort::Thorough }
}

fn table(measurements: Vec<Measurement>) -> Table {
    Table {
        name: "drawn".to_owned(),
        kind: reader::Kind::Quantise,
        measurements,
        exchanges: Vec::new(),
        skipped: BTreeMap::new(),
    }
}

/// Ten per cent more or less, without a pattern that a shape could explain.
fn noise(line: u32) -> f64 {
    if line * 37 % 101 > 50 { 1.1 } else { 1.0 / 1.1 }
}

#[test]
fn a_fit_finds_the_times_that_rows_were_drawn_from() {
    let (chip, given, truth) = world();
    let rows = rows(&chip, &truth, |_| 1.0);
    let rows: Vec<&Measurement> = rows.iter().collect();
    let problem = problem(&chip, &given, &rows);
    let before = Score::of(&cross::pairs(&problem, &given, &rows)).mean_abs_pct_error;
    let after = Score::of(&cross::pairs(&problem, &fit(&problem), &rows)).mean_abs_pct_error;
    assert!(before > 20.0 && after < 1.0, "{before} % before, {after} % after");
}

#[test]
fn a_few_wild_rows_do_not_move_a_fit() {
    let (chip, given, truth) = world();
    let clean = rows(&chip, &truth, |_| 1.0);
    let wild = rows(&chip, &truth, |line| if line % 20 == 7 { 20.0 } else { 1.0 });
    let (clean, wild): (Vec<&Measurement>, Vec<&Measurement>) =
        (clean.iter().collect(), wild.iter().collect());
    let problem = problem(&chip, &given, &wild);
    let error = Score::of(&cross::pairs(&problem, &fit(&problem), &clean)).mean_abs_pct_error;
    assert!(error < 3.0, "{error} % on the clean rows");
}

#[test]
fn a_family_is_judged_by_a_fit_that_has_not_seen_it() {
    let (chip, given, truth) = world();
    // One width of eight takes thrice as long: a fit that saw it would bend towards it.
    let mut odd = rows(&chip, &truth, |_| 1.0);
    odd.iter_mut().filter(|row| row.shape == "width=512").for_each(|row| row.time = row.time * 3.0);
    let rows: Vec<&Measurement> = odd.iter().collect();
    let folds = cross::held_out(&problem(&chip, &given, &rows));
    assert_eq!(folds.iter().map(Vec::len).sum::<usize>(), rows.len());
    let ratios =
        folds.iter().flatten().filter(|pair| pair.log_ratio() < -0.9 && pair.log_ratio() > -1.3).count();
    // ln(1/3) = −1.1 for its 14 rows
    assert_eq!(ratios, 14);
}

#[test]
fn intervals_hold_four_times_of_five() {
    let (chip, given, truth) = world();
    let noisy = rows(&chip, &truth, |line| (0.3 * ((f64::from(line * 37 % 101) / 101.0) - 0.5)).exp());
    let rows: Vec<&Measurement> = noisy.iter().collect();
    let share = cross::coverage(&cross::held_out(&problem(&chip, &given, &rows)));
    assert!((0.7..=0.9).contains(&share), "{share}");
}

#[test]
fn one_family_cannot_be_held_out() {
    let (chip, given, truth) = world();
    let one: Vec<Measurement> =
        rows(&chip, &truth, |_| 1.0).into_iter().filter(|row| row.shape == "width=512").collect();
    let rows: Vec<&Measurement> = one.iter().collect();
    assert!(cross::held_out(&problem(&chip, &given, &rows)).is_empty());
}

#[test]
fn a_calibration_is_read_back_as_it_was_written() {
    let (chip, _, truth) = world();
    let options = Options {
        source: "drawn \"by hand\"".to_owned(),
        stack: Stack { software: "own".to_owned(), version: "1".to_owned() },
        residency: Residency::Rotating { copies: 3 },
        families: Vec::new(),
        rows: 1000,
    };
    let tables = [table(rows(&chip, &truth, noise))];
    let calibration = calibrate(&chip, &Library::catalog().unwrap(), &tables, &options).unwrap();
    let fitted = &calibration.fits[0].profile;
    let text = write::toml(&chip.name, std::slice::from_ref(fitted));
    let read = &file::read(&SourceText::new("own.toml", text)).unwrap()[0];
    assert_eq!((&read.source, read.residency, read.points), (&options.source, options.residency, 112));
    for (a, b) in read.parameters.iter().zip(&fitted.parameters) {
        assert!((a / b - 1.0).abs() < 1e-3, "{a} was {b}");
    }
    // The noise alone is 9.5 % on average; a width left out adds a little.
    let error = read.held_out.unwrap().mean;
    assert!((0.09..0.15).contains(&error), "{error}");
}

#[test]
fn the_measured_fidelity_answers_with_the_measurement() {
    let (chip, given, truth) = world();
    let measured = rows(&chip, &truth, noise);
    let tile = Costs::new(&chip, &given, Fidelity::Tile);
    let tables = [table(measured.clone())];
    let residuals = residuals(&tile, &tables);
    let costs = Costs { fidelity: Fidelity::Measured, residuals: Some(&residuals), ..tile };
    for row in &measured {
        let predicted: Seconds = predict(&costs, row).unwrap().time;
        assert!((predicted / row.time - 1.0).abs() < 1e-3, "{} {}", row.shape, row.line);
    }
    assert!(validate(&costs, &tables).score.mean_abs_pct_error < 0.1);
}
