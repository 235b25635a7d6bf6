//! Whether a command prints what is shown.

/// Compares line by line without trailing blanks; a line `...` stands for any number of lines.
pub(crate) fn matches(shown: &str, printed: &str) -> bool {
    let lines =
        |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    lines_match(&lines(shown), &lines(printed))
}

fn lines_match(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=printed.len()).any(|skipped| lines_match(rest, &printed[skipped..]))
        }
        Some((first, rest)) => printed.first() == Some(first) && lines_match(rest, &printed[1..]),
    }
}

#[test]
fn dots_stand_for_any_lines() {
    assert!(matches("a\n...\nd\n", "a\nb\nc\nd\n"));
    assert!(matches("...\n", ""));
    assert!(matches("a  \n", "a\n"));
    assert!(!matches("a\n...\nd\n", "a\nb\n"));
    assert!(!matches("a\n", "a\nb\n"));
}
