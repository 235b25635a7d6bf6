//! Checkpoints on disk: a folder to read at offsets, and a new folder that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use vitruvian_compression::checkpoint::{Folder, Source};
use vitruvian_compression::export::Target;
use vitruvian_diagnostics::Diagnostic;

/// A folder, or one file of it with its configuration.
pub(crate) struct ReadFolder {
    path: PathBuf,
    names: Vec<String>,
}

struct OpenFile {
    file: Mutex<File>,
    size: u64,
}

impl ReadFolder {
    /// # Errors
    /// If there is no such folder.
    pub(crate) fn new(path: &Path) -> Result<Self, Diagnostic> {
        let missing = || {
            Diagnostic::error("checkpoint-missing", format!("there is no folder `{}`", path.display()))
                .help("name the folder that holds config.json and *.safetensors")
        };
        if path.is_file() {
            let name =
                path.file_name().map(|name| name.to_string_lossy().into_owned()).ok_or_else(missing)?;
            let parent = path.parent().unwrap_or(Path::new("."));
            return Ok(
                Self { path: parent.to_path_buf(), names: vec!["config.json".to_owned(), name] }.existing()
            );
        }
        let entries = fs::read_dir(path).map_err(|_| missing())?;
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        Ok(Self { path: path.to_path_buf(), names }.existing())
    }

    /// One file without its neighbours.
    ///
    /// # Errors
    /// If there is no such file.
    pub(crate) fn file(path: &Path) -> Result<Self, Diagnostic> {
        crate::io::check_file(path)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let parent = path.parent().unwrap_or(Path::new("."));
        Ok(Self { path: parent.to_path_buf(), names: name.into_iter().collect() })
    }

    fn existing(mut self) -> Self {
        self.names.retain(|name| self.path.join(name).is_file());
        self
    }
}

impl Folder for ReadFolder {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Source>> {
        let file = File::open(self.path.join(name))?;
        let size = file.metadata()?.len();
        Ok(Box::new(OpenFile { file: Mutex::new(file), size }))
    }
}

impl Source for OpenFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(buffer)
    }
}

/// A folder under a hidden name, which takes its own when it is whole and is removed when it is not.
pub(crate) struct NewFolder {
    target: PathBuf,
    hidden: PathBuf,
    whole: bool,
}

impl NewFolder {
    /// # Errors
    /// If the target exists already or its parent cannot be written to.
    pub(crate) fn beside(target: &Path) -> Result<Self, Diagnostic> {
        let shown = target.display();
        if target.exists() {
            return Err(Diagnostic::error("output-exists", format!("`{shown}` exists already"))
                .help("name a new folder; a checkpoint is not written over another"));
        }
        let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let hidden = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
        fs::create_dir(&hidden).map_err(|error| unwritable(target, &error))?;
        Ok(Self { target: target.to_path_buf(), hidden, whole: false })
    }

    /// Copies what stands beside the tensors: tokeniser, generation settings, licence.
    ///
    /// # Errors
    /// If a file cannot be copied.
    pub(crate) fn copy_rest(&self, from: &ReadFolder, written: &[String]) -> Result<(), Diagnostic> {
        const LEFT: [&str; 6] = [".safetensors", ".gguf", ".bin", ".pt", ".pth", ".index.json"];
        let rest = from.names.iter().filter(|name| !written.contains(name));
        for name in rest.filter(|name| !LEFT.iter().any(|end| name.ends_with(end))) {
            fs::copy(from.path.join(name), self.hidden.join(name))
                .map_err(|error| unwritable(&self.target, &error))?;
        }
        Ok(())
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// If the system refuses.
    pub(crate) fn finish(mut self) -> Result<PathBuf, Diagnostic> {
        fs::rename(&self.hidden, &self.target).map_err(|error| unwritable(&self.target, &error))?;
        self.whole = true;
        Ok(self.target.clone())
    }
}

impl Target for NewFolder {
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Write + '_>> {
        Ok(Box::new(BufWriter::new(File::create(self.hidden.join(name))?)))
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if !self.whole {
            // What cannot be written cannot always be removed; the first fault is the one to tell.
            let _ = fs::remove_dir_all(&self.hidden);
        }
    }
}

fn unwritable(target: &Path, error: &io::Error) -> Diagnostic {
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or(&words).to_lowercase();
    Diagnostic::error("output-unwritable", format!("cannot write `{}`: {words}", target.display()))
}
