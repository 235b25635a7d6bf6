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

/// What is shown, each line as it is printed now; nothing if there are no dots or a line between them is not found. A line is
/// known by its words without digits.
pub(crate) fn renewed(shown: &str, printed: &str) -> Option<Vec<String>> {
    let words = |line: &str| {
        let plain = |word: &&str| !word.contains(|c: char| c.is_ascii_digit());
        line.split_whitespace().filter(plain).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut rest = printed.lines();
    let mut renew = |line: &str| match line {
        "..." => Some(line.to_owned()),
        _ => rest.find(|new| words(new) == words(line)).map(str::to_owned),
    };
    shown.lines().any(|line| line == "...").then(|| shown.lines().map(&mut renew).collect())?
}

#[test]
fn dots_stand_for_any_lines() {
    assert!(matches("a\n...\nd\n", "a\nb\nc\nd\n"));
    assert!(matches("...\n", ""));
    assert!(matches("a  \n", "a\n"));
    assert!(!matches("a\n...\nd\n", "a\nb\n"));
    assert!(!matches("a\n", "a\nb\n"));
}
