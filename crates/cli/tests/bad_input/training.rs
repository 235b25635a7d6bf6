//! Training layouts that do not divide, have an empty stage, or cannot fit; names that mean nothing.

use crate::refused;

#[test]
fn several_mistakes_of_a_layout_come_together() {
    assert_eq!(
        refused(&["train", "--model", "qwen3-32b", "--tp", "5", "--dp", "8", "--global-batch", "100"]),
        "\
error[layout]: TP5 does not divide qwen3-32b: 64 query heads do not divide by TP5
 |
 = help: the nearest that divides is TP4

error[batch]: a global batch of 100 sequences is no multiple of DP8 × micro-batch 1 = 8
 |
 = help: the nearest multiple is 104

"
    );
}

#[test]
fn a_stage_without_a_layer() {
    assert_eq!(
        refused(&["train", "--model", "qwen3-32b", "--pp", "65", "--global-batch", "65"]),
        "\
error[stage-empty]: stage 1 of 65 has no layer: qwen3-32b has 64
 |
 = help: use at most 64 stages (PP × chunks); 64 are even

"
    );
}

#[test]
fn chips_that_the_layout_does_not_take() {
    assert_eq!(
        refused(&["train", "--chips", "60", "--tp", "8", "--pp", "4"]),
        "\
error[chips]: TP8 PP4 takes 32 chips, not 60
 |
 = help: leave --chips or one of the degrees out; the nearest divisor of 60 is 30

"
    );
}

#[test]
fn a_search_without_chips() {
    assert_eq!(
        refused(&["train"]),
        "\
error[chips]: a search needs a number of chips
 |
 = help: add --chips N, or a layout: --tp, --pp, --dp

"
    );
}

#[test]
fn names_that_mean_nothing() {
    let told =
        refused(&["train", "--tp", "8", "--schedule", "gpipe", "--precision", "fp4", "--recompute", "all"]);
    for line in [
        "there is no training precision `fp4`: use bf16, fp16, fp8, fp8-block, int8",
        "there is no schedule `gpipe`: use 1f1b, zb-h1, zb-2p, dualpipe",
        "there is no recomputation `all`: use none, selective, elementwise, up-projection, every-second, full",
    ] {
        assert!(told.contains(line), "{told}");
    }
    assert!(refused(&["train", "--tp", "8", "--stack", "megatrom-lm"]).contains("did you mean megatron-lm?"));
    assert!(refused(&["train", "--tp", "8", "--tokens", "many"]).contains("no number of tokens"));
}

#[test]
fn a_schedule_that_the_layout_does_not_have() {
    let told =
        refused(&["train", "--tp", "8", "--pp", "5", "--schedule", "dualpipe", "--global-batch", "40"]);
    assert!(told.contains("DualPipe folds an even number of stages, not PP5"), "{told}");
}

/// 671 B parameters in eight chips: status 1, with the nearest miss.
#[test]
fn a_model_that_cannot_fit() {
    let arguments =
        ["train", "--chip", "h20", "--model", "deepseek-v3", "--chips", "8", "--global-batch", "8"];
    let output = std::process::Command::new(crate::common::BINARY).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    // TP8 with and without EP8 hold the same: either is the nearest.
    let nearest = ["the nearest, TP8, ", "the nearest, TP8 EP8, "];
    assert!(told.contains("No layout fits into 102.6 GB: "), "{told}");
    assert!(nearest.iter().any(|layout| told.contains(layout)), "{told}");
    // 671.0e9 parameters of 2 + 4 + 12 B over 8 chips are 1510 GB; the next-token module, activations and slack come on top.
    let lacks = told.split("lacks ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    let lacks: f64 = lacks.parse().unwrap();
    assert!((1510.0 - 102.6..1.25 * 1510.0).contains(&lacks), "{told}");
}

#[test]
fn a_layout_that_cannot_fit_names_the_nearest_that_does() {
    let arguments = ["train", "--chip", "ascend-910b2", "--tp", "8", "--dp", "4", "--global-batch", "64"];
    let output = std::process::Command::new(crate::common::BINARY).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("The nearest layout that fits is TP8"), "{told}");
}
