//! Links between documents lead somewhere: to a file, and to a heading in it.

use std::path::{Component, Path, PathBuf};

use crate::repository::{File, Repository};

pub(super) fn check(repository: &Repository) -> Vec<String> {
    repository.ending(".md").flat_map(|document| dead_links(repository, document)).collect()
}

fn dead_links(repository: &Repository, document: &File) -> Vec<String> {
    let lines = outside_code(&document.text);
    let links = lines.flat_map(|(number, line)| links(line).map(move |target| (number, target)));
    let dead = links.filter(|(_, target)| !leads_somewhere(repository, document, target));
    dead.map(|(number, target)| document.finding(number, &format!("`{target}` leads nowhere"))).collect()
}

/// Lines with their numbers, without fenced blocks.
fn outside_code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

/// Targets of `[words](target)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

fn leads_somewhere(repository: &Repository, document: &File, target: &str) -> bool {
    if target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let (path, heading) =
        target.split_once('#').map_or((target, None), |(path, heading)| (path, Some(heading)));
    let folder = Path::new(&document.path).parent().unwrap_or(Path::new(""));
    let path = if path.is_empty() { PathBuf::from(&document.path) } else { normal(&folder.join(path)) };
    match (repository.file(&path.to_string_lossy()), heading) {
        (Some(file), Some(heading)) => {
            file.text.lines().any(|line| line.starts_with('#') && anchor(line) == heading)
        }
        (found, _) => found.is_some() || repository.root.join(path).exists(),
    }
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => _ = normal.pop(),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// The anchor that a heading gets: lower case, blanks to `-`, punctuation dropped.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    words
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> Repository {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files = vec![file("docs/a.md", "# The first, and last\n"), file("README.md", "")];
        Repository { root: PathBuf::from("/nowhere"), files }
    }

    #[test]
    fn links_lead_to_files_and_headings() {
        let repository = repository();
        let [document, _] = &repository.files[..] else { panic!("two files") };
        let leads = |target| leads_somewhere(&repository, document, target);
        assert!(leads("../README.md") && leads("#the-first-and-last") && leads("https://example.org"));
        assert!(!leads("b.md") && !leads("#the-second"));
    }

    #[test]
    fn code_is_not_searched() {
        let text = "[a](b)\n```\n[c](d)\n```\n[e](f)\n";
        let found: Vec<&str> = outside_code(text).flat_map(|(_, line)| links(line)).collect();
        assert_eq!(found, ["b", "f"]);
    }
}
