//! The file `run-ID.wandb`: records in blocks of 32 KiB, as LevelDB's log has them.
//!
//! A record is cut into pieces that cross no block. Each piece has a header of seven bytes: a checksum (IEEE CRC-32 of all
//! that follows the length), the length of its content, and whether it is a whole record or its first, middle or last
//! piece. Compare <https://github.com/google/leveldb/blob/main/doc/log_format.md>, whose checksum is another one. The file
//! begins with a mark of seven bytes, which count as a part of the first block.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use crate::protobuf::Message;

const BLOCK: u64 = 32 * 1024;
const HEADER: u64 = 7;

/// The name, `0xBEE1` in little-endian order, and the version.
const MARK: [u8; 7] = [b':', b'W', b'&', b'B', 0xe1, 0xbe, 0];

const WHOLE: u8 = 1;
const FIRST: u8 = 2;
const MIDDLE: u8 = 3;
const LAST: u8 = 4;

/// A file that is appended to.
#[derive(Debug)]
pub(super) struct LogFile {
    file: File,
    /// Bytes that the file keeps.
    length: u64,
    /// What comes after them.
    new: Vec<u8>,
}

impl LogFile {
    /// Goes on after the first `length` bytes of the file at `path`, whatever else it holds; 0 begins it.
    pub(super) fn open(path: &Path, length: u64) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(length == 0).truncate(false).open(path)?;
        let found = file.metadata()?.len();
        if found < length {
            let message = format!("{found} bytes long, where {length} were written");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        let new = if length == 0 { MARK.to_vec() } else { Vec::new() };
        Ok(Self { file, length, new })
    }

    /// Length with all that was pushed.
    pub(super) fn length(&self) -> u64 {
        self.length + self.new.len() as u64
    }

    pub(super) fn push(&mut self, record: &Message) {
        let (mut rest, mut is_first) = (record.as_bytes(), true);
        loop {
            let mut room = BLOCK - self.length() % BLOCK;
            if room < HEADER {
                self.new.resize(self.new.len() + room as usize, 0);
                room = BLOCK;
            }
            let (piece, after) = rest.split_at(rest.len().min((room - HEADER) as usize));
            let kind = match (is_first, after.is_empty()) {
                (true, true) => WHOLE,
                (true, false) => FIRST,
                (false, false) => MIDDLE,
                (false, true) => LAST,
            };
            self.piece(kind, piece);
            (rest, is_first) = (after, false);
            if rest.is_empty() {
                return;
            }
        }
    }

    fn piece(&mut self, kind: u8, content: &[u8]) {
        let mut sum = crc32fast::Hasher::new();
        sum.update(&[kind]);
        sum.update(content);
        self.new.extend(sum.finalize().to_le_bytes());
        // A piece is shorter than a block.
        self.new.extend((content.len() as u16).to_le_bytes());
        self.new.push(kind);
        self.new.extend(content);
    }

    /// Writes what was pushed, in place of whatever stood after the length that was asked for, and returns the new length.
    pub(super) fn write(mut self) -> io::Result<u64> {
        self.file.set_len(self.length)?;
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(&self.new)?;
        self.file.sync_data()?;
        Ok(self.length())
    }
}

/// A reader for tests.
#[cfg(test)]
pub(super) mod reading {
    use super::*;

    /// All records of a file, or what is wrong with it.
    pub(in super::super) fn records(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
        if bytes.get(..MARK.len()) != Some(&MARK) {
            return Err("no mark".into());
        }
        let (mut records, mut open) = (Vec::new(), None::<Vec<u8>>);
        let mut at = MARK.len();
        while at < bytes.len() {
            let room = BLOCK as usize - at % BLOCK as usize;
            if room < HEADER as usize {
                if bytes[at..at + room].iter().any(|&byte| byte != 0) {
                    return Err(format!("the end of the block at {at} is not empty"));
                }
                at += room;
                continue;
            }
            let header = bytes.get(at..at + 7).ok_or(format!("a header is cut at {at}"))?;
            let length = usize::from(u16::from_le_bytes([header[4], header[5]]));
            if HEADER as usize + length > room {
                return Err(format!("a piece crosses a block at {at}"));
            }
            let checked = bytes.get(at + 6..at + 7 + length).ok_or(format!("a piece is cut at {at}"))?;
            if crc32fast::hash(checked).to_le_bytes() != header[..4] {
                return Err(format!("the checksum at {at} is another"));
            }
            let content = &checked[1..];
            match (header[6], &mut open) {
                (WHOLE, None) => records.push(content.to_vec()),
                (FIRST, None) => open = Some(content.to_vec()),
                (MIDDLE, Some(record)) => record.extend(content),
                (LAST, Some(record)) => {
                    record.extend(content);
                    records.extend(open.take());
                }
                (kind, _) => return Err(format!("a piece of kind {kind} at {at}")),
            }
            at += HEADER as usize + length;
        }
        if open.is_some() { Err("the last record is cut".into()) } else { Ok(records) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::reading::records;
    use super::*;

    /// A message of so many bytes, of a kind that can be told from others.
    fn message(bytes: usize) -> Message {
        let text: String = (0..bytes).map(|at| char::from(b'a' + (at % 23) as u8)).collect();
        Message::new().text(1, &text)
    }

    fn written(path: &Path, lengths: &[usize]) -> u64 {
        let mut file = LogFile::open(path, 0).unwrap();
        lengths.iter().for_each(|&length| file.push(&message(length)));
        file.write().unwrap()
    }

    fn expect(path: &Path, lengths: &[usize]) {
        let expected: Vec<_> = lengths.iter().map(|&length| message(length).as_bytes().to_vec()).collect();
        assert_eq!(records(&fs::read(path).unwrap()).unwrap(), expected);
    }

    #[test]
    fn a_file_begins_with_its_mark() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.wandb");
        assert_eq!(written(&path, &[]), 7);
        assert_eq!(fs::read(&path).unwrap(), b":W&B\xe1\xbe\0");
    }

    /// Every way in which a record can meet the end of a block, the empty first piece included.
    #[test]
    fn records_at_the_end_of_a_block() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.wandb");
        for first in 32_720..32_770 {
            written(&path, &[first, 100, 0, 70_000, 5]);
            expect(&path, &[first, 100, 0, 70_000, 5]);
        }
    }

    #[test]
    fn what_stood_after_the_length_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.wandb");
        let length = written(&path, &[10, 40_000]);
        for half_written in [&b""[..], b"\x01\x02\x03", &[7; 50_000]] {
            fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(half_written).unwrap();
            let mut file = LogFile::open(&path, length).unwrap();
            file.push(&message(30));
            file.write().unwrap();
            expect(&path, &[10, 40_000, 30]);
        }
    }

    #[test]
    fn a_file_that_lost_something_is_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.wandb");
        let length = written(&path, &[10]);
        fs::write(&path, "short").unwrap();
        assert!(LogFile::open(&path, length).unwrap_err().to_string().contains("5 bytes long"));
        fs::remove_file(&path).unwrap();
        assert!(LogFile::open(&path, length).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn whatever_is_pushed_is_read(lengths in prop::collection::vec(0usize..90_000, 0..6), cut in 0usize..6) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("run.wandb");
            let cut = cut.min(lengths.len());
            let length = written(&path, &lengths[..cut]);
            let mut file = LogFile::open(&path, length).unwrap();
            lengths[cut..].iter().for_each(|&length| file.push(&message(length)));
            prop_assert_eq!(file.write().unwrap(), fs::metadata(&path).unwrap().len());
            expect(&path, &lengths);
        }
    }
}
