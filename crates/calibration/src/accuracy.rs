//! The page that says how far predictions can be trusted, chip by chip.

use std::fmt::Write;

use vitruvian_cost::Profile;
use vitruvian_cost::profile::Errors;

use crate::manifest::Manifest;
use crate::score::{Pair, Score};
use crate::validate::{Report, Row};

/// What is known of one chip's accuracy.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// The chip as a person reads it.
    pub title: String,
    /// Its fitted profiles.
    pub profiles: Vec<Profile<Vec<f64>>>,
    /// Its tables against these profiles.
    pub own: Report,
    /// Its tables against profiles of other chips only.
    pub borrowed: Report,
}

const HEAD: &str = "\
# Accuracy of operator times

This page is generated. It compares the `tile` fidelity with the open measured tables, operator by operator:

    cargo run --release -p vitruvian-calibration --example refit -- FOLDER_OF_TABLES --page docs/accuracy.md --no-fit

- **held out**: mean, median and 90th percentile of |predicted / measured − 1| on shape families that the fit had not
  seen (a weight shape, a head configuration, a model's expert layer), ten folds or one family at a time where there are
  fewer. This is the error to expect on a new shape.
- **in fit**: the same on all measured rows with the profile that the catalog ships.
- **within**: share of held-out times between the stated P10 and P90, with sigma taken from the other folds; 80 % is
  right.
- **borrowed**: mean error on the chip's rows when all of its own profiles are taken away and those of its relatives
  answer (`catalog/profiles/lineage.toml`).
- **target**: what the held-out mean is to reach; a miss is marked and its reason given in the family's page under
  `docs/cost/`.
";

/// The whole page.
pub fn page(manifest: &Manifest, sections: &[Section]) -> String {
    let mut text = HEAD.to_owned();
    for section in sections {
        // Writing to a string cannot fail.
        let _ = chip(&mut text, manifest, section);
    }
    text
}

fn chip(text: &mut String, manifest: &Manifest, section: &Section) -> std::fmt::Result {
    writeln!(text, "\n## {}\n", section.title)?;
    writeln!(
        text,
        "| family | formats | software | points | held out % | in fit % | within | borrowed % | target % |"
    )?;
    writeln!(text, "| --- | --- | --- | --: | --: | --: | --: | --: | --: |")?;
    for profile in section.profiles.iter().filter(|profile| profile.points > 0) {
        let (family, precision) = (profile.family, profile.precision);
        let software = format!("{} {}", profile.stack.software, profile.stack.version);
        let (held_out, in_fit) = (errors(profile.held_out), errors(profile.in_fit));
        let within = profile.held_out.and_then(|errors| errors.within);
        let within = within.map_or_else(|| "–".to_owned(), |share| format!("{:.0} %", 100.0 * share));
        let (borrowed, target) = (borrowed(section, profile), target(manifest, profile));
        let points = profile.points;
        writeln!(
            text,
            "| {family} | {precision} | {software} | {points} | {held_out} | {in_fit} | {within} | {borrowed} | {target} |"
        )?;
    }
    by_duration(text, &section.own)?;
    worst(text, &section.own)
}

fn errors(errors: Option<Errors>) -> String {
    errors.map_or_else(
        || "–".to_owned(),
        |e| format!("{:.1} / {:.1} / {:.1}", 100.0 * e.mean, 100.0 * e.median, 100.0 * e.p90),
    )
}

fn borrowed(section: &Section, profile: &Profile<Vec<f64>>) -> String {
    let precision = profile.precision.to_string();
    let mut families = section.borrowed.families.iter();
    let found = families.find(|score| score.family == profile.family.name() && score.precision == precision);
    found.map_or_else(|| "–".to_owned(), |found| format!("{:.1}", found.score.mean_abs_pct_error))
}

fn target(manifest: &Manifest, profile: &Profile<Vec<f64>>) -> String {
    let Some(target) = manifest.target_of(profile) else { return "–".to_owned() };
    let reached = profile.held_out.or(profile.in_fit).is_some_and(|errors| errors.mean <= target);
    format!("{:.0} {}", 100.0 * target, if reached { "✓" } else { "missed" })
}

/// Upper ends of the classes of measured time, in microseconds, and their names.
const DURATIONS: [(f64, &str); 4] =
    [(10.0, "< 10 µs"), (100.0, "10 – 100 µs"), (1000.0, "0.1 – 1 ms"), (f64::INFINITY, "> 1 ms")];

/// Error and bias by measured time: where a model leaves something out, it shows here first.
fn by_duration(text: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(text, "\nMean error (bias) in % by measured time:\n")?;
    let names: Vec<&str> = DURATIONS.iter().map(|(_, name)| *name).collect();
    writeln!(text, "| family | formats | {} |\n| --- | --- | --: | --: | --: | --: |", names.join(" | "))?;
    for family in &report.families {
        let alike = |row: &&Row| (row.family, &row.precision) == (family.family, &family.precision);
        let rows: Vec<&Row> = report.rows.iter().filter(alike).collect();
        let mut from = 0.0;
        let cells = DURATIONS.map(|(to, _)| {
            let class = std::mem::replace(&mut from, to)..to;
            let rows = rows.iter().filter(|row| class.contains(&row.measured_us));
            cell(&rows.map(|row| row.pair()).collect::<Vec<_>>())
        });
        writeln!(text, "| {} | {} | {} |", family.family, family.precision, cells.join(" | "))?;
    }
    Ok(())
}

fn cell(pairs: &[Pair]) -> String {
    if pairs.is_empty() {
        return "–".to_owned();
    }
    let score = Score::of(pairs);
    format!("{:.1} ({:+.1})", score.mean_abs_pct_error, 100.0 * score.mean_log_ratio.exp_m1())
}

/// The rows that are furthest off.
fn worst(text: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(text, "\nFurthest off:\n")?;
    writeln!(
        text,
        "| family | formats | shape | measured | predicted | bound |\n| --- | --- | --- | --: | --: | --- |"
    )?;
    for row in report.worst.iter().take(5) {
        let Row { family, precision, shape, measured_us, predicted_us, bound, .. } = row;
        writeln!(
            text,
            "| {family} | {precision} | {shape} | {measured_us:.1} µs | {predicted_us:.1} µs | {bound} |"
        )?;
    }
    Ok(())
}
