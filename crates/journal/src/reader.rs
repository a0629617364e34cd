//! Reading a journal, also while it grows.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::{Error, FILE_NAME, Record};

/// All that a journal said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    /// Its records in the order of the file.
    pub records: Vec<Record>,
    /// Lines that could not be read, such as those that a power cut garbled.
    pub unreadable: u64,
}

/// Reads the journal of the run in `folder`.
///
/// # Errors
/// When there is none, or the system refuses.
pub fn read(folder: &Path) -> Result<Journal, Error> {
    let mut reader = Reader::new(folder);
    let records = reader.poll()?;
    if reader.offset == 0 && !reader.file.exists() {
        return Err(Error::Io { file: reader.file, source: io::ErrorKind::NotFound.into() });
    }
    Ok(Journal { records, unreadable: reader.unreadable })
}

/// Reads a journal from where it stopped last. Lines that are not whole yet are left for the next time.
#[derive(Debug)]
pub struct Reader {
    file: PathBuf,
    offset: u64,
    unreadable: u64,
}

impl Reader {
    /// From the beginning of the journal of the run in `folder`, which may not exist yet.
    pub fn new(folder: &Path) -> Self {
        Self { file: folder.join(FILE_NAME), offset: 0, unreadable: 0 }
    }

    /// Lines so far that could not be read.
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// What was written since the last time.
    ///
    /// # Errors
    /// When the system refuses. A journal that is not there yet says nothing.
    pub fn poll(&mut self) -> Result<Vec<Record>, Error> {
        let new = self.new_bytes().map_err(|source| Error::Io { file: self.file.clone(), source })?;
        let whole = new.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        self.offset += whole as u64;
        let mut records = Vec::new();
        for line in new[..whole].split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(record) => records.push(record),
                Err(_) => self.unreadable += 1,
            }
        }
        Ok(records)
    }

    fn new_bytes(&self) -> io::Result<Vec<u8>> {
        let mut file = match File::open(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file?,
        };
        file.seek(SeekFrom::Start(self.offset))?;
        let mut new = Vec::new();
        file.read_to_end(&mut new)?;
        Ok(new)
    }
}
