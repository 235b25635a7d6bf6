//! Fleet files: every mistake at its place, and plans that cannot be.

use std::process::Command;

use serde_json::Value;

use crate::common::{self, Folder};
use crate::refused_file;

const GOOD: &str = r#"
start = "2026-Q1"
quarters = 2
samples = 4

[objective]
penalty = "2 USD"

[[demand]]
name = "chat"
model = "qwen3-8b"
isl = 1024
osl = 256
tpot = "50 ms"
requests_per_s = 40

[[supply]]
chip = "h20"
offered = 16
"#;

fn told(text: &str) -> String {
    refused_file("fleet.toml", text, &["fleet", "plan", "fleet.toml"])
}

/// The first line and the place of each diagnostic.
fn heads(told: &str) -> Vec<String> {
    let mut heads: Vec<String> = Vec::new();
    for line in told.lines() {
        if line.starts_with("error") {
            heads.push(line.to_owned());
        } else if let (Some(place), Some(head)) =
            (line.trim_start().strip_prefix("--> fleet.toml"), heads.last_mut())
        {
            head.push_str(place);
        }
    }
    heads
}

#[test]
fn a_file_of_mistakes_is_told_in_one_go() {
    let text = r#"
start = "2026-Q1"
quarters = 4

[objective]
goal = "chepest"
penalty = "3 KRW"
wait = "2029-Q1"

[[demand]]
name = "a"
model = "qwen3-32"
isl = 0
osl = 512
tpot = "50"
requests_per_s = 3
growht = 0.1

[[supply]]
chip = "h21"
offered = [1, 2, 3]

[[supply]]
chip = "h20"
"#;
    assert_eq!(
        heads(&told(text)),
        [
            "error[unknown-word]: `chepest` is not a value of `objective.goal`: use one of cost, shortfall, meet:6:8",
            "error[currency-unknown]: there is no rate for the currency `KRW`:7:11",
            "error[date-out-of-range]: `objective.wait` is 2029-Q1, but the plan runs from 2026-Q1 to 2026-Q4:8:8",
            "error[model-unknown]: no model is called `qwen3-32`:12:9",
            "error[out-of-range]: `demand.isl` is a whole number from 1 to 100000000, not 0:13:7",
            "error[unit-wrong]: `50` has no unit: a time is written with one of ps, ns, us, µs, ms, s, min, h, d, year:15:8",
            "error[unknown-key]: `demand.growht` is not a key of a fleet file:17:1",
            "error[unknown-chip]: no chip is called `h21`:20:8",
            "error[out-of-range]: `supply.offered` has 3 values, but the plan has 4 quarters:21:11",
        ]
    );
}

#[test]
fn probabilities_that_do_not_add_up() {
    let risk = r#"
[[risk]]
name = "ban"
[[risk.outcome]]
name = "no"
probability = 0.6
[[risk.outcome]]
name = "yes"
probability = 0.3
"#;
    assert_eq!(
        told(&format!("{GOOD}{risk}")),
        "\
error[probabilities]: the probabilities of `ban` add up to 0.9000, not to 1
  --> fleet.toml:28:15
   |
28 | probability = 0.3
   |               ^^^
   |
   = help: with 0.400 for the last they would

"
    );
}

#[test]
fn names_that_the_file_does_not_have() {
    let more = r#"
[[stack]]
name = "CANN"
chips = ["h2O"]
migration = "1 MUSD"

[[risk]]
name = "ban"
[[risk.outcome]]
name = "yes"
probability = 1
[[risk.outcome.effect]]
chips = ["ascend-910b2"]
from = "2026-Q2"
until = "2026-Q1"
"#;
    assert_eq!(
        heads(&told(&format!("{GOOD}{more}"))),
        [
            "error[unknown-name]: no [[supply]] of this file is called `h2O`:23:10",
            "error[unknown-name]: no [[supply]] of this file is called `ascend-910b2`:32:10",
            "error[date-order]: `until` lies before `from`:34:9",
        ]
    );
}

#[test]
fn what_is_missing_or_twice() {
    let text = r#"
start = "2026-Q7"
quarters = 2

[objective]
goal = "cost"

[[demand]]
name = "a"
model = "qwen3-8b"
isl = 10
osl = 10

[[supply]]
offered = 1
"#;
    assert_eq!(
        heads(&told(text)),
        [
            "error[date]: `2026-Q7` is no quarter: write for example 2026-Q1:2:9",
            "error[missing-key]: `objective.penalty` must be given:5:1",
            "error[missing-key]: `supply.chip` must be given:14:1",
        ]
    );
    let twice = GOOD.replace("requests_per_s = 40", "requests_per_s = 40\noutput_tokens_per_day = 1e9");
    assert_eq!(
        heads(&told(&twice)),
        ["error[demand-twice]: a demand has `requests_per_s` or `output_tokens_per_day`, not both:16:25"]
    );
}

#[test]
fn a_chip_without_a_price_and_racks_without_a_size() {
    let text =
        GOOD.replace("[[supply]]", "[limits]\nracks = 4\n\n[[supply]]").replace("\"h20\"", "\"a100-sxm\"");
    let heads = heads(&told(&text));
    assert!(heads[0].starts_with("error[price-unknown]: the catalog has no price for "), "{}", heads[0]);
    let text = text.replace("offered = 16", "offered = 16\nprice = \"90000 CNY\"");
    assert_eq!(
        self::heads(&told(&text)),
        ["error[rack-unknown]: racks are limited, but not how many nodes go into one:20:1"]
    );
}

#[test]
fn figures_beyond_all_bounds() {
    let text = GOOD
        .replace("penalty = \"2 USD\"", "penalty = \"1 MUSD\"")
        .replace("requests_per_s = 40", "requests_per_s = 40\ngrowth = 100\nfactors = [1, 1e9]")
        .replace("offered = 16", "offered = -16\nprice = \"1e9 USD\"");
    assert_eq!(
        heads(&told(&text)),
        [
            "error[out-of-range]: `objective.penalty` is at most 100000 USD:7:11",
            "error[out-of-range]: the demand grows beyond 100000000 requests per second:16:10",
            "error[demand-twice]: a demand has `growth` or `factors`, not both:17:11",
            "error[out-of-range]: `supply.offered` is a number from 0 to 100000000, not -16:21:11",
            "error[out-of-range]: `supply.price` is at most 100000000 USD:22:9",
        ]
    );
}

#[test]
fn what_is_no_toml_and_a_file_that_is_not_there() {
    assert!(told("start = ").starts_with("error[syntax]: not valid TOML"));
    let missing = crate::refused(&["fleet", "plan", "no-such-fleet.toml"]);
    assert!(missing.starts_with("error[file-missing]"), "{missing}");
}

#[test]
fn a_chip_of_the_users_own_and_its_mistakes() {
    let folder = Folder::new("fleet-own-chip");
    std::fs::write(folder.join("fleet.toml"), GOOD.replace("\"h20\"", "\"mine.toml\"")).unwrap();
    let run = || {
        Command::new(common::BINARY)
            .args(["fleet", "plan", "fleet.toml"])
            .current_dir(&*folder)
            .output()
            .unwrap()
    };
    let told = String::from_utf8(run().stderr).unwrap();
    assert!(told.starts_with("error[file-missing]: `mine.toml` does not exist"), "{told}");
    std::fs::write(folder.join("mine.toml"), "extends = \"h20\"\nhbm.bandwith = \"5 TB/s\"\n").unwrap();
    let told = String::from_utf8(run().stderr).unwrap();
    assert!(told.starts_with("error[unknown-key]") && told.contains("--> mine.toml:2:5"), "{told}");
    std::fs::write(folder.join("mine.toml"), "extends = \"h20\"\nhbm.bandwidth = \"5 TB/s\"\n").unwrap();
    let output = run();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(output.stdout).unwrap().contains("mine is h20 with hbm.bandwidth = 5 TB/s"));
}

fn plan(text: &str) -> (Option<i32>, Value) {
    let test = std::thread::current().name().unwrap().replace("::", "-");
    let folder = Folder::new(&format!("fleet-{test}"));
    std::fs::write(folder.join("fleet.toml"), text).unwrap();
    let output = Command::new(common::BINARY)
        .args(["fleet", "plan", "fleet.toml", "--format", "json"])
        .current_dir(&*folder)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}")))
}

#[test]
fn a_demand_that_must_be_met_and_cannot_be() {
    // 4000 requests/s at a peak of 1/0.6 of the mean need far more than 2 + 2 nodes; power is not what stops it.
    let text = GOOD
        .replace("penalty = \"2 USD\"", "penalty = \"2 USD\"\ngoal = \"meet\"\n[limits]\npower = \"900 MW\"")
        .replace("= 40\n", "= 4000\n");
    let (status, answer) = plan(&text);
    assert_eq!(status, Some(1));
    assert_eq!(answer["can_be_met"], false);
    let alone = answer["stops"]["alone"].as_array().unwrap();
    assert!(alone[0]["more"].is_null(), "no power alone helps: {}", alone[0]);
    let more = alone[1]["more"].as_f64().unwrap();
    assert_eq!(alone[1]["unit"], "chips");
    // With so many more chips in every quarter it can be met, with a node less it cannot.
    let offering = |chips: f64| plan(&text.replace("offered = 16", &format!("offered = {chips}")));
    assert_eq!(offering(16.0 + more).0, Some(0));
    assert_eq!(offering(16.0 + more - 8.0).0, Some(1));
}

#[test]
fn a_service_level_that_no_chip_meets() {
    let (status, answer) = plan(&GOOD.replace("tpot = \"50 ms\"", "tpot = \"1 us\""));
    assert_eq!(status, Some(0));
    assert_eq!(answer["can_be_met"], false);
    assert!(answer["stops"]["together"].is_null());
    let why = answer["unserved"][0]["why"].as_str().unwrap();
    assert!(why.contains("TPOT"), "{why}");
    assert_eq!(answer["strategies"][0]["shortfall_share"]["mean"], 1.0);
}

#[test]
fn the_stock_takes_more_racks_than_there_are() {
    let text = GOOD
        .replace("[[supply]]", "[limits]\nracks = 4\nrack_power = \"15 kW\"\n\n[[supply]]")
        .replace("offered = 16", "offered = 16\nstock = 160");
    // 8 × 500 W + 1.7 kW = 5.7 kW: two nodes a rack, 20 nodes in 10 racks.
    assert_eq!(
        heads(&told(&text)),
        ["error[racks-taken]: the stock takes 10.0 racks, but there are 4.00:18:9"]
    );
}
