//! Where the bytes of texts are.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::PathBuf,
    sync::Arc,
};

use super::Texts;
use crate::{Error, Result, mapped::Mapped};

/// Where texts go that are too many for memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scratch {
    /// A folder, which is made where it is needed. Nothing stays there when the program ends, however it ends.
    pub folder: PathBuf,
    /// Texts of one table that have more bytes than this together are kept in a file.
    pub most_in_memory: usize,
}

impl Scratch {
    /// In this folder, what is more than 128 MiB.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), most_in_memory: 128 << 20 }
    }
}

/// In the system's folder of temporary files.
impl Default for Scratch {
    fn default() -> Self {
        Self::in_folder(std::env::temp_dir())
    }
}

/// All texts, one after another.
#[derive(Default)]
pub(super) struct Store {
    bytes: Bytes,
    /// Where each text ends.
    ends: Vec<u64>,
}

enum Bytes {
    Memory(String),
    File(Mapped),
}

impl Default for Bytes {
    fn default() -> Self {
        Self::Memory(String::new())
    }
}

impl Store {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn is_on_disk(&self) -> bool {
        matches!(self.bytes, Bytes::File(_))
    }

    pub(super) fn size(&self, at: usize) -> usize {
        (self.ends[at] - self.start(at)) as usize
    }

    pub(super) fn text(&self, at: usize) -> &str {
        let range = self.start(at) as usize..self.ends[at] as usize;
        match &self.bytes {
            Bytes::Memory(texts) => &texts[range],
            Bytes::File(file) => {
                let text = file.get(range).and_then(|bytes| str::from_utf8(bytes).ok());
                text.expect("a file without a name holds what was written to it")
            }
        }
    }

    fn start(&self, at: usize) -> u64 {
        if at == 0 { 0 } else { self.ends[at - 1] }
    }
}

impl<T: AsRef<str>> FromIterator<T> for Store {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let (mut all, mut ends) = (String::new(), Vec::new());
        for text in texts {
            all.push_str(text.as_ref());
            ends.push(all.len() as u64);
        }
        Self { bytes: Bytes::Memory(all), ends }
    }
}

/// Takes texts one after another, and begins a file when they become too many for memory.
pub struct TextsWriter {
    scratch: Scratch,
    memory: String,
    file: Option<BufWriter<File>>,
    ends: Vec<u64>,
    expected: u64,
}

impl TextsWriter {
    /// Begins.
    pub fn new(scratch: Scratch) -> Self {
        Self { scratch, memory: String::new(), file: None, ends: Vec::new(), expected: 0 }
    }

    /// Says how many bytes the texts come from, for the message when they find no room.
    pub fn expect(&mut self, bytes: u64) {
        self.expected = bytes;
    }

    /// Adds a text.
    ///
    /// # Errors
    /// When the file cannot be written, above all for a full disk, or there would be 2^32 texts.
    pub fn push(&mut self, text: &str) -> Result<()> {
        let written = self.written();
        if self.ends.len() >= u32::MAX as usize {
            return Err(Error::TooManyRows);
        }
        if self.file.is_none() && self.memory.len() + text.len() > self.scratch.most_in_memory {
            self.file = Some(self.begin_file().map_err(|source| self.refused(source))?);
            self.memory = String::new();
        }
        match &mut self.file {
            None => self.memory.push_str(text),
            Some(file) => file.write_all(text.as_bytes()).map_err(|source| self.refused(source))?,
        }
        self.ends.push(written + text.len() as u64);
        Ok(())
    }

    /// The texts that were added.
    ///
    /// # Errors
    /// When the file cannot be written or read.
    pub fn finish(mut self) -> Result<Texts> {
        let bytes = match self.file.take() {
            None => Bytes::Memory(std::mem::take(&mut self.memory)),
            Some(file) => {
                let file = file.into_inner().map_err(io::IntoInnerError::into_error);
                let mapped = file.and_then(|file| Mapped::new(&file));
                Bytes::File(mapped.map_err(|source| self.refused(source))?)
            }
        };
        Ok(Texts { store: Arc::new(Store { bytes, ends: self.ends }), chosen: None })
    }

    fn begin_file(&self) -> io::Result<BufWriter<File>> {
        fs::create_dir_all(&self.scratch.folder)?;
        let mut file = BufWriter::with_capacity(1 << 20, tempfile::tempfile_in(&self.scratch.folder)?);
        file.write_all(self.memory.as_bytes())?;
        Ok(file)
    }

    fn written(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    fn refused(&self, source: io::Error) -> Error {
        let (folder, written, expected) = (self.scratch.folder.clone(), self.written(), self.expected);
        Error::KeepTexts { folder, written, expected, source }
    }
}
