//! Every file of the catalog is embedded: a list in code names it.

use crate::repository::{File, Repository};

/// Files that say how others were made. They are read when those are made again, not by the program.
const RECIPES: [&str; 1] = ["/tables.toml"];

pub(super) fn check(repository: &Repository) -> Vec<String> {
    let lists: Vec<&File> =
        repository.product_sources().filter(|file| file.text.contains("include_str!")).collect();
    let recipe = |file: &File| RECIPES.iter().any(|name| file.path.ends_with(name));
    let data = |file: &&File| file.path.starts_with("catalog/") && (is(file, ".toml") || is(file, ".json"));
    let forgotten = repository
        .files
        .iter()
        .filter(data)
        .filter(|file| !recipe(file) && !lists.iter().any(|list| names(list, file)));
    forgotten.map(|file| file.finding(1, "no list in code embeds this file")).collect()
}

fn is(file: &File, extension: &str) -> bool {
    file.path.ends_with(extension)
}

/// Whether a list has the file by its path, or by its name in a list of its folder.
fn names(list: &File, file: &File) -> bool {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let folder = folder.rsplit('/').next().unwrap_or(folder);
    let whole = list.text.contains(&format!("{}\"", file.path));
    whole || (list.text.contains(folder) && list.text.contains(&format!("\"{stem}\"")))
}
