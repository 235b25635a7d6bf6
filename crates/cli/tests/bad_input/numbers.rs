//! Numbers that are out of range, overflow, or are none.

use crate::refused;

/// The messages alone.
fn messages(arguments: &[&str]) -> Vec<String> {
    let told = refused(arguments);
    told.lines().filter_map(|line| line.strip_prefix("error[out-of-range]: ").map(str::to_owned)).collect()
}

#[test]
fn nothing_is_asked_of_nothing() {
    for (option, what, most) in [
        ("--isl", "input tokens", 100_000_000),
        ("--osl", "output tokens", 100_000_000),
        ("--chips", "chips", 65_536),
    ] {
        let told = format!("{what} must lie between 1 and {most}, not 0");
        assert_eq!(messages(&["compare", option, "0"]), [told]);
    }
    for (option, what, most) in [("--batch", "batch", 1_000_000), ("--tp", "TP", 65_536)] {
        let told = format!("{what} must lie between 1 and {most}, not 0");
        assert_eq!(messages(&["estimate", option, "0"]), [told]);
    }
}

#[test]
fn every_number_out_of_range_is_told_at_once() {
    assert_eq!(
        messages(&["compare", "--isl", "4294967295", "--osl", "4294967295", "--chips", "4294967295"]),
        [
            "input tokens must lie between 1 and 100000000, not 4294967295",
            "output tokens must lie between 1 and 100000000, not 4294967295",
            "chips must lie between 1 and 65536, not 4294967295",
        ]
    );
}

#[test]
fn numbers_that_overflow() {
    assert_eq!(
        refused(&["compare", "--isl", "99999999999"]),
        "\
error: invalid value '99999999999' for '--isl <TOKENS>': 99999999999 is not in 0..=4294967295

For more information, try '--help'.
"
    );
    assert_eq!(
        refused(&["compare", "--tpot", "1e400s"]),
        "\
error: invalid value '1e400s' for '--tpot <TIME>': `1e400s` is too large for a time

For more information, try '--help'.
"
    );
}

#[test]
fn the_largest_numbers_are_answered() {
    // 10⁸ tokens of context fit nowhere: status 1, no panic and no overflow.
    let arguments = ["compare", "--isl", "100000000", "--osl", "100000000", "--chips", "8"];
    let output = std::process::Command::new(crate::common::BINARY).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_cached_prefix_is_part_of_the_prompt() {
    assert_eq!(
        refused(&["compare", "--cached", "5000"]),
        "\
error[cached-tokens]: 5000 cached tokens are more than the 4096 of the prompt
 |
 = help: the cached prefix is a part of the prompt

"
    );
}
