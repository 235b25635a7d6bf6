//! Nothing names a folder of the machine it was written on.

use crate::repository::Repository;

/// How such folders begin; split, lest this file find itself.
const FOLDERS: [&str; 4] =
    [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];

pub(super) fn check(repository: &Repository) -> Vec<String> {
    let lines =
        repository.files.iter().flat_map(|file| file.text.lines().enumerate().map(move |line| (file, line)));
    let found = lines.filter(|(_, (_, line))| FOLDERS.iter().any(|folder| mentions(line, folder)));
    found.map(|(file, (index, _))| file.finding(index + 1, "names a folder of one machine")).collect()
}

/// Whether a path begins there; `docs/work/` is another matter.
fn mentions(line: &str, folder: &str) -> bool {
    let begins = |before: &str| !before.ends_with(|c: char| c.is_alphanumeric() || "._-~/".contains(c));
    line.match_indices(folder).any(|(start, _)| begins(&line[..start]))
}
