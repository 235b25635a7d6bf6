//! The page that says how far predictions can be trusted, chip by chip.

use std::fmt::Write;

use vitruvian_cost::Profile;
use vitruvian_cost::profile::Errors;

use crate::manifest::Manifest;
use crate::score::{Pair, Score};
use crate::validate::{Report, Row};

/// What is known of the accuracy on one chip under one software.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// The chip and the software as a person reads them.
    pub title: String,
    /// The profiles fitted to this software.
    pub profiles: Vec<Profile<Vec<f64>>>,
    /// Its tables against these profiles, as they stand in the catalog.
    pub own: Report,
    /// Its tables against profiles of other chips only.
    pub borrowed: Report,
    /// Its tables against the simulated core, where the chip has one.
    pub simulated: Option<Report>,
}

const HEAD: &str = "\
# Accuracy of operator times

This page is generated. It compares the `tile` fidelity with the open measured tables, operator by operator:

    cargo run --release -p vitruvian-calibration --example refit -- FOLDER_OF_TABLES --no-fit --page docs/accuracy.md

- **held out**: mean, median and 90th percentile of |predicted / measured − 1| on shape families that the fit had not
  seen (a weight shape, a head configuration, a model's expert layer), in ten folds, or one family at a time where there
  are fewer. This is the error to expect on a new shape. The first **within** is the share of these rows between P10 and
  P90 when sigma is taken from the other folds; 80 % is right.
- **catalog**: mean error on all measured rows with the profile that the catalog ships.
- **borrowed**: the same when all profiles of the chip are taken away and those of its relatives answer
  (`catalog/profiles/lineage.toml`), and the share of rows within the then wider interval.
- **target**: what the held-out mean is to reach. A miss is marked and leads to its residuals
  (`cargo run --release -p vitruvian --example residual_plots -- FOLDER_OF_TABLES docs/residuals`); its reason stands in the
  family's page under `docs/cost/`.
";

/// The whole page.
pub fn page(manifest: &Manifest, sections: &[Section]) -> String {
    let mut text = HEAD.to_owned();
    for section in sections {
        // Writing to a string cannot fail.
        let _ = chip(&mut text, manifest, section);
    }
    let _ = left_out(&mut text, manifest);
    text
}

/// Rows that are neither fitted nor judged, and why.
fn left_out(text: &mut String, manifest: &Manifest) -> std::fmt::Result {
    let all = || manifest.set.iter().flat_map(|set| set.left_out.iter().map(move |out| (set, out)));
    if all().next().is_some() {
        writeln!(text, "\n## Rows left out\n\nNeither fitted nor judged above:\n")?;
    }
    for (set, out) in all() {
        writeln!(text, "- {}, {}, {}: {}.", set.chip, out.family, out.shape, out.reason)?;
    }
    Ok(())
}

/// Heads of the first table, and how each column is set.
const COLUMNS: [(&str, &str); 9] = [
    ("family", "---"),
    ("formats", "---"),
    ("rows", "--:"),
    ("held out %", "--:"),
    ("within", "--:"),
    ("catalog %", "--:"),
    ("borrowed %", "--:"),
    ("within", "--:"),
    ("target %", "--:"),
];

fn chip(text: &mut String, manifest: &Manifest, section: &Section) -> std::fmt::Result {
    writeln!(text, "\n## {}\n", section.title)?;
    writeln!(text, "| {} |", COLUMNS.map(|(head, _)| head).join(" | "))?;
    writeln!(text, "| {} |", COLUMNS.map(|(_, align)| align).join(" | "))?;
    for profile in section.profiles.iter().filter(|profile| profile.points > 0) {
        writeln!(text, "| {} |", line(manifest, section, profile).join(" | "))?;
    }
    by_duration(text, &section.own)?;
    worst(text, &section.own)?;
    section.simulated.as_ref().map_or(Ok(()), |report| simulated(text, report))
}

/// The `simulated` fidelity: kernels on the cycle-level core, launch from the profile, nothing else fitted but what the
/// core's description says.
fn simulated(text: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(
        text,
        "\nThe `simulated` fidelity on the same rows (`catalog/cores` says what of it was fitted, and to which rows):\n"
    )?;
    writeln!(text, "| family | formats | rows | mean / median / P90 % | bias % | within |")?;
    writeln!(text, "| --- | --- | --: | --: | --: | --: |")?;
    for family in report.families.iter().filter(|family| SIMULATED.contains(&family.family)) {
        let score = &family.score;
        writeln!(
            text,
            "| {} | {} | {} | {:.1} / {:.1} / {:.1} | {:+.1} | {:.0} % |",
            family.family,
            family.precision,
            score.n,
            score.mean_abs_pct_error,
            score.median_abs_pct_error,
            score.p90_abs_pct_error,
            100.0 * score.mean_log_ratio.exp_m1(),
            100.0 * score.share_within_p10_p90,
        )?;
    }
    Ok(())
}

/// Families with a kernel of their own.
const SIMULATED: [&str; 4] = ["gemm", "grouped-gemm", "prefill-attention", "decode-attention"];

fn line(manifest: &Manifest, section: &Section, profile: &Profile<Vec<f64>>) -> [String; 9] {
    let (own, borrowed) = (score(&section.own, profile), score(&section.borrowed, profile));
    let none = || "–".to_owned();
    let mean = |score: Option<Score>| score.map_or_else(none, |s| format!("{:.1}", s.mean_abs_pct_error));
    let within = |share: Option<f64>| share.map_or_else(none, |share| format!("{:.0} %", 100.0 * share));
    [
        profile.family.to_string(),
        profile.precision.to_string(),
        profile.points.to_string(),
        profile.held_out.map_or_else(none, |errors| three(&errors)),
        within(profile.held_out.and_then(|errors| errors.within)),
        mean(own),
        mean(borrowed),
        within(borrowed.map(|score| score.share_within_p10_p90)),
        target(manifest, profile),
    ]
}

fn three(errors: &Errors) -> String {
    format!("{:.1} / {:.1} / {:.1}", 100.0 * errors.mean, 100.0 * errors.median, 100.0 * errors.p90)
}

/// The errors of a report in a profile's family and formats.
fn score(report: &Report, profile: &Profile<Vec<f64>>) -> Option<Score> {
    let precision = profile.precision.to_string();
    let mut families = report.families.iter();
    let found = families.find(|score| score.family == profile.family.name() && score.precision == precision);
    found.map(|found| found.score)
}

fn target(manifest: &Manifest, profile: &Profile<Vec<f64>>) -> String {
    let Some(target) = manifest.target_of(profile) else { return "–".to_owned() };
    let percent = 100.0 * target;
    if manifest.misses(profile) {
        return format!("{percent:.0} [missed](residuals/{}.svg)", plot_name(profile));
    }
    format!("{percent:.0} ✓")
}

/// Name of the file that shows a profile's residuals.
pub fn plot_name(profile: &Profile<Vec<f64>>) -> String {
    let (software, precision) = (&profile.stack.software, profile.precision.to_string().replace('/', "-"));
    format!("{}-{software}-{}-{precision}", profile.chip, profile.family)
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

#[cfg(test)]
mod tests {
    use super::*;
    use vitruvian_cost::{Family, Library, Precision};
    use vitruvian_diagnostics::SourceText;
    use vitruvian_hardware::catalog;
    use vitruvian_model::Scheme;

    fn section(held_out: f64) -> (Manifest, Section) {
        let text = "set = []\n[[target]]\nchip = \"h20\"\nfamily = \"gemm\"\nprecision = \"fp8-block\"\nmean = 0.04\n";
        let manifest = Manifest::read(&SourceText::new("tables.toml", text)).unwrap();
        let profiles = Library::catalog().unwrap().profiles(&catalog::chip("h20").unwrap(), None).unwrap();
        let mut profile = profiles.profile(Family::Gemm, Precision::Scheme(Scheme::Fp8Block));
        profile.points = 300;
        profile.held_out = Some(Errors { mean: held_out, median: 0.02, p90: 0.09, within: Some(0.8) });
        let row = Row {
            table: "t".to_owned(),
            line: 2,
            family: "gemm",
            precision: "fp8-block".to_owned(),
            shape: "n=1 k=1".to_owned(),
            measured_us: 50.0,
            predicted_us: 55.0,
            p10_us: 40.0,
            p90_us: 70.0,
            error_pct: 10.0,
            bound: "matrix",
        };
        let own = Report::of(vec![row], std::collections::BTreeMap::new());
        let borrowed = Report::of(Vec::new(), std::collections::BTreeMap::new());
        let simulated = Some(own.clone());
        (manifest, Section { title: "H20".to_owned(), profiles: vec![profile], own, borrowed, simulated })
    }

    #[test]
    fn a_line_states_errors_and_whether_the_target_is_reached() {
        let (manifest, reached) = section(0.03);
        let text = page(&manifest, &[reached]);
        assert!(
            text.contains("| gemm | fp8-block | 300 | 3.0 / 2.0 / 9.0 | 80 % | 10.0 | – | – | 4 ✓ |"),
            "{text}"
        );
        // One row of 50 µs, ten per cent above.
        assert!(text.contains("| gemm | fp8-block | – | 10.0 (+10.0) | – | – |"), "{text}");
        // The same row from the simulated core: ln(70/55) / 1.28 = 0.188 is wide enough for ln(1.1).
        assert!(text.contains("| gemm | fp8-block | 1 | 10.0 / 10.0 / 10.0 | +10.0 | 100 % |"), "{text}");
        let (manifest, missed) = section(0.05);
        assert!(page(&manifest, &[missed]).contains("| 4 [missed](residuals/h20-"));
    }
}
