//! Traces and traffic that cannot be served.

use crate::{common, refused, refused_file};

const SMALL: [&str; 9] = ["simulate", "--model", "qwen3-0.6b", "--chip", "h20", "--chips", "1", "--tp", "1"];

/// What is said of a trace.
fn told(text: &str, more: &[&str]) -> String {
    refused_file("trace.csv", text, &[&SMALL[..], &["--trace", "trace.csv"], more].concat())
}

fn refused_small(more: &[&str]) -> String {
    refused(&[&SMALL[..], more].concat())
}

#[test]
fn rows_that_are_malformed_negative_or_go_back() {
    let trace = "TIMESTAMP,ContextTokens,GeneratedTokens\n0.0,100,5\n0.5,-3,5\n0.2,10,5\n0.1,10,5\nsoon,10,5\n0.3,10\n";
    assert_eq!(
        told(trace, &[]),
        "\
error[trace-row]: `ContextTokens` must be at least one token, not -3
 --> trace.csv:3:1
  |
3 | 0.5,-3,5
  | ^^^^^^^^ in this row

error[trace-row]: the request comes 0.100 s before the one above it: times must not go back
 --> trace.csv:5:1
  |
5 | 0.1,10,5
  | ^^^^^^^^ in this row

error[trace-row]: `TIMESTAMP` must be a number or a date, not `soon`
 --> trace.csv:6:1
  |
6 | soon,10,5
  | ^^^^^^^^^ in this row

error[trace-row]: no value for `GeneratedTokens`
 --> trace.csv:7:1
  |
7 | 0.3,10
  | ^^^^^^ in this row
  |
  = help: correct the trace, or leave such rows out with --lenient

"
    );
}

#[test]
fn lenient_leaves_them_out_and_counts_them() {
    let folder = common::Folder::new("bad-lenient");
    let trace = "TIMESTAMP,ContextTokens,GeneratedTokens\n0.0,100,5\n0.5,-3,5\n0.2,10,5\n";
    std::fs::write(folder.join("trace.csv"), trace).unwrap();
    let arguments = [&SMALL[..], &["--trace", "trace.csv", "--lenient", "--format", "json"]].concat();
    let output =
        std::process::Command::new(common::BINARY).args(arguments).current_dir(&*folder).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["requests"], &answer["skipped_rows"]), (&2.into(), &1.into()));
}

#[test]
fn a_trace_without_a_request() {
    let header = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
    assert!(told(header, &[]).starts_with("error[trace-empty]: `trace.csv` holds no request\n"));
    let all_wrong = told(&format!("{header}1,0,0\n"), &["--lenient"]);
    assert!(all_wrong.contains("all of its 1 rows were left out"), "{all_wrong}");
}

#[test]
fn columns_that_are_not_there_or_not_known() {
    let unknown = told("a,b,c\n1,2,3\n", &[]);
    assert!(
        unknown.starts_with("error[trace-columns]: `trace.csv` has the columns of no known trace\n"),
        "{unknown}"
    );
    let missing = told("a,b,c\n1,2,3\n", &["--columns", "time=a,input=b,output=d"]);
    assert!(missing.starts_with("error[trace-columns]: no column d\n --> trace.csv:1:1"), "{missing}");
    let wrong = told("a,b,c\n1,2,3\n", &["--columns", "time=a,inputs=b"]);
    assert!(wrong.contains("there is no `inputs`"), "{wrong}");
}

#[test]
fn requests_longer_than_the_context_are_turned_away() {
    let folder = common::Folder::new("bad-long");
    let trace = "TIMESTAMP,ContextTokens,GeneratedTokens\n0.0,100,5\n0.5,5000,5\n";
    std::fs::write(folder.join("trace.csv"), trace).unwrap();
    let ask = |context: &str| {
        let more = ["--trace", "trace.csv", "--context", context, "--format", "json"];
        let arguments = [&SMALL[..], &more].concat();
        let output = std::process::Command::new(common::BINARY)
            .args(arguments)
            .current_dir(&*folder)
            .output()
            .unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let notes = answer["notes"].to_string();
        (output.status.code(), answer["rejected"].as_u64(), notes.contains("turned away"))
    };
    assert_eq!(ask("1000"), (Some(0), Some(1), true));
    // Nothing feasible was found.
    assert_eq!(ask("50"), (Some(1), Some(2), true));
}

#[test]
fn traffic_that_is_none() {
    assert!(refused_small(&[]).contains("nothing says how many requests come"));
    let faults = refused_small(&["--rate", "0", "--requests", "0", "--ttft", "0s", "--chunk", "0"]);
    for part in [
        "rate must be above 0, not 0",
        "requests must lie between 1 and 50000000, not 0",
        "the TTFT target is 0 s, which nothing can meet",
        "chunk must lie between 1 and 100000000, not 0",
    ] {
        assert!(faults.contains(part), "{part}: {faults}");
    }
    assert!(refused_small(&["--clients", "0"]).contains("clients must lie between 1 and 1000000, not 0"));
}

#[test]
fn words_that_are_not_known() {
    let rate = ["--rate", "1"];
    let said = |more: &[&str]| refused_small(&[&rate[..], more].concat());
    assert!(said(&["--routing", "random"]).contains("there is no routing `random`; use round-robin"));
    assert!(said(&["--scheduler", "orca"]).contains("use vllm, vllm-v0, sglang or mindie"));
    assert!(said(&["--speculate", "3:2"]).contains("neither `drafts:acceptance`"));
    let pool = refused(&["simulate", "--rate", "1", "--prefill", "h20,tq=2", "--decode", "h20"]);
    assert!(pool.contains("there is no `tq`; use chips, tp"), "{pool}");
}

#[test]
fn deployments_that_cannot_be() {
    let layout = refused(&["simulate", "--rate", "1", "--model", "qwen3-0.6b", "--chips", "3", "--tp", "2"]);
    assert!(layout.contains("3 chips are no whole number of replicas of TP2 (2 chips)"), "{layout}");
    let unfit = refused(&[
        "simulate",
        "--rate",
        "1",
        "--model",
        "deepseek-r1",
        "--chip",
        "h20",
        "--chips",
        "1",
        "--tp",
        "1",
    ]);
    assert!(unfit.starts_with("error[does-not-fit]"), "{unfit}");
}
