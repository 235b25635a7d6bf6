//! The only place that reads and writes files and the terminal.

use std::fs;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use vitruvian_diagnostics::{Diagnostic, SourceText};

/// Reads a text file that the user named.
///
/// A folder, a missing file (with the nearest names beside it), a text that is not UTF-8 and whatever else the
/// system refuses are told apart.
pub(crate) fn read_text(path: &Path) -> Result<SourceText, Diagnostic> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| not_text(path, error.utf8_error().valid_up_to()))?;
    Ok(SourceText::new(path.display().to_string(), text))
}

/// Reads a file that is not text.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    fs::read(path).map_err(|error| unreadable(path, &error))
}

/// Whether a file can be opened.
pub(crate) fn check_file(path: &Path) -> Result<(), Diagnostic> {
    fs::File::open(path).map(drop).map_err(|error| unreadable(path, &error))
}

/// The files in a folder and the folders below it, sorted; the path itself if it is no folder.
pub(crate) fn files_in(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_path_buf()];
    }
    names_in(path).iter().flat_map(|name| files_in(&path.join(name))).collect()
}

/// Writes a whole file or nothing: into a temporary file beside it, which then takes its name.
///
/// What is not a regular file (`/dev/null`, a pipe) is written to directly.
pub(crate) fn write_file(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), Diagnostic> {
    let contents = contents.as_ref();
    let written = match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => fs::write(path, contents),
        Ok(_) => fs::canonicalize(path).and_then(|target| replace(&target, contents)),
        Err(_) => replace(path, contents),
    };
    written.map_err(|error| unwritable(&path.display().to_string(), &error))
}

/// Writes a whole folder or nothing: into a temporary folder beside it, which then takes its name.
///
/// A folder that holds anything is never touched.
pub(crate) fn write_folder(path: &Path, files: &[(String, String, bool)]) -> Result<(), Diagnostic> {
    let shown = path.display().to_string();
    if fs::symlink_metadata(path).is_ok() && !(path.is_dir() && names_in(path).is_empty()) {
        return Err(Diagnostic::error(
            "output-exists",
            format!("`{shown}` exists and is not an empty folder"),
        )
        .help("name a new folder, or remove that one first"));
    }
    let written = temporary_beside(path).ok_or_else(|| ErrorKind::InvalidInput.into()).and_then(|beside| {
        let written = fill(&beside, files).and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            let _ = fs::remove_dir_all(&beside);
        }
        written
    });
    written.map_err(|error| unwritable(&shown, &error))
}

fn fill(folder: &Path, files: &[(String, String, bool)]) -> io::Result<()> {
    fs::create_dir(folder)?;
    for (name, contents, executable) in files {
        let path = folder.join(name);
        fs::write(&path, contents)?;
        if *executable {
            make_executable(&path)?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Writes to standard output. A reader that has gone away is no fault.
pub(crate) fn write_stdout(contents: &str) -> Result<(), Diagnostic> {
    let mut out = io::stdout().lock();
    match out.write_all(contents.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(unwritable("standard output", &error)),
        _ => Ok(()),
    }
}

/// Tells a person at a terminal what takes long; silent in a pipe.
pub(crate) fn progress(what: &str) {
    if io::stderr().is_terminal() {
        write_stderr(&format!("{what} …\n"));
    }
}

/// A line at a terminal that counts what is done; silent in a pipe.
pub(crate) struct Counter {
    what: &'static str,
    shown: usize,
    visible: bool,
}

impl Counter {
    /// Nothing is done yet.
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, shown: 0, visible: io::stderr().is_terminal() }
    }

    /// So many are done; the line changes with every percent.
    pub(crate) fn at(&mut self, done: usize, all: usize) {
        let percent = done * 100 / all.max(1);
        if self.visible && percent > self.shown {
            self.shown = percent;
            write_stderr(&format!("\r{} {} %\x1b[K", self.what, self.shown));
        }
    }

    /// Clears the line.
    pub(crate) fn done(&self) {
        if self.visible && self.shown > 0 {
            write_stderr("\r\x1b[K");
        }
    }
}

/// Whether the user asked to stop (Ctrl-C). What is being written is written to its end; asking twice ends at once.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// From now on Ctrl-C asks instead of killing.
pub(crate) fn catch_interrupts() {
    // Where signals cannot be caught, Ctrl-C kills as it always did.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Writes to standard error; there is nowhere to say that it failed.
pub(crate) fn write_stderr(contents: &str) {
    let _ = io::stderr().lock().write_all(contents.as_bytes());
}

fn replace(target: &Path, contents: &[u8]) -> io::Result<()> {
    let beside = temporary_beside(target).ok_or(ErrorKind::InvalidInput)?;
    let written = fs::write(&beside, contents).and_then(|()| fs::rename(&beside, target));
    if written.is_err() {
        // What cannot be written cannot always be removed; the first fault is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// A hidden name in the same folder, so that taking the final name is one step of the file system.
fn temporary_beside(target: &Path) -> Option<PathBuf> {
    let name = target.file_name()?.to_string_lossy();
    Some(target.with_file_name(format!(".{name}.{}.tmp", std::process::id())))
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let shown = path.display();
    match error.kind() {
        ErrorKind::NotFound => missing(path),
        ErrorKind::IsADirectory => {
            Diagnostic::error("file-is-folder", format!("`{shown}` is a folder, not a file"))
                .help("name the file inside it")
        }
        ErrorKind::PermissionDenied => {
            Diagnostic::error("file-unreadable", format!("`{shown}` may not be read"))
                .help("check its permissions")
        }
        _ => Diagnostic::error("file-unreadable", format!("`{shown}` cannot be read: {error}")),
    }
}

fn missing(path: &Path) -> Diagnostic {
    let fault = Diagnostic::error("file-missing", format!("`{}` does not exist", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return fault.help(format!("there is no folder `{}`", folder.display()));
    }
    let wanted = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match nearest(&wanted, &names_in(folder)) {
        Some(name) => fault.help(format!("did you mean `{}`?", path.with_file_name(name).display())),
        None => fault,
    }
}

fn not_text(path: &Path, byte: usize) -> Diagnostic {
    Diagnostic::error(
        "file-not-text",
        format!("`{}` is not UTF-8 text: byte {byte} begins no character", path.display()),
    )
}

fn unwritable(name: &str, error: &io::Error) -> Diagnostic {
    let fault = Diagnostic::error("output-unwritable", format!("cannot write `{name}`: {}", reason(error)));
    if error.kind() == ErrorKind::NotFound {
        fault.help("its folder does not exist; create it first")
    } else {
        fault
    }
}

/// The system's words without its error number.
fn reason(error: &io::Error) -> String {
    let words = error.to_string();
    words.split(" (os error").next().unwrap_or(&words).to_lowercase()
}

/// Names in a folder, sorted; none where it cannot be read.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// The name most like `word`, if any is alike.
pub(crate) fn nearest(word: &str, names: &[String]) -> Option<String> {
    let likeness = |name: &&String| strsim::jaro_winkler(word, name);
    let best = names.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(&best) > 0.8).then(|| best.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for each test, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("vitruvian-io-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_missing_file_names_its_neighbour() {
        let folder = Folder::new("missing");
        fs::write(folder.0.join("config.json"), "{}").unwrap();
        let fault = read_text(&folder.0.join("confg.json")).unwrap_err();
        assert_eq!(fault.code, "file-missing");
        assert!(fault.help.unwrap().contains("config.json`?"));
    }

    #[test]
    fn a_folder_is_not_a_file() {
        let folder = Folder::new("folder");
        assert_eq!(read_text(&folder.0).unwrap_err().code, "file-is-folder");
        assert_eq!(write_file(&folder.0, "x").unwrap_err().code, "output-unwritable");
    }

    #[test]
    fn bytes_that_are_no_text_are_told() {
        let folder = Folder::new("bytes");
        let path = folder.0.join("x.toml");
        fs::write(&path, b"ab\xff").unwrap();
        let fault = read_text(&path).unwrap_err();
        assert_eq!(fault.code, "file-not-text");
        assert!(fault.message.contains("byte 2"));
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = Folder::new("replace");
        let path = folder.0.join("out.csv");
        write_file(&path, "old, and longer").unwrap();
        write_file(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names_in(&folder.0), ["out.csv"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_keeps_pointing_at_what_is_replaced() {
        let folder = Folder::new("link");
        let (target, link) = (folder.0.join("target"), folder.0.join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write_file(&link, "new").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_folder_appears_whole_and_never_over_another() {
        let folder = Folder::new("emit");
        let files = [("a.sh".to_owned(), "x".to_owned(), true), ("b/none".to_owned(), "y".to_owned(), false)];
        let target = folder.0.join("out");
        // The second file cannot be written: nothing is left, not even the first.
        assert_eq!(write_folder(&target, &files).unwrap_err().code, "output-unwritable");
        assert!(names_in(&folder.0).is_empty());
        write_folder(&target, &files[..1]).unwrap();
        assert_eq!(names_in(&target), ["a.sh"]);
        assert_eq!(write_folder(&target, &files[..1]).unwrap_err().code, "output-exists");
    }

    #[test]
    fn a_missing_folder_is_told() {
        let fault = write_file(Path::new("/no/such/folder/x"), "x").unwrap_err();
        assert_eq!(fault.help.as_deref(), Some("its folder does not exist; create it first"));
    }
}
