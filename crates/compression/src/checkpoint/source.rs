//! What gives bytes: files in the shell, memory in tests.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// One file.
pub trait Source: Send + Sync {
    /// Bytes.
    fn size(&self) -> u64;

    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// If the file cannot be read or ends before.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

/// One folder.
pub trait Folder {
    /// Names of its files, sorted.
    fn names(&self) -> Vec<String>;

    /// Opens one of them.
    ///
    /// # Errors
    /// If there is none of that name, or it cannot be read.
    fn open(&self, name: &str) -> io::Result<Box<dyn Source>>;
}

/// A folder in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub BTreeMap<String, Arc<Vec<u8>>>);

struct Bytes(Arc<Vec<u8>>);

impl Folder for Memory {
    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Source>> {
        let bytes = self.0.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Bytes(Arc::clone(bytes))))
    }
}

impl Source for Bytes {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(self.0.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}
