//! Plans: chips that are none, targets that nothing meets, traffic that is none, folders that exist.

use std::process::Command;

use serde_json::Value;

use crate::{common, refused, refused_file, refused_in};

#[test]
fn an_unknown_chip_names_the_nearest() {
    let told = refused(&["plan", "--chips", "h200:8,asend-910b2:8"]);
    assert!(told.contains("asend-910b2") && told.contains("ascend-910b2"), "{told}");
}

#[test]
fn chips_without_a_number() {
    assert_eq!(
        refused(&["plan", "--chips", "h20,ascend-910b2:many"]),
        "\
error[chips]: `h20` does not say how many chips
 |
 = help: write `h20:8`

error[chips]: `many` is no number of chips, in `ascend-910b2:many`
 |
 = help: write `ascend-910b2:8`

"
    );
    let told = refused(&["plan", "--chips", "h20:4,h20:2"]);
    assert!(told.contains("`h20` is named more than once") && told.contains("write `h20:6`"), "{told}");
    assert!(refused(&["plan", "--chips", "h20:0"]).contains("chips must lie between 1 and 65536, not 0"));
}

#[test]
fn targets_and_traffic_that_are_none_are_told_at_once() {
    let told = refused(&["plan", "--ttft", "0s", "--tpot=-1ms", "--rate=-2", "--attainment", "1.5"]);
    for fault in [
        "the TTFT target is 0 s, which nothing can meet",
        "the TPOT target is -1.00 ms, which nothing can meet",
        "the rate is -2 requests per second, which is no traffic",
        "an attainment of 1.5 is no share of the requests below one",
    ] {
        assert!(told.contains(fault), "{fault}\n{told}");
    }
    assert!(
        refused(&["plan", "--rate", "many"])
            .contains("`many` is no number of requests per second, nor `max`")
    );
    assert!(refused(&["plan", "--objective", "fun"]).starts_with("error[objective-unknown]: `fun`"));
}

#[test]
fn a_trace_that_is_not_as_it_should_be_is_told_by_line() {
    let text = "TIMESTAMP,ContextTokens,GeneratedTokens\n0,100,10\n1,-5,10\n";
    let told = refused_file("trace.csv", text, &["plan", "--trace", "trace.csv"]);
    assert!(told.contains("trace.csv:3:"), "{told}");
    let once = "TIMESTAMP,ContextTokens,GeneratedTokens\n0,100,10\n0,200,10\n";
    let told = refused_file("trace.csv", once, &["plan", "--trace", "trace.csv"]);
    assert!(told.starts_with("error[trace-rate]: all requests of the trace come at once"), "{told}");
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let folder = common::Folder::new("plan-emit");
    std::fs::create_dir(folder.join("out")).unwrap();
    std::fs::write(folder.join("out/mine"), "mine").unwrap();
    let told = refused_in(&folder, &["plan", "--chips", "h20:2", "--analytic", "--emit", "out"]);
    assert!(told.starts_with("error[output-exists]: `out` exists and is not an empty folder"), "{told}");
    assert_eq!(std::fs::read_to_string(folder.join("out/mine")).unwrap(), "mine");
    let told = refused_in(&folder, &["plan", "--chips", "h20:2", "--analytic", "--emit", "no/such"]);
    assert!(told.contains("its folder does not exist"), "{told}");
}

#[test]
fn an_engine_without_launch_files_writes_nothing() {
    let folder = common::Folder::new("plan-engine");
    let arguments = ["plan", "--chips", "h20:2", "--analytic", "--engine", "tensorrt-llm", "--emit", "out"];
    assert!(refused_in(&folder, &arguments).starts_with("error[emit-engine]: "));
    assert!(!folder.join("out").exists());
}

/// What is answered to scripts where nothing is feasible: status 1.
fn infeasible(arguments: &[&str]) -> Value {
    let output = Command::new(common::BINARY).arg("plan").args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn no_chip_fits_and_the_nearest_that_does_is_named() {
    // 671 GB in FP8 over 0.9 · 102.6 GB a chip: 7.3, so eight.
    let answer = infeasible(&["--model", "deepseek-v3", "--chips", "h20:2", "--format", "json"]);
    let closest = answer["closest"][0].as_str().unwrap();
    assert!(closest.contains("the nearest that does is 8 × NVIDIA H20 96 GB"), "{closest}");
}

#[test]
fn a_target_that_nothing_meets_names_the_closest() {
    let answer = infeasible(&["--chips", "h20:2", "--tpot", "1ms", "--format", "json"]);
    let closest = answer["closest"][0].as_str().unwrap();
    assert!(closest.contains("nothing meets the targets; closest is "), "{closest}");
}
