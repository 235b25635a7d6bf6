//! The text files of the repository.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folders that are no part of the repository, and the file that a worktree has in place of `.git`.
const LEFT_OUT: [&str; 4] = [".git", "target", "node_modules", "__pycache__"];

/// The repository as text files.
pub(crate) struct Repository {
    pub(crate) root: PathBuf,
    pub(crate) files: Vec<File>,
}

/// One text file.
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Repository {
    /// Reads every text file of the repository that this program was built in.
    pub(crate) fn read() -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let mut paths = Vec::new();
        collect(&root, &mut paths)?;
        paths.sort();
        let files = paths.iter().filter_map(|path| File::read(&root, path)).collect();
        Ok(Self { root, files })
    }

    /// Files whose path ends so.
    pub(crate) fn ending(&self, suffix: &str) -> impl Iterator<Item = &File> {
        self.files.iter().filter(move |file| file.path.ends_with(suffix))
    }

    /// The file at a path.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Rust of the product: not of tests, examples, benchmarks, or this program.
    pub(crate) fn product_sources(&self) -> impl Iterator<Item = &File> {
        let product = |file: &&File| file.path.starts_with("crates/") && file.path.contains("/src/");
        self.ending(".rs").filter(product).filter(|file| !file.path.ends_with("/tests.rs"))
    }
}

impl File {
    /// A file that is not text is left out.
    fn read(root: &Path, path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let path = path.strip_prefix(root).ok()?.to_string_lossy().replace('\\', "/");
        Some(Self { path, text })
    }

    /// Lines with their numbers, up to the unit tests that end a file.
    pub(crate) fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.take_while(|(_, line)| line.trim() != "#[cfg(test)]")
    }

    /// `path:line: message`, as editors understand it.
    pub(crate) fn finding(&self, line: usize, message: &str) -> String {
        format!("{}:{line}: {message}", self.path)
    }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let left_out = LEFT_OUT.iter().any(|name| entry.file_name() == *name);
        match entry.file_type()? {
            _ if left_out => {}
            kind if kind.is_dir() => collect(&entry.path(), paths)?,
            kind if kind.is_file() => paths.push(entry.path()),
            _ => {}
        }
    }
    Ok(())
}
