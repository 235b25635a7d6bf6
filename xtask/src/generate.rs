//! Files that are written from code, and a check that they are not stale.

mod command_line;

use std::fs;
use std::io;

use crate::repository::Repository;

/// A generated file: its path from the root, and what it should hold.
pub(crate) struct Generated {
    path: String,
    contents: String,
}

/// Writes what is stale, and says what it wrote: nothing that needs doing remains, so nothing is found.
pub(crate) fn write(repository: &Repository) -> io::Result<Vec<String>> {
    for file in generated().iter().filter(|file| is_stale(repository, file)) {
        let path = repository.root.join(&file.path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, &file.contents)?;
        println!("wrote {}", file.path);
    }
    Ok(Vec::new())
}

/// The files that do not hold what they should.
pub(crate) fn stale(repository: &Repository) -> Vec<String> {
    let files = generated();
    let stale = files.iter().filter(|file| is_stale(repository, file));
    stale.map(|file| format!("{}:1: is stale: run `cargo xtask generate`", file.path)).collect()
}

fn is_stale(repository: &Repository, file: &Generated) -> bool {
    repository.file(&file.path).is_none_or(|found| found.text != file.contents)
}

fn generated() -> Vec<Generated> {
    let command_line = Generated { path: "docs/cli.md".to_owned(), contents: command_line::markdown() };
    let schemas = vitruvian_cli::schemas().into_iter().map(|(name, schema)| Generated {
        path: format!("docs/schema/{name}.json"),
        contents: format!("{:#}\n", schema.to_value()),
    });
    std::iter::once(command_line).chain(schemas).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_generated_is_stale() {
        let stale = stale(&Repository::read().unwrap());
        assert!(stale.is_empty(), "{}", stale.join("\n"));
    }
}
