//! A user's file over a chip of the catalog: what it sets, what follows, and what keeps its source.

use proptest::prelude::*;
use vitruvian_diagnostics::SourceText;
use vitruvian_hardware::{Chip, Grade, catalog, diff, parse_chip};
use vitruvian_quantity::{Bytes, BytesPerSecond, Dtype, Hertz};

fn what_if(parent: &str, lines: &str) -> Chip {
    let text = format!("extends = \"{parent}\"\n{lines}\n");
    let parsed = parse_chip(&SourceText::new("studies/my-chip.toml", text), &catalog::chip_source);
    parsed.unwrap_or_else(|faults| panic!("{faults}")).chip
}

#[test]
fn figures_may_be_bare_dotted_or_in_a_table() {
    let chip = what_if(
        "ascend-910b2",
        "l2 = \"384 MiB\"\nhbm.bandwidth = \"2 TB/s\"\nclock = \"2 GHz\"\ncores = 22",
    );
    assert_eq!(chip.l2.capacity, Bytes::new(384.0 * 1024.0 * 1024.0));
    assert_eq!(chip.hbm.bandwidth, BytesPerSecond::new(2e12));
    assert_eq!(chip.compute.clock, Hertz::new(2e9));
    assert_eq!(chip.compute.cores, 22);
    let table = what_if(
        "ascend-910b2",
        "hbm = { value = \"96 GiB\", source = \"our order\", grade = \"datasheet\" }",
    );
    assert_eq!(table.hbm.capacity, Bytes::new(96.0 * 1024.0 * 1024.0 * 1024.0));
}

#[test]
fn a_file_is_named_after_itself_or_as_it_says() {
    let chip = what_if("h20", "");
    assert_eq!((chip.name.as_str(), chip.lineage.as_slice()), ("my-chip", ["h20".to_owned()].as_slice()));
    assert_eq!(what_if("h20", "name = \"h20-fast\"").name, "h20-fast");
}

#[test]
fn a_what_if_chip_lives_in_its_parents_node() {
    assert_eq!(catalog::node_for(&what_if("910b3", "")).unwrap().name, "atlas-800t-a2");
}

#[test]
fn bare_figures_are_the_users_and_the_rest_keeps_its_source() {
    let chip = what_if("h20", "clock = \"2 GHz\"");
    let of = |key: &str| chip.figures.iter().find(|figure| figure.key == key).unwrap().provenance.clone();
    assert_eq!((of("clock").grade, of("clock").source.as_str()), (Grade::User, "studies/my-chip.toml"));
    assert_eq!(of("hbm.bandwidth").grade, Grade::Press);
}

#[test]
fn what_hangs_on_a_changed_figure_follows() {
    // The held clock stays 1.78 / 1.853 of the nominal one; vector units stay two a core; links are worth the same.
    let chip = what_if("h20", "clock = \"3.706 GHz\"\nscale_up.links = 9");
    assert!((chip.compute.sustained_clock.get() / 3.56e9 - 1.0).abs() < 1e-9);
    assert_eq!(chip.scale_up.bandwidth, BytesPerSecond::new(225e9));
    assert_eq!(what_if("ascend-910b2", "cores = 12").vector.units, 24);
    // One HCCS link of twice the rate: 7 × 56 GB/s.
    let mesh = what_if("ascend-910b2", "scale_up.link_bandwidth = \"56 GB/s\"");
    assert_eq!(mesh.scale_up.bandwidth, BytesPerSecond::new(392e9));
    let all = what_if("ascend-910b2", "scale_up.bandwidth = \"392 GB/s\"");
    assert_eq!(all.scale_up.link_bandwidth, BytesPerSecond::new(56e9));
    // Eight stacks instead of four: twice the bandwidth and capacity.
    let stacks = what_if("ascend-910b2", "hbm.stacks = 8");
    assert_eq!(stacks.hbm.bandwidth, BytesPerSecond::new(3.2e12));
}

#[test]
fn stated_peaks_of_the_parent_do_not_bind_a_changed_chip() {
    let chip = what_if("h20", "matrix.bf16 = 4096");
    assert!(!chip.figures.iter().any(|figure| figure.key == "stated.bf16"));
    assert!(chip.figures.iter().any(|figure| figure.key == "stated.fp8"));
}

#[test]
fn a_difference_names_only_what_differs() {
    let rows = diff(&catalog::chip("h20").unwrap(), &what_if("h20", "hbm.bandwidth = \"8000 GB/s\""));
    let of = |key: &str| rows.iter().find(|row| row.key == key).and_then(|row| row.ratio);
    assert_eq!(of("hbm.bandwidth"), Some(2.0));
    assert_eq!(of("ridge.bf16"), Some(0.5));
    assert!(!rows.iter().any(|row| row.key == "cores" || row.key == "peak.bf16"));
    // 4.0 TB/s and 4000 GB/s are the same bandwidth.
    assert!(
        diff(&catalog::chip("h20").unwrap(), &what_if("h20", "hbm.bandwidth = \"4000 GB/s\"")).is_empty()
    );
}

proptest! {
    #[test]
    fn overrides_are_reflected(cores in 1u32..140, clock in 0.5f64..4.0, bandwidth in 0.1f64..20.0) {
        let lines = format!("cores = {cores}\nclock = \"{clock} GHz\"\nhbm.bandwidth = \"{bandwidth} TB/s\"");
        let chip = what_if("h100-sxm", &lines);
        // Peak = cores × 4096 × clock; ridge = peak / bandwidth.
        let peak = f64::from(cores) * 4096.0 * clock * 1e9;
        prop_assert!((chip.matrix_peak(Dtype::Bf16).get() / peak - 1.0).abs() < 1e-9);
        prop_assert!((chip.ridge(Dtype::Bf16) * bandwidth * 1e12 / peak - 1.0).abs() < 1e-9);
        prop_assert!(chip.compute.sustained_clock <= chip.compute.clock);
    }

    #[test]
    fn more_of_a_figure_is_never_less_of_a_peak(name in 0..catalog::names().count(), factor in 1.0f64..4.0) {
        let parent = catalog::names().nth(name).unwrap();
        let before = catalog::chip(parent).unwrap();
        let clock = before.compute.clock.get() * factor;
        let after = what_if(parent, &format!("clock = \"{clock} Hz\""));
        for dtype in Dtype::ALL {
            prop_assert!(after.matrix_peak(dtype) >= before.matrix_peak(dtype));
            prop_assert!(after.sustained_matrix_peak(dtype).get() >= before.sustained_matrix_peak(dtype).get() * (1.0 - 1e-12));
            prop_assert!(after.vector_peak(dtype).get() >= before.vector_peak(dtype).get() * (1.0 - 1e-12));
        }
        prop_assert!(after.l2.read_bandwidth.get() >= before.l2.read_bandwidth.get() * (1.0 - 1e-12));
    }

    #[test]
    fn no_text_makes_the_reader_fail_without_a_diagnostic(text in "[a-z0-9_.=\"{}\\[\\] \n]{0,80}") {
        if let Err(faults) = parse_chip(&SourceText::new("x.toml", text), &catalog::chip_source) {
            prop_assert!(!faults.0.is_empty());
        }
    }
}
