//! Reading a header from front to back.

use crate::checkpoint::Source;

/// Longest text in a header: a chat template has some tens of kilobytes.
const LONGEST_STRING: u64 = 16 << 20;
const WINDOW: usize = 1 << 16;

/// A place in a file, and the bytes around it.
pub(super) struct Cursor<'a> {
    source: &'a dyn Source,
    window: Vec<u8>,
    window_at: u64,
    /// The next byte.
    pub(super) at: u64,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(source: &'a dyn Source) -> Self {
        Self { source, window: Vec::new(), window_at: 0, at: 0 }
    }

    /// The next bytes.
    fn bytes(&mut self, count: usize) -> Result<&[u8], String> {
        let end = self.at.checked_add(count as u64).filter(|end| *end <= self.source.size());
        let end = end.ok_or("its header is truncated")?;
        if self.at < self.window_at || end > self.window_at + self.window.len() as u64 {
            let left = self.source.size() - self.at;
            self.window.resize(count.max(WINDOW).min(left as usize), 0);
            self.window_at = self.at;
            self.source.read_at(self.at, &mut self.window).map_err(|error| error.to_string())?;
        }
        let start = (self.at - self.window_at) as usize;
        self.at = end;
        Ok(&self.window[start..start + count])
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let bytes = self.bytes(N)?;
        bytes.try_into().map_err(|_| "its header is truncated".to_owned())
    }

    pub(super) fn u32(&mut self) -> Result<u32, String> {
        self.take().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, String> {
        self.take().map(u64::from_le_bytes)
    }

    pub(super) fn string(&mut self) -> Result<String, String> {
        let length = self.u64()?;
        if length > LONGEST_STRING {
            return Err(format!("a text in its header claims {length} bytes"));
        }
        let bytes = self.bytes(length as usize)?.to_vec();
        String::from_utf8(bytes).map_err(|_| "a text in its header is not UTF-8".to_owned())
    }
}
