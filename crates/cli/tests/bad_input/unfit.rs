//! Deployments that do not divide, do not fit, or use formats that the chip lacks.

use crate::{refused, refused_file};

#[test]
fn a_degree_does_not_divide() {
    let told = |fault: &str| {
        format!(
            "\
error[layout]: {fault}
 |
 = help: choose degrees that divide the heads, experts and layers; `model show` lists them

"
        )
    };
    for (options, fault) in [
        (["--tp", "3"], "TP3 does not divide qwen3-32b: 64 query heads do not divide by TP3"),
        (["--pp", "65"], "PP65 does not divide qwen3-32b: 65 pipeline stages for 64 layers"),
        (["--ep", "2"], "EP2 does not divide qwen3-32b: EP2 for a model without experts"),
    ] {
        assert_eq!(refused(&["estimate", options[0], options[1]]), told(fault));
    }
}

#[test]
fn a_batch_does_not_fit() {
    // 65.5 GB of weights and 64 sequences of 1.2 GB against 0.9 · 102.6 GB: the message says how much is missing where.
    let told = refused(&["estimate", "--batch", "64"]);
    let (before, after) = told.split_once(" GB too much on each rank of pipeline stage 0").unwrap();
    let missing = before
        .strip_prefix("error[does-not-fit]: batch 64 of qwen3-32b does not fit TP1 on NVIDIA H20 96 GB: ");
    let missing: f64 = missing.unwrap().parse().unwrap();
    let cache = 64.0 * 4608.0 * 262_144.0 / 1e9;
    let expected = 65.5 + cache - 0.9 * 102.6;
    // Beside them: activations, runtime, and three standard deviations of the lengths.
    assert!(missing > expected && missing < expected + 12.0, "{missing} GB, at least {expected}");
    assert_eq!(after, "\n |\n = help: use more chips, a smaller batch, or a smaller precision\n\n");
}

#[test]
fn a_precision_that_is_none() {
    assert_eq!(
        refused(&["compare", "--precision", "bf8"]),
        "\
error[precision-unknown]: `bf8` is not a precision: use one of bf16, fp16, fp8-block, fp8, w8a8, w8a8-dynamic, w8a16, w4a16, w4a8, mxfp8, mxfp4, nvfp4
 |
 = help: or `published` for the checkpoint's own

"
    );
}

#[test]
fn a_precision_that_the_chip_lacks() {
    let file = "extends = \"h20\"\nname = \"no-int8\"\n[matrix]\nint8 = 0\n";
    let arguments = ["estimate", "--chip", "my.toml", "--precision", "w8a8", "--tp", "2"];
    assert_eq!(
        refused_file("my.toml", file, &arguments),
        "\
error[precision-chip]: no-int8 (NVIDIA H20 96 GB) cannot run w8a8: its matrix unit has no INT8: use w8a16 or an FP8 scheme
 |
 = help: the matrix unit of no-int8 (NVIDIA H20 96 GB) multiplies tf32, fp16, bf16, fp8

"
    );
}

#[test]
fn a_sparsity_of_the_other_maker() {
    assert_eq!(
        refused(&["compare", "ascend-910b2", "--sparsity", "2:4"]),
        "\
error[precision-chip]: Huawei Ascend 910B2 cannot run 2:4 sparsity: its matrix unit has 4:2
 |
 = help: the matrix unit of Huawei Ascend 910B2 multiplies fp32, tf32, fp16, bf16, int8, int4

"
    );
    assert_eq!(
        refused(&["compare", "h20", "--sparsity", "4:2"]),
        "\
error[precision-chip]: NVIDIA H20 96 GB cannot run 4:2 sparsity: its matrix unit has 2:4
 |
 = help: the matrix unit of NVIDIA H20 96 GB multiplies tf32, fp16, bf16, fp8, int8

"
    );
}

#[test]
fn words_that_are_none() {
    for (option, word, told) in [
        (
            "--sparsity",
            "3:4",
            "error[sparsity-unknown]: `3:4` is not a sparsity: use one of dense, 2:4, 4:2\n\n",
        ),
        (
            "--objective",
            "fun",
            "error[objective-unknown]: `fun` is not an objective: use throughput, cost, energy or latency\n\n",
        ),
        (
            "--region",
            "mars",
            "error[region-unknown]: there is no region `mars`\n |\n = help: use cn or cn-coast or eu or us\n\n",
        ),
    ] {
        assert_eq!(refused(&["compare", option, word]), told);
    }
    assert!(
        refused(&["compare", "--kv", "int9"]).starts_with("error[kv-unknown]: `int9` is not a number format")
    );
    assert!(
        refused(&["estimate", "--attention", "int9"]).starts_with("error[attention-unknown]: `int9` is not")
    );
    assert_eq!(
        refused(&["estimate", "--overlap-experts", "three-batch"]),
        "error[overlap-unknown]: there is no overlap of experts `three-batch`\n |\n = help: use single-batch or two-batch\n\n"
    );
    assert!(refused(&["compare", "--fidelity", "cycle"]).starts_with("error[fidelity-unknown]: "));
}

#[test]
fn kernels_that_fit_no_core() {
    let first = |arguments: &[&str]| refused(arguments).lines().next().unwrap_or_default().to_owned();
    for (arguments, told) in [
        (
            &["kernel", "gemm", "--m", "0", "--n", "1", "--k", "1"][..],
            "error[kernel-shape]: a product needs at least one row, column and step of depth",
        ),
        (
            &["kernel", "gemm", "--m", "1", "--n", "16", "--k", "64", "--sparse"],
            "error[kernel-shape]: the cube skips zeros of int8 weights only",
        ),
        (
            &["kernel", "gemm", "--m", "1", "--n", "16", "--k", "64", "--epilogue", "dequantise"],
            "error[kernel-shape]: only products of integers have a scale to come back from",
        ),
        (
            &["kernel", "convolution", "--size", "3", "--channels", "3", "--filters", "8", "--kernel", "9"],
            "error[kernel-shape]: the kernel must fit the padded image; sizes are 1 to 32767",
        ),
        (
            &["kernel", "decode", "--heads", "7", "--kv-heads", "2", "--kv-len", "9"],
            "error[attention-shape]: query heads must be a multiple of key-value heads, at most 128 of each",
        ),
        (
            &["kernel", "softmax", "--rows", "0", "--width", "64"],
            "error[kernel-shape]: a row kernel needs rows, and a width that is a multiple of 16",
        ),
        (
            &["kernel", "grouped-gemm", "--rows", "0,0", "--n", "16", "--k", "16"],
            "error[davinci-empty]: no expert has a row",
        ),
        (
            &["kernel", "gemm", "--m", "1", "--n", "1", "--k", "1", "--chip", "h20"],
            "error[davinci-no-core]: Hopper has no Da Vinci core",
        ),
        (
            &["estimate", "--fidelity", "simulated"],
            "error[fidelity-chip]: NVIDIA H20 96 GB has no Da Vinci core to simulate",
        ),
    ] {
        assert_eq!(first(arguments), told, "{arguments:?}");
    }
}

#[test]
fn programs_that_break_a_rule() {
    let head = ".tensor a 512\n.core aiv\n";
    let run = |body: &str| refused_file("my.dv", format!("{head}{body}\n"), &["kernel", "run", "my.dv"]);
    let race = "copy_gm_to_ubuf ub[0], gm[a], bytes=512\nvadds.f32 ub[0x1000], ub[0], scalar=1.0";
    assert_eq!(
        run(race),
        "\
error[davinci-fault]: race: PIPE_V at ub[0x0] is not ordered after the write by PIPE_MTE2 of core 0 at my.dv:3:1
 --> my.dv:4:1
  |
4 | vadds.f32 ub[0x1000], ub[0], scalar=1.0
  | ^^^^^^^^^ core 0

"
    );
    // UB has 192 KiB: 196352 + 512 > 196608.
    let overflow = run("copy_gm_to_ubuf ub[196352], gm[a], bytes=512");
    assert!(overflow.starts_with(
        "error[davinci-fault]: out of bounds: ub[0x2ff00..0x30100] of 0x30000 bytes\n --> my.dv:3:1\n"
    ));
    let deadlock = run("wait_flag PIPE_V, PIPE_MTE2, 0");
    assert!(
        deadlock.starts_with("error[davinci-fault]: deadlock: core 0 PIPE_MTE2 waits at my.dv:3:1"),
        "{deadlock}"
    );
    let unwritten = run("vadds.f32 ub[0x1000], ub[0], scalar=1.0");
    assert!(unwritten.contains(" --> my.dv:3:1\n"), "{unwritten}");
}
