//! Names of chips, and chip files.

use crate::{refused, refused_file};

/// What is said of `compare` on a file that extends the H20.
fn said(lines: &str) -> String {
    refused_file("my.toml", format!("extends = \"h20\"\n{lines}\n"), &["compare", "my.toml"])
}

#[test]
fn an_unknown_chip_is_told_the_nearest() {
    assert_eq!(
        refused(&["compare", "h21"]),
        "\
error[unknown-chip]: no chip is called `h21`
 |
 = help: did you mean `h20`?

"
    );
}

#[test]
fn the_bare_910b_is_not_one_chip() {
    let told = "\
error[ambiguous-chip]: `910b` is not one chip: `910B` names SKUs of 20 and 24 cores, 32 and 64 GB, 0.8 and 1.6 TB/s, and a bin of the first generation
 |
 = help: name the SKU: ascend-910b1, ascend-910b2, ascend-910b3, ascend-910b4, ascend-910b4-1

";
    assert_eq!(refused(&["compare", "h20", "910b"]), told);
    assert_eq!(refused(&["estimate", "--chip", "Ascend-910B"]), told.replace("`910b`", "`Ascend-910B`"));
}

#[test]
fn a_unit_is_missing() {
    assert_eq!(
        said("hbm.bandwidth = \"4\""),
        "\
error[unit-missing]: `4` has no unit: a bandwidth is written with one of B/s, kB/s, MB/s, GB/s, TB/s, PB/s, KiB/s, MiB/s, GiB/s, TiB/s, Gb/s, Tb/s
 --> my.toml:2:17
  |
2 | hbm.bandwidth = \"4\"
  |                 ^^^ `hbm.bandwidth` is a bandwidth
  |
  = help: write for example \"4 TB/s\"

"
    );
}

#[test]
fn a_unit_is_of_another_kind() {
    assert_eq!(
        said("hbm.bandwidth = \"4 GB\""),
        "\
error[unit-wrong]: `GB` is not a unit of a bandwidth: use one of B/s, kB/s, MB/s, GB/s, TB/s, PB/s, KiB/s, MiB/s, GiB/s, TiB/s, Gb/s, Tb/s
 --> my.toml:2:17
  |
2 | hbm.bandwidth = \"4 GB\"
  |                 ^^^^^^ `hbm.bandwidth` is a bandwidth
  |
  = help: did you mean `GB/s`?

"
    );
}

#[test]
fn negative_and_zero_sizes_are_told_at_once() {
    assert_eq!(
        said("l2 = \"-3 MiB\"\ncores = 0"),
        "\
error[out-of-range]: `l2.capacity` must be more than zero, found `-3 MiB`
 --> my.toml:2:6
  |
2 | l2 = \"-3 MiB\"
  |      ^^^^^^^^

error[out-of-range]: `cores` must be more than zero, found `0`
 --> my.toml:3:9
  |
3 | cores = 0
  |         ^

"
    );
}

#[test]
fn a_stated_peak_contradicts_the_cores() {
    // 78 × 1024 × 1.853 GHz = 148.0 TFLOP/s; the figures of the parent that do not agree are shown with the user's.
    let told = said("stated.bf16 = \"300 TFLOP/s\"");
    let expected = "\
error[contradiction]: `stated.bf16` is 300 TFLOP/s, but 78 cores × 1024 FLOP/cycle × 1.853 GHz = 148.0 TFLOP/s
  --> my.toml:2:15
   |
 2 | stated.bf16 = \"300 TFLOP/s\"
   |               ^^^^^^^^^^^^^
   |
  ::: catalog/chips/h20.toml:";
    assert!(told.starts_with(expected), "{told}");
    for parent in ["`cores` here", "`clock` here", "`matrix.bf16` here"] {
        assert!(told.contains(parent), "{told}");
    }
}

#[test]
fn an_unknown_key_is_told_the_nearest() {
    assert_eq!(
        said("hbm.bandwith = \"4 TB/s\""),
        "\
error[unknown-key]: `hbm.bandwith` is not a key of a chip file
 --> my.toml:2:5
  |
2 | hbm.bandwith = \"4 TB/s\"
  |     ^^^^^^^^
  |
  = help: did you mean `hbm.bandwidth`?

"
    );
}

#[test]
fn a_file_extends_what_is_not_there() {
    assert_eq!(
        refused_file("my.toml", "extends = \"h21\"\n", &["compare", "my.toml"]),
        "\
error[unknown-chip]: no chip is called `h21`
 --> my.toml:1:11
  |
1 | extends = \"h21\"
  |           ^^^^^
  |
  = help: did you mean `h20`?

"
    );
}

#[test]
fn mistakes_of_several_chips_and_the_model_are_told_at_once() {
    let arguments = ["compare", "my.toml", "h21", "h21", "--model", "qwen3-33b"];
    let told = refused_file("my.toml", "extends = \"h20\"\nclock = 2\ncores = \"many\"\n", &arguments);
    let faults: Vec<&str> = told.lines().filter(|line| line.starts_with("error")).collect();
    assert_eq!(
        faults,
        [
            "error[model-unknown]: no model is called `qwen3-33b`",
            "error[unit-missing]: `2` has no unit: a frequency is written with one of Hz, kHz, MHz, GHz",
            "error[wrong-type]: `cores` is a whole number, found a text",
            "error[unknown-chip]: no chip is called `h21`",
        ]
    );
}

#[test]
fn an_engine_that_does_not_run_on_the_chip() {
    assert_eq!(
        refused(&["compare", "h20", "--engine", "mindie"]),
        "\
error[engine-chip]: MindIE does not run on NVIDIA H20 96 GB
 |
 = help: use vllm or sglang or tensorrt-llm or vllm@0.5, or leave --engine out

"
    );
    assert_eq!(
        refused(&["compare", "--engine", "vlm"]),
        "\
error[engine-unknown]: there is no engine `vlm`
 |
 = help: use one of vllm, sglang, tensorrt-llm, vllm-ascend, mindie, vllm@0.5, vllm-ascend@0.9

"
    );
}

#[test]
fn a_node_of_another_maker() {
    assert_eq!(
        refused(&["compare", "ascend-910b2", "--node", "hgx-h20"]),
        "\
error[node-chip]: Huawei Ascend 910B2 does not fit into HGX H20, 8 x NVSwitch, 8 x 400G
 |
 = help: use atlas-800t-a2, or leave --node out

"
    );
    assert_eq!(
        refused(&["compare", "--node", "hgx-h2"]),
        "\
error[unknown-node]: no node is called `hgx-h2`
 |
 = help: did you mean `hgx-h20`?

"
    );
}
