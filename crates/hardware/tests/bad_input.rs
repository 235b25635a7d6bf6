//! Every mistake of a chip file is told at its line and column, with what was expected and what would do.

use vitruvian_diagnostics::SourceText;
use vitruvian_hardware::{catalog, parse_chip, parse_node};

/// What is said of a chip file that extends the H20.
fn said(lines: &str) -> String {
    said_of(&format!("extends = \"h20\"\n{lines}\n"))
}

fn said_of(text: &str) -> String {
    match parse_chip(&SourceText::new("my.toml", text), &catalog::chip_source) {
        Ok(parsed) => parsed.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        Err(faults) => faults.to_string(),
    }
}

#[test]
fn broken_toml() {
    assert_eq!(
        said_of("cores = = 3\n"),
        "my.toml:1:9: error: not valid TOML: extra `=`, expected nothing\nmy.toml:1:11: error: not valid TOML: unexpected key or value, expected newline, `#`"
    );
    assert_eq!(
        said("clock = \"2 GHz\"\nclock = \"3 GHz\""),
        "my.toml:3:1: error: not valid TOML: duplicate key"
    );
}

#[test]
fn unknown_keys() {
    assert_eq!(
        said("hbm.bandwith = \"2 TB/s\""),
        "my.toml:2:5: error: `hbm.bandwith` is not a key of a chip file; did you mean `hbm.bandwidth`?"
    );
    assert_eq!(
        said("bandwidth = \"2 TB/s\""),
        "my.toml:2:1: error: `bandwidth` is not a key of a chip file; \
         did you mean `hbm.bandwidth`, `scale_up.bandwidth` or `host.bandwidth`?"
    );
    assert_eq!(
        said("[matrix]\nbf17 = 1024"),
        "my.toml:3:1: error: `matrix.bf17` is not a key of a chip file; did you mean `matrix.bf16`?"
    );
    assert_eq!(
        said("clock = { value = \"2 GHz\", sorce = \"me\" }"),
        "my.toml:2:28: error: `clock.sorce` is not a key of a chip file; did you mean `clock.source`?"
    );
    assert_eq!(said("xyzzy = 3"), "my.toml:2:1: error: `xyzzy` is not a key of a chip file");
}

#[test]
fn wrong_types() {
    assert_eq!(said("cores = \"78\""), "my.toml:2:9: error: `cores` is a whole number, found a text");
    assert_eq!(
        said("matrix = 3"),
        "my.toml:2:10: error: `matrix` is a table of figures, found a whole number"
    );
    assert_eq!(
        said("vector.separate = 1"),
        "my.toml:2:19: error: `vector.separate` is `true` or `false`, found a whole number"
    );
    assert_eq!(
        said("clock = [1]"),
        "my.toml:2:9: error: `clock` is a frequency, found a list; write for example \"1 GHz\""
    );
    assert_eq!(
        said("clock = { source = \"me\" }"),
        "my.toml:2:9: error: `clock` is a frequency, found a table without `value`; write for example \"1 GHz\""
    );
    assert_eq!(said_of("extends = 3\n"), "my.toml:1:11: error: `extends` is a text, found a whole number");
}

#[test]
fn units_missing_or_of_another_kind() {
    for number in ["2", "\"2\""] {
        assert_eq!(
            said(&format!("clock = {number}")),
            "my.toml:2:9: error: `2` has no unit: a frequency is written with one of Hz, kHz, MHz, GHz \
             (`clock` is a frequency); write for example \"2 GHz\""
        );
    }
    assert_eq!(
        said("power.cap = \"500 GHz\""),
        "my.toml:2:13: error: `GHz` is not a unit of a power: use one of mW, W, kW, MW, GW (`power.cap` is a power)"
    );
    assert_eq!(
        said("power.cap = \"500 w\""),
        "my.toml:2:13: error: `w` is not a unit of a power: use one of mW, W, kW, MW, GW \
         (`power.cap` is a power); did you mean `W`?"
    );
    assert_eq!(
        said("clock = \"fast\""),
        "my.toml:2:9: error: expected a frequency, found `fast` (`clock` is a frequency); write for example \"1 GHz\""
    );
}

#[test]
fn impossible_numbers() {
    assert_eq!(
        said("hbm.bandwidth = \"-4 TB/s\""),
        "my.toml:2:17: error: `hbm.bandwidth` must be more than zero, found `-4 TB/s`"
    );
    assert_eq!(
        said("l2 = \"0 MiB\""),
        "my.toml:2:6: error: `l2.capacity` must be more than zero, found `0 MiB`"
    );
    assert_eq!(
        said("matrix.bf16 = -1"),
        "my.toml:2:15: error: `matrix.bf16` must be zero or more, found `-1`"
    );
    assert_eq!(
        said("matrix.bf16 = nan"),
        "my.toml:2:15: error: `matrix.bf16` must be a finite number, found `nan`"
    );
    assert_eq!(
        said("cores = 2.5"),
        "my.toml:2:9: error: `cores` must be a whole number of at most 4294967295, found `2.5`"
    );
    assert_eq!(
        said("cores = 99999999999999999999999"),
        "my.toml:2:9: error: `cores` must be a whole number of at most 4294967295, found `99999999999999999999999`"
    );
}

#[test]
fn overflow() {
    assert_eq!(
        said("clock = \"1e400 GHz\""),
        "my.toml:2:9: error: `1e400 GHz` is too large for a frequency (`clock` is a frequency)"
    );
    assert_eq!(
        said("clock = \"1e100 GHz\""),
        "my.toml:2:9: error: `clock` must be at most 1e24 in base units, found `1e100 GHz`"
    );
}

#[test]
fn unknown_words() {
    assert_eq!(
        said("vendor = \"nvdia\""),
        "my.toml:2:10: error: `nvdia` is not a value of `vendor`: use one of nvidia, huawei, amd, other; \
         did you mean `nvidia`?"
    );
    assert_eq!(
        said("clock = { value = \"2 GHz\", grade = \"good\" }"),
        "my.toml:2:36: error: `good` is not a value of `grade`: use one of datasheet, measured, derived, press, \
         recalled, rumour, user"
    );
}

#[test]
fn extending_what_is_not_there() {
    assert_eq!(
        said_of("extends = \"h21\"\n"),
        "my.toml:1:11: error: no chip is called `h21`; did you mean `h20`?"
    );
    assert!(said_of("extends = \"910b\"\n").starts_with("my.toml:1:11: error: `910b` is not one chip: "));
}

#[test]
fn extending_in_a_circle() {
    let files = |name: &str| match name {
        "a" => Some(SourceText::new("a.toml", "extends = \"b\"\n")),
        _ => Some(SourceText::new("b.toml", "\nextends = \"a\"\n")),
    };
    let faults = parse_chip(&files("a").unwrap(), &files).unwrap_err();
    let told = "b.toml:2:11: error: a chip cannot extend itself: a.toml -> b.toml -> a.toml";
    assert_eq!(faults.to_string(), told);
}

#[test]
fn figures_missing() {
    let text = said_of("cores = 24\n");
    assert!(
        text.starts_with("my.toml:1:1: error: a chip file that extends nothing must also give `vendor`, "),
        "{text}"
    );
    assert!(!text.contains("`cores`"), "{text}");
}

#[test]
fn peaks_that_contradict_the_cores() {
    // 78 × 1024 × 1.853 GHz = 148.0 TFLOP/s
    assert_eq!(
        said("stated.bf16 = \"200 TFLOP/s\""),
        "my.toml:2:15: error: `stated.bf16` is 200 TFLOP/s, but 78 cores × 1024 FLOP/cycle × 1.853 GHz = 148.0 TFLOP/s"
    );
    assert_eq!(
        said("stated.int4 = \"200 TFLOP/s\""),
        "my.toml:2:15: error: `stated.int4` is stated, but `matrix.int4` gives no rate"
    );
    // 78 × 1024 × 1.853 GHz is within 1.5 % of 147.
    assert_eq!(said("stated.bf16 = \"147 TFLOP/s\""), "");
}

#[test]
fn bandwidths_that_contradict_their_parts() {
    assert_eq!(
        said("[hbm]\nbandwidth = \"4 TB/s\"\nstacks = 4\nstack_bandwidth = \"0.8 TB/s\""),
        "my.toml:3:13: error: `hbm.bandwidth` is 4 TB/s, but 4 stacks × 0.8 TB/s = 3.200 TB/s"
    );
    assert_eq!(
        said("[scale_up]\nbandwidth = \"100 GB/s\"\nlinks = 4\nlink_bandwidth = \"50 GB/s\""),
        "my.toml:3:13: error: `scale_up.bandwidth` is 100 GB/s, but 4 links × 50 GB/s = 200.0 GB/s"
    );
}

#[test]
fn figures_in_the_wrong_order() {
    assert_eq!(
        said("sustained_clock = \"2.2 GHz\""),
        "my.toml:2:19: error: `sustained_clock` is 2.2 GHz, more than `clock` of 1.853 GHz"
    );
    assert_eq!(
        said("power.active_idle = \"600 W\""),
        "my.toml:2:21: error: `power.active_idle` is 600 W, more than `power.cap` of 500 W"
    );
    // The cap is what the file sets, so the cap is what is pointed at.
    assert_eq!(
        said("power.cap = \"90 W\""),
        "my.toml:2:13: error: `power.active_idle` is 115 W, more than `power.cap` of 90 W"
    );
    assert_eq!(
        said("price.typical = \"9 kUSD\"\nprice.low = \"10 kUSD\""),
        "my.toml:3:13: error: `price.low` is 10 kUSD, more than `price.typical` of 9 kUSD"
    );
}

#[test]
fn more_cores_than_silicon() {
    assert_eq!(
        said("cores = 200\ndie.cores_on_die = 100"),
        "my.toml:2:9: error: `cores` is 200, but `dies` × `die.cores_on_die` is 1 × 100"
    );
    assert_eq!(
        said("cores = 200"),
        "my.toml:2:9: warning: `cores` is 200, but `dies` × `die.cores_on_die` is 1 × 144; \
         set `die.cores_on_die` too, or die area, yield and price stay those of the smaller die"
    );
}

#[test]
fn all_mistakes_are_told_at_once_in_file_order() {
    let told = said("clok = \"1 GHz\"\nhbm.bandwidth = \"-4 TB/s\"\nl2 = 3\nvendor = \"x\"");
    let lines: Vec<&str> = told.lines().map(|line| &line[..11]).collect();
    assert_eq!(lines, ["my.toml:2:1", "my.toml:3:1", "my.toml:4:6", "my.toml:5:1"]);
}

#[test]
fn a_node_without_what_its_fabric_needs() {
    let node = |text: &str| {
        parse_node(&SourceText::new("my.toml", text), &catalog::node_source).unwrap_err().to_string()
    };
    assert_eq!(
        node("extends = \"hgx-h20\"\nfabric.kind = \"full-mesh\"\n"),
        "my.toml:2:15: error: a `full-mesh` fabric needs `fabric.link_bandwidth`"
    );
    assert_eq!(
        node("extends = \"hgx-h2\"\n"),
        "my.toml:1:11: error: no node is called `hgx-h2`; did you mean `hgx-h20`?"
    );
}
