//! The catalog: every file loads, every figure is sourced, and the peaks are those that are stated.

use std::collections::BTreeSet;
use std::fs;

use vitruvian_hardware::{Chip, Fabric, Figure, Grade, catalog};
use vitruvian_quantity::{Bytes, BytesPerSecond, Dtype, FlopsPerSecond};

fn chip(name: &str) -> Chip {
    catalog::chip(name).unwrap_or_else(|faults| panic!("{faults}"))
}

fn chips() -> impl Iterator<Item = Chip> {
    catalog::names().map(chip)
}

fn figures() -> impl Iterator<Item = (String, Figure)> {
    let of_chips =
        chips().flat_map(|chip| chip.figures.into_iter().map(move |figure| (chip.name.clone(), figure)));
    let nodes =
        catalog::node_names().map(|name| catalog::node(name).unwrap_or_else(|faults| panic!("{faults}")));
    of_chips
        .chain(nodes.flat_map(|node| node.figures.into_iter().map(move |figure| (node.name.clone(), figure))))
}

/// Relative difference.
fn off(found: FlopsPerSecond, stated: f64) -> f64 {
    (found.get() / stated - 1.0).abs()
}

#[test]
fn every_file_of_the_folder_is_embedded_and_loads() {
    for (folder, names) in [
        ("chips", catalog::names().collect::<BTreeSet<_>>()),
        ("nodes", catalog::node_names().collect::<BTreeSet<_>>()),
    ] {
        let path = format!("{}/../../catalog/{folder}", env!("CARGO_MANIFEST_DIR"));
        let files =
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let files: BTreeSet<String> =
            files.filter_map(|file| file.strip_suffix(".toml").map(str::to_owned)).collect();
        assert_eq!(files, names.into_iter().map(str::to_owned).collect());
    }
    for name in catalog::names() {
        assert_eq!(chip(name).name, name);
    }
}

#[test]
fn every_figure_has_a_source_and_a_grade() {
    // A bare value is graded `user`: right in a user's file, a mistake in the catalog. Words that only name a chip
    // need no source.
    const NAMES: [&str; 4] = ["title", "vendor", "architecture", "status"];
    for (file, figure) in figures().filter(|(_, figure)| !NAMES.contains(&figure.key.as_str())) {
        assert_ne!(figure.provenance.grade, Grade::User, "{file}: {}", figure.key);
        assert!(!figure.provenance.source.is_empty(), "{file}: {}", figure.key);
        for other in &figure.provenance.alternatives {
            assert_ne!(other.grade, Grade::User, "{file}: {} or {}", figure.key, other.value);
        }
    }
}

#[test]
fn every_derived_figure_shows_its_arithmetic() {
    let silent =
        figures().filter(|(_, f)| f.provenance.grade == Grade::Derived && f.provenance.note.is_none());
    let silent: Vec<String> = silent.map(|(file, figure)| format!("{file}: {}", figure.key)).collect();
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn every_source_is_cited_in_full() {
    let sourced = figures().filter(|(_, figure)| figure.provenance.grade != Grade::User);
    let all: Vec<Figure> = sourced.map(|(_, figure)| figure).collect();
    let short: Vec<String> =
        catalog::citations(&all).into_iter().filter(|c| c.text == c.id).map(|citation| citation.id).collect();
    assert_eq!(short, Vec::<String>::new());
}

#[test]
fn every_chip_has_a_node_and_every_node_has_chips() {
    for chip in chips() {
        let node = catalog::node_for(&chip).unwrap_or_else(|faults| panic!("{faults}"));
        assert!(node.chips.contains(&chip.name), "{}", node.name);
    }
    for name in catalog::node_names() {
        for listed in catalog::node(name).unwrap().chips {
            assert_eq!(chip(&listed).name, listed);
        }
    }
}

#[test]
fn h20_peaks_are_those_stated() {
    // 78 SMs × 1024 FLOP/cycle × 1.853 GHz = 148 TFLOP/s; twice that at 8 bit.
    let h20 = chip("h20");
    assert!(off(h20.matrix_peak(Dtype::Bf16), 148e12) < 0.001);
    assert!(off(h20.matrix_peak(Dtype::Fp8), 296e12) < 0.001);
    // 78 × 256 × 1.98 GHz = 39.5: the 44 of the data sheet is out of reach.
    assert!(off(h20.vector_peak(Dtype::Fp32), 39.5e12) < 0.002);
    // 148e12 / 4.0e12 = 37 FLOP/B.
    assert!((h20.ridge(Dtype::Bf16) - 37.0).abs() < 0.1);
}

#[test]
fn ascend_peaks_keep_cube_and_vector_apart() {
    // Cube: 24 × 8192 × 1.8 GHz = 353.9 TFLOP/s. Vector: 48 × 256 × 1.8 GHz = 22.1. Marketed: the sum, 376.
    let b2 = chip("ascend-910b2");
    assert!(off(b2.matrix_peak(Dtype::Bf16), 353.9e12) < 0.001);
    assert!(off(b2.matrix_peak(Dtype::Int8), 707.8e12) < 0.001);
    let marketed = b2.matrix_peak(Dtype::Fp16) + b2.vector_peak(Dtype::Fp16);
    assert!(off(marketed, 376.0e12) < 0.001);
    // FP32 as marketed: cube 88.5 + vector 11.1 = 99.5.
    assert!(off(b2.matrix_peak(Dtype::Fp32) + b2.vector_peak(Dtype::Fp32), 99.5e12) < 0.001);
    // The vector cores do no BF16 arithmetic, the cube no FP8.
    assert!(!b2.vector.rates.supports(Dtype::Bf16));
    assert!(!b2.compute.matrix.supports(Dtype::Fp8));
    // 110 B/cycle × 24 × 1.8 GHz = 4.75 TB/s; 86 × 24 × 1.8 = 3.72.
    assert!((b2.l2.read_bandwidth.get() / 4.752e12 - 1.0).abs() < 1e-9);
    assert!((b2.l2.write_bandwidth.get() / 3.7152e12 - 1.0).abs() < 1e-9);
}

#[test]
fn bins_of_the_910b_have_their_own_peaks() {
    // Cores × 8192 × clock, TFLOP/s.
    for (name, stated) in [
        ("ascend-910b1", 363.7e12),
        ("ascend-910b3", 294.9e12),
        ("ascend-910b4", 245.8e12),
        ("ascend-910b4-1", 245.8e12),
        ("ascend-910c", 707.8e12),
    ] {
        let chip = chip(name);
        assert!(off(chip.matrix_peak(Dtype::Bf16), stated) < 0.001, "{name}");
        // Two vector cores an AI core.
        assert_eq!(chip.vector.units, 2 * chip.compute.cores, "{name}");
        assert_eq!(chip.vector.clock, chip.compute.clock, "{name}");
    }
    assert_eq!(chip("ascend-910b4").hbm.bandwidth, BytesPerSecond::new(0.8e12));
    assert_eq!(chip("ascend-910b4-1").hbm.capacity, chip("ascend-910b2").hbm.capacity);
}

#[test]
fn the_910c_is_a_package_of_two_dies() {
    let c = chip("ascend-910c");
    assert_eq!((c.compute.dies, c.compute.cores), (2, 48));
    // 2 × 192 MiB, 7 planes × 56 GB/s.
    assert_eq!(c.l2.capacity, Bytes::new(384.0 * 1024.0 * 1024.0));
    assert_eq!(c.scale_up.bandwidth, BytesPerSecond::new(392e9));
    let node = catalog::node_for(&c).unwrap();
    assert!(matches!(node.fabric, Fabric::Switch { die_bandwidth: Some(die), .. } if die.get() == 224e9));
}

#[test]
fn memory_is_what_software_sees() {
    // nvidia-smi: 97871 MiB. The 96 "GB" of the data sheet are binary.
    assert_eq!(chip("h20").hbm.capacity, Bytes::new(97_871.0 * 1024.0 * 1024.0));
    assert_eq!(chip("ascend-910b2").hbm.capacity, Bytes::new(64.0 * 1024.0 * 1024.0 * 1024.0));
}

#[test]
fn a_pair_of_910b_has_one_of_seven_links() {
    let b2 = chip("ascend-910b2");
    // 7 × 28 GB/s nominal; a link delivers 66 % of it.
    assert_eq!(b2.scale_up.bandwidth, BytesPerSecond::new(196e9));
    let Fabric::FullMesh { link_bandwidth, .. } = catalog::node_for(&b2).unwrap().fabric else {
        panic!("a full mesh")
    };
    assert!((link_bandwidth.get() / 28e9 - 0.66).abs() < 0.005);
}

#[test]
fn a_price_in_yuan_is_converted() {
    // 90 000 CNY / 7.2 = $12 500
    let price = chip("ascend-910b2").price.unwrap();
    assert!((price.typical.get() - 12_500.0).abs() < 10.0);
    assert!(price.low <= price.typical && price.typical <= price.high);
}

#[test]
fn every_price_says_when_it_held() {
    let has = |figures: &[Figure], key: &str| figures.iter().any(|figure| figure.key == key);
    let chips = chips().map(|chip| (chip.name, chip.figures));
    let nodes = catalog::node_names().map(|name| (name.to_owned(), catalog::node(name).unwrap().figures));
    for (name, figures) in chips.chain(nodes) {
        assert!(!has(&figures, "price.typical") || has(&figures, "price.date"), "{name}");
    }
}

#[test]
fn names_are_found_under_what_people_call_them() {
    for (alias, name) in
        [("h100", "h100-sxm"), ("H20", "h20"), ("910b2", "ascend-910b2"), ("Ascend_910C", "ascend-910c")]
    {
        assert_eq!(catalog::resolve(alias), Ok(name));
    }
}

#[test]
fn the_bare_910b_is_refused_and_says_why() {
    for name in ["910b", "Ascend-910B"] {
        let refusal = catalog::resolve(name).unwrap_err();
        assert_eq!(refusal.code, "ambiguous-chip");
        let help = "name the SKU: ascend-910b1, ascend-910b2, ascend-910b3, ascend-910b4, ascend-910b4-1";
        assert_eq!(refusal.help.as_deref(), Some(help));
    }
}

#[test]
fn a_plan_is_marked_as_one() {
    let plans: Vec<String> = chips().filter(|c| c.status.name() == "roadmap").map(|chip| chip.name).collect();
    assert_eq!(plans, ["b30a", "ascend-950pr"]);
}
