//! The classification of known chips, and the corners of the rules.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::approx_constant, reason = "a performance density of 3.14 is no circle")]

use vitruvian_diagnostics::SourceText;
use vitruvian_economics::export_control::facts::BaseDies;
use vitruvian_economics::export_control::{
    Collection, Fact, Facts, Verdict, classify::Subject, classify::verdict, collection, facts,
};
use vitruvian_hardware::{Chip, catalog, parse_chip};

/// What the rules say of one chip: V22, V23, proxy of V25i, V26.
struct Row {
    chip: &'static str,
    tpp: f64,
    density: f64,
    v22: bool,
    /// Outcome, and the exception or exemption that it comes with.
    v23: &'static str,
    v25i: bool,
    v26: &'static str,
}

const fn row(
    chip: &'static str,
    tpp: f64,
    density: f64,
    v22: bool,
    v23: &'static str,
    v25i: bool,
    v26: &'static str,
) -> Row {
    Row { chip, tpp, density, v22, v23, v25i, v26 }
}

/// Largest dense peak in TOPS × bit length, over the area of the logic dies:
/// A100 624 × 8 / 826, H100 1979 × 8 / 814, H20 296 × 8 / 814, L20 239 × 8 / 609, L2 193 × 8 / 294.5, L40S 733 × 8 / 609,
/// RTX 4090 660.6 × 8 / 608.5, 4090D 588 × 8 / 608.5, B200 9000 × 4 / 1600, B300 15000 × 4 / 1600, B30A 7500 × 4 / 800,
/// MI300X and MI325X 2614.9 × 8 / (8 × 115 + 4 × 370), 910B of 376T, 313T and 280T 752, 626, 560 × 8 / 665.61, 910C two dies
/// of the first.
const TABLE: [Row; 21] = [
    row("a100-sxm", 4992.0, 6.04, true, "3A090.a", true, "case-by-case"),
    row("a800-sxm", 4992.0, 6.04, false, "3A090.a", true, "case-by-case"),
    row("h100-sxm", 15_832.0, 19.45, true, "3A090.a", true, "case-by-case"),
    row("h800-sxm", 15_832.0, 19.45, false, "3A090.a", true, "case-by-case"),
    row("h200-sxm", 15_832.0, 19.45, true, "3A090.a", true, "case-by-case"),
    row("h20", 2368.0, 2.91, false, "free", true, "case-by-case"),
    row("h20-3e", 2368.0, 2.91, false, "free", true, "case-by-case"),
    row("l20", 1912.0, 3.14, false, "free", false, "out of scope"),
    row("l2", 1544.0, 5.24, false, "free", false, "out of scope"),
    row("l40s", 5864.0, 9.63, false, "3A090.a", false, "case-by-case"),
    row("rtx-4090", 5285.0, 8.68, false, "3A090.a NAC/ACA", false, "out of scope"),
    row("rtx-4090d", 4704.0, 7.73, false, "Note 2", false, "out of scope"),
    row("b200", 36_000.0, 22.5, true, "3A090.a", true, "presumption of denial"),
    row("b300", 60_000.0, 37.5, true, "3A090.a", true, "presumption of denial"),
    row("b30a", 30_000.0, 37.5, true, "3A090.a", true, "presumption of denial"),
    row("mi300x", 20_919.0, 8.72, true, "3A090.a", true, "case-by-case"),
    row("mi325x", 20_919.0, 8.72, true, "3A090.a", true, "case-by-case"),
    row("ascend-910b2", 6016.0, 9.04, false, "3A090.a", true, "case-by-case"),
    row("ascend-910b3", 5008.0, 7.52, false, "3A090.a", true, "case-by-case"),
    row("ascend-910b4-1", 4480.0, 6.73, false, "3A090.a", true, "case-by-case"),
    row("ascend-910c", 12_032.0, 9.04, true, "3A090.a", true, "case-by-case"),
];

fn said(rule: &str, collection: &Collection, name: &str, facts: &Facts) -> String {
    let rule = collection.rule(rule).unwrap();
    match verdict(rule, collection, Subject { name, facts }) {
        Verdict::Caught(outcome, Some(exception)) => format!("{} {}", outcome.id, exception.id),
        Verdict::Caught(outcome, None) => outcome.id.clone(),
        Verdict::Otherwise(text) => text.to_owned(),
        Verdict::Exempt(exemption) => exemption.id.clone(),
        Verdict::Free => "free".to_owned(),
        Verdict::OutOfScope => "out of scope".to_owned(),
        Verdict::Unknown => "unknown".to_owned(),
    }
}

fn facts_of(chip: &Chip, collection: &Collection) -> Facts {
    facts(chip, &collection.definitions, BaseDies::Excluded).facts
}

#[test]
fn known_chips_are_classified_as_published() {
    let collection = collection().unwrap();
    for row in &TABLE {
        let chip = catalog::chip(row.chip).unwrap();
        let facts = facts_of(&chip, &collection);
        let name = row.chip;
        assert_eq!(facts.tpp.value().unwrap().round(), row.tpp, "{name}");
        let density = facts.performance_density.value().unwrap();
        assert!((density - row.density).abs() < 0.0051, "{name}: {density}");
        let v22 = if row.v22 { "3A090" } else { "free" };
        assert_eq!(said("V22", &collection, name, &facts), v22, "{name}");
        assert_eq!(said("V23", &collection, name, &facts), row.v23, "{name}");
        let proxy = said("V25i", &collection, name, &facts);
        assert_eq!(proxy == "is-informed", row.v25i, "{name}: {proxy}");
        assert_eq!(said("V26", &collection, name, &facts), row.v26, "{name}");
    }
}

#[test]
fn the_tariff_bands_hold_the_two_chips_they_were_cut_for() {
    let collection = collection().unwrap();
    let caught = |name: &&str| {
        let facts = facts_of(&catalog::chip(name).unwrap(), &collection);
        said("T26", &collection, name, &facts) != "free"
    };
    assert_eq!(catalog::names().filter(caught).collect::<Vec<_>>(), ["h200-sxm", "mi325x"]);
}

/// What V23 says of a TPP and density.
fn v23(tpp: f64, density: f64, data_centre: bool) -> String {
    let facts = Facts {
        tpp: Fact::Is(tpp),
        performance_density: Fact::Is(density),
        data_centre: Fact::Is(f64::from(data_centre)),
        ..Facts::default()
    };
    said("V23", &collection().unwrap(), "a chip", &facts)
}

#[test]
fn thresholds_themselves_are_caught() {
    assert_eq!(v23(4800.0, 1.0, true), "3A090.a");
    assert_eq!(v23(4799.9, 1.0, true), "free");
    assert_eq!(v23(1600.0, 5.92, true), "3A090.a");
    assert_eq!(v23(1599.9, 5.92, true), "free");
    assert_eq!(v23(1600.0, 5.91, true), "3A090.b NAC/ACA");
    assert_eq!(v23(1600.0, 3.2, true), "3A090.b NAC/ACA");
    assert_eq!(v23(2400.0, 1.6, true), "3A090.b NAC/ACA");
    assert_eq!(v23(2400.0, 1.59, true), "free");
    assert_eq!(v23(2399.9, 3.19, true), "free");
    // Not for data centres: free below 4800, an exception from there on.
    assert_eq!(v23(4799.9, 9.0, false), "Note 2");
    assert_eq!(v23(4800.0, 9.0, false), "3A090.a NAC/ACA");
}

fn written(lines: &str) -> Chip {
    let source = SourceText::new("my.toml", lines);
    parse_chip(&source, &catalog::chip_source).unwrap().chip
}

#[test]
fn a_planar_chip_is_caught_by_performance_alone() {
    let collection = collection().unwrap();
    let below = written(
        "extends = \"a100-sxm\"\ndie.transistor = \"planar\"\nstated.int8 = \"590 TOPS\"\nmatrix.int8 = 3875\nmatrix.int4 = 0\nmatrix.tf32 = 256\nmatrix.fp16 = 1024\nmatrix.bf16 = 1024\n",
    );
    let facts = facts_of(&below, &collection);
    assert_eq!(facts.performance_density, Fact::Undefined);
    // 590 × 8 = 4720 at a density that, were the die to count, would be 5.7.
    assert_eq!(facts.tpp.value().unwrap().round(), 4720.0);
    assert_eq!(said("V23", &collection, "my", &facts), "free");
    let above = written("extends = \"a100-sxm\"\ndie.transistor = \"planar\"\n");
    assert_eq!(said("V23", &collection, "my", &facts_of(&above, &collection)), "3A090.a");
}

#[test]
fn dies_of_a_package_add_up_and_those_that_do_not_count_are_left_out() {
    let collection = collection().unwrap();
    let area = |lines: &str, base| facts(&written(lines), &collection.definitions, base).area.unwrap();
    assert_eq!(area("extends = \"ascend-910c\"\n", BaseDies::Excluded), 2.0 * 665.61);
    let with_io = |transistor: &str| {
        let io =
            format!("io_die.count = 1\nio_die.area = \"168 mm2\"\nio_die.transistor = \"{transistor}\"\n");
        format!("extends = \"ascend-910b4-1\"\n{io}")
    };
    assert_eq!(area(&with_io("planar"), BaseDies::Excluded), 665.61);
    assert_eq!(area(&with_io("finfet"), BaseDies::Excluded), 665.61 + 168.0);
    // 4480 / 833.61 = 5.374: with a FinFET die for input and output the 280T part is only 3A090.b.
    let facts = facts_of(&written(&with_io("finfet")), &collection);
    assert_eq!(said("V23", &collection, "my", &facts), "3A090.b NAC/ACA");
    let base =
        "extends = \"h20\"\nhbm.stacks = 6\nbase_die.area = \"110 mm2\"\nbase_die.transistor = \"finfet\"\n";
    assert_eq!(area(base, BaseDies::Excluded), 814.0);
    assert_eq!(area(base, BaseDies::Included), 814.0 + 6.0 * 110.0);
}

#[test]
fn half_a_b200_is_inside_the_window_and_half_a_b300_is_not() {
    let collection = collection().unwrap();
    let half = |parent: &str, fp4: &str| {
        let stated =
            format!("stated.fp8 = \"2250 TFLOP/s\"\nstated.mxfp4 = \"{fp4}\"\nstated.nvfp4 = \"{fp4}\"\n");
        written(&format!("extends = \"{parent}\"\ndies = 1\ncores = 74\nhbm.stacks = 4\n{stated}"))
    };
    let said = |chip: &Chip| said("V26", &collection, "half", &facts_of(chip, &collection));
    // 4500 × 4 = 18000 below 21000; 7500 × 4 = 30000 above.
    assert_eq!(said(&half("b200", "4500 TFLOP/s")), "case-by-case");
    assert_eq!(said(&half("b300", "7500 TFLOP/s")), "presumption of denial");
}

#[test]
fn a_chip_that_says_nothing_of_its_dies_is_unknown_where_they_decide() {
    let collection = collection().unwrap();
    let small = catalog::chip("ascend-310p3").unwrap();
    // 140 × 8 = 1120: no density catches it.
    assert_eq!(said("V23", &collection, "x", &facts_of(&small, &collection)), "free");
    let middle = written("extends = \"ascend-310p3\"\ncores = 20\n");
    assert_eq!(said("V23", &collection, "x", &facts_of(&middle, &collection)), "unknown");
}

#[test]
fn a_stack_of_memory_by_itself_is_caught_and_in_a_package_it_is_not() {
    let collection = collection().unwrap();
    // 307 GB/s / 110 mm² = 2.8: caught, with the exception below 3.3. 819 / 110 = 7.4: caught without.
    let stack = |bandwidth| said("V24c", &collection, "stack", &Facts::of_memory(bandwidth, 110.0));
    assert_eq!(stack(307.0), "3A090.c HBM");
    assert_eq!(stack(819.0), "3A090.c");
    assert_eq!(stack(200.0), "free");
    let h20 = facts_of(&catalog::chip("h20").unwrap(), &collection);
    assert_eq!(said("V24c", &collection, "h20", &h20), "co-packaged");
}

#[test]
fn all_device_memory_counts_and_sparse_peaks_do_not() {
    let collection = collection().unwrap();
    // 800 of GDDR6 and 600 GB/s of LPDDR are 1400 together.
    let lines = "extends = \"l20\"\nhbm.bandwidth = \"800 GB/s\"\ndram.further_bandwidth = \"600 GB/s\"\n";
    let facts = facts_of(&written(lines), &collection);
    assert_eq!(facts.dram_bandwidth, Fact::Is(1400.0));
    assert_eq!(said("V25i", &collection, "my", &facts), "is-informed");
    // The H20 multiplies 2:4 sparse weights at twice the rate; 2 × 2368 would be 3A090.b.
    let h20 = catalog::chip("h20").unwrap();
    assert_eq!(h20.compute.sparsity.unwrap().speedup, 2.0);
    assert_eq!(facts_of(&h20, &collection).tpp, Fact::Is(2368.0));
}

#[test]
fn fp4_is_worth_what_fp8_is_unless_it_is_more_than_twice_as_fast() {
    let collection = collection().unwrap();
    let tpp = |name: &str, dtype: &str| {
        let account = facts(&catalog::chip(name).unwrap(), &collection.definitions, BaseDies::Excluded);
        account.performance.iter().find(|one| one.dtype.name() == dtype).unwrap().tpp
    };
    // B200: 4500 × 8 = 9000 × 4. B300: 4500 × 8 = 36000, but 15000 × 4 = 60000.
    assert_eq!((tpp("b200", "fp8"), tpp("b200", "nvfp4")), (36_000.0, 36_000.0));
    assert_eq!((tpp("b300", "fp8"), tpp("b300", "nvfp4")), (36_000.0, 60_000.0));
}
