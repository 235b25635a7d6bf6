//! A file holds one concept; four hundred lines are a reason to split it.

use crate::repository::Repository;

/// The most lines of a Rust file.
const MOST: usize = 400;

/// Longer files, each with the reason why it is better whole.
const ALLOWED: &[(&str, &str)] = &[];

pub(super) fn check(repository: &Repository) -> Vec<String> {
    let long = repository.ending(".rs").filter(|file| file.text.lines().count() > MOST);
    let refused = long.filter(|file| !ALLOWED.iter().any(|(path, _)| *path == file.path));
    let refused = refused.map(|file| file.finding(MOST + 1, &format!("more than {MOST} lines: split it")));
    let short = |path: &str| repository.file(path).is_none_or(|file| file.text.lines().count() <= MOST);
    let stale = ALLOWED.iter().filter(|(path, _)| short(path));
    let stale = stale
        .map(|(path, _)| format!("{path}:1: need no longer be in the list of xtask/src/tidy/lengths.rs"));
    let modules =
        repository.ending("/mod.rs").map(|file| file.finding(1, "a module is `foo.rs` beside `foo/`"));
    refused.chain(stale).chain(modules).collect()
}
