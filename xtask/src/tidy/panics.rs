//! No input may bring the product down: nothing panics outside tests, nothing is left to do.

use crate::repository::Repository;

/// What may not stand in the product, and what to do instead.
const REFUSED: [(&str, &str); 7] = [
    (".unwrap()", "return an error, or a type that cannot be empty"),
    (".expect(", "return an error, or a type that cannot be empty"),
    ("panic!(", "return an error"),
    ("unreachable!(", "let the types rule it out"),
    ("todo!(", "finish it, or leave it out"),
    ("unimplemented!(", "finish it, or leave it out"),
    ("dbg!(", "remove it"),
];

pub(super) fn check(repository: &Repository) -> Vec<String> {
    let lines =
        repository.product_sources().flat_map(|file| file.product_lines().map(move |line| (file, line)));
    let code = lines.filter(|(_, (_, line))| !line.trim_start().starts_with("//"));
    code.filter_map(|(file, (number, line))| {
        let (word, instead) = REFUSED.iter().find(|(word, _)| line.contains(word))?;
        Some(file.finding(number, &format!("`{word}`: {instead}")))
    })
    .collect()
}
