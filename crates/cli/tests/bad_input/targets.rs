//! Service levels: impossible ones, and ones that nothing meets.

use std::process::Command;

use serde_json::Value;

use crate::common;
use crate::refused;

#[test]
fn a_target_of_no_time() {
    let told = |what: &str, time: &str| {
        format!(
            "\
error[target]: the {what} target is {time}, which nothing can meet
 |
 = help: give a positive time, such as 50ms

"
        )
    };
    assert_eq!(refused(&["compare", "--ttft", "0s"]), told("TTFT", "0 s"));
    assert_eq!(refused(&["compare", "--tpot=-5ms"]), told("TPOT", "-5.00 ms"));
}

#[test]
fn a_target_without_unit_or_of_another_kind() {
    let told = |value: &str, fault: &str| {
        format!(
            "error: invalid value '{value}' for '--tpot <TIME>': {fault}\n\nFor more information, try '--help'.\n"
        )
    };
    let units = "ps, ns, us, µs, ms, s, min, h, d, year";
    assert_eq!(
        refused(&["compare", "--tpot", "50"]),
        told("50", &format!("`50` has no unit: a time is written with one of {units}"))
    );
    assert_eq!(
        refused(&["compare", "--tpot", "50MB"]),
        told("50MB", &format!("`MB` is not a unit of a time: use one of {units}"))
    );
    assert_eq!(refused(&["compare", "--tpot", "inf"]), told("inf", "expected a time, found `inf`"));
}

/// What is printed for a service level that no deployment meets: status 1.
fn unmet(arguments: &[&str]) -> String {
    let output = Command::new(common::BINARY).arg("compare").args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.is_empty(), "an answer goes to stdout");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_closest_is_told_with_what_stops_it() {
    // Weights alone take 32.8 GB / 8 chips / 4 TB/s = 1.0 ms a step; launches take more.
    let told = unmet(&["h20", "--tpot", "1ms"]);
    assert!(told.contains("Nothing on H20 meets the targets; closest is TP8, "), "{told}");
    assert!(told.trim_end().ends_with(" against 1.000 ms asked."), "{told}");
}

#[test]
fn scripts_are_told_too() {
    let answer: Value = serde_json::from_str(&unmet(&["--tpot", "1ms", "--format", "json"])).unwrap();
    for chip in answer["chips"].as_array().unwrap() {
        assert!(chip["best"].is_null() && chip["front"].as_array().unwrap().is_empty());
        let stops = chip["closest"]["stops"].as_str().unwrap();
        assert!(stops.starts_with("TPOT ") && stops.ends_with(" against 1.000 ms asked"), "{stops}");
        assert!(chip["closest"]["deployment"]["tpot_ms"]["p50"].as_f64().unwrap() > 1.0);
    }
}

#[test]
fn a_model_that_fits_nowhere_is_short_of_memory() {
    // DeepSeek-V3 in FP8 is 671 GB of weights; two chips of 103 GB hold 205.
    let told = unmet(&["h20", "--model", "deepseek-v3", "--chips", "2", "--format", "json"]);
    let answer: Value = serde_json::from_str(&told).unwrap();
    let stops = answer["chips"][0]["closest"]["stops"].as_str().unwrap();
    assert!(stops.starts_with("lacks ") && stops.contains(" GB on each rank of pipeline stage "), "{stops}");
}

#[test]
fn one_chip_that_meets_the_targets_is_an_answer() {
    // Between what the two chips reach: H20 has 2.5 times the bandwidth of 910B2.
    let output = Command::new(common::BINARY).args(["compare", "--tpot", "11ms"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("Nothing on 910B2 meets the targets; closest is "), "{told}");
}
