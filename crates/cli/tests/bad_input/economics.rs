//! Rules and money: days, rates, densities, dies.

use crate::{refused, refused_file};

#[test]
fn a_day_that_is_none_or_out_of_range() {
    assert_eq!(
        refused(&["export-control", "check", "h20", "--date", "2023-02-29"]),
        "error[date]: `2023-02-29` is not a day of the calendar: write year, month and day, such as 2023-11-17\n\n"
    );
    assert_eq!(
        refused(&["export-control", "check", "h20", "--date", "1999-01-01"]),
        "\
error[date-out-of-range]: 1999-01-01 is out of range
 |
 = help: ask about a day from 2018-01-01 to 2035-12-31

"
    );
}

#[test]
fn chip_and_day_are_told_at_once() {
    let told = refused(&["export-control", "check", "h21", "--date", "soon"]);
    assert!(told.contains("error[unknown-chip]") && told.contains("error[date]"), "{told}");
}

#[test]
fn an_unknown_rule_is_told_the_nearest() {
    assert_eq!(
        refused(&["export-control", "rules", "V24"]),
        "\
error[unknown-rule]: no rule is called `V24`
 |
 = help: did you mean `V24c`?

"
    );
}

#[test]
fn a_stack_without_area() {
    let told = refused(&["export-control", "memory", "--bandwidth", "819 GB/s", "--area", "0 mm2"]);
    assert_eq!(told, "error[out-of-range]: the area of a stack must be more than zero\n\n");
}

#[test]
fn a_transistor_of_no_kind() {
    let told = refused_file(
        "my.toml",
        "extends = \"h20\"\ndie.transistor = \"finfit\"\n",
        &["export-control", "check", "my.toml"],
    );
    assert_eq!(
        told,
        "\
error[unknown-word]: `finfit` is not a value of `die.transistor`: use one of planar, finfet, gaa
 --> my.toml:2:18
  |
2 | die.transistor = \"finfit\"
  |                  ^^^^^^^^
  |
  = help: did you mean `finfet`?

"
    );
}

#[test]
fn a_die_larger_than_the_reticle() {
    let told =
        refused_file("my.toml", "extends = \"h20\"\ndie.area = \"900 mm2\"\n", &["cost", "die", "my.toml"]);
    assert!(
        told.starts_with(
            "error[die-reticle]: a die of 27.3 × 32.9 mm is larger than the field of a scanner, 26 × 33 mm"
        ),
        "{told}"
    );
}

#[test]
fn figures_of_a_die_that_cannot_be_are_told_at_once() {
    assert_eq!(
        refused(&["cost", "die", "h20", "--defects", "-1", "--assembly-yield", "1.5", "--alpha", "0"]),
        "\
error[out-of-range]: the defect density must be between 0 and 1000 a cm2, not -1

error[out-of-range]: the assembly yield must be more than 0 and at most 1, not 1.5

error[out-of-range]: the clustering must be more than zero, not 0

"
    );
    let told = refused(&["cost", "die", "h20", "--cores", "145"]);
    assert!(told.contains("145 cores cannot be good on a die of 144"), "{told}");
    let told = refused(&["cost", "die", "h20", "--samples", "0"]);
    assert!(told.contains("samples must lie between 10 and 1000000"), "{told}");
}

#[test]
fn names_of_processes_and_models() {
    let told = refused(&["cost", "die", "h20", "--process", "tmsc-n7"]);
    assert!(
        told.contains("no process is called `tmsc-n7`") && told.contains("did you mean `tsmc-n7`?"),
        "{told}"
    );
    let told = refused(&["cost", "die", "h20", "--model", "poison"]);
    assert!(
        told.contains("no yield model is called `poison`") && told.contains("did you mean `poisson`?"),
        "{told}"
    );
    let told = refused(&["cost", "die", "ascend-310p3", "--process", "tsmc-n7"]);
    assert!(told.contains("does not give the area of its die"), "{told}");
}

#[test]
fn clusters_that_no_model_has() {
    let told = refused(&["cost", "die", "h20", "--clusters", "dye"]);
    assert!(
        told.contains("clusters do not reach over a `dye`") && told.contains("did you mean `die`?"),
        "{told}"
    );
    let told = refused(&["cost", "die", "h20", "--clusters", "die", "--model", "murphy"]);
    assert!(told.contains("the model murphy has no clusters over a die"), "{told}");
}

#[test]
fn a_currency_without_a_rate() {
    let told = "\
error[currency]: there is no exchange rate for `XYZ`
 |
 = help: give one, as `--rate XYZ=1.23` (US dollars for one), or use USD, CNY, EUR, JPY

";
    assert_eq!(refused(&["cost", "rent", "h20", "--rent", "3 XYZ"]), told);
    assert_eq!(refused(&["cost", "die", "h20", "--wafer-price", "3 XYZ"]), told);
    assert_eq!(refused(&["cost", "serve", "--tp", "4", "--price", "3 XYZ"]), told);
}

#[test]
fn rates_and_assumptions_are_told_at_once() {
    let told = refused(&[
        "cost",
        "serve",
        "--utilisation",
        "3",
        "--pue",
        "0.5",
        "--rate",
        "CNY",
        "--rate",
        "EUR=-1",
    ]);
    for part in [
        "the utilisation must be more than 0 and at most 1, not 3",
        "the PUE must be between 1 and 5, not 0.5",
        "`CNY` is not an exchange rate: it has no `=`",
        "`EUR=-1` is not an exchange rate: it must be more than zero",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn a_fleet_that_cannot_be() {
    let told = refused(&["cost", "rent", "h20", "--nodes", "-2", "--chips", "3", "--cached-share", "2"]);
    for part in [
        "the number of servers cannot be -2",
        "the cached share cannot be 2",
        "give one of --nodes and --chips",
    ] {
        assert!(told.contains(part), "{told}");
    }
    let told = refused(&["cost", "rent", "l20"]);
    assert!(told.contains("no rent of NVIDIA L20 48 GB is known"), "{told}");
}

#[test]
fn a_promise_that_no_fleet_keeps() {
    let told = refused(&["cost", "serve", "--model", "qwen3-8b", "--chips", "1", "--tpot", "0.1ms"]);
    assert!(told.starts_with("error[no-deployment]: no deployment on 1 chips keeps the promise: "), "{told}");
}

#[test]
fn a_rule_with_a_field_that_is_none() {
    let rule = include_str!("../../../../examples/rule-tighter.toml").replace("tpp >= 800", "tps >= 800");
    let told = refused_file("my.toml", rule, &["export-control", "check", "h20", "--rule", "my.toml"]);
    assert!(told.starts_with("error[rule-file]: the rule cannot be read\n  --> my.toml:16:9\n"), "{told}");
    assert!(told.contains("`tps` is not a field of a rule: use one of tpp, performance_density"), "{told}");
    let told = refused_file("my.toml", "id = 3", &["export-control", "check", "h20", "--rule", "my.toml"]);
    assert!(told.contains("my.toml:1:6"), "{told}");
}

#[test]
fn a_run_that_does_not_fit() {
    let told = refused(&["cost", "train", "--chip", "l20", "--model", "llama-3.1-70b", "--tp", "1"]);
    assert!(
        told.starts_with(
            "error[does-not-fit]: llama-3.1-70b does not fit on 1 × NVIDIA L20 48 GB in that layout"
        ),
        "{told}"
    );
    let told = refused(&["cost", "train", "--tokens", "lots"]);
    assert!(told.contains("`lots` is no number of tokens: write for example 15T or 300B"), "{told}");
}
