//! The event file on the disk: whole records only, and the same ones after a crash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::event;
use super::record;
use crate::protobuf::Message;

/// An event file, open behind what holds of it.
#[derive(Debug)]
pub(super) struct EventFile {
    file: File,
    length: u64,
    /// Records that are not in the file yet.
    new: Vec<u8>,
}

impl EventFile {
    /// Opens the file at `path`, of which `length` bytes hold: what a crash left behind them is cut off. A file that is
    /// shorter, such as one that somebody removed, begins anew. `time` is that of its first event.
    pub(super) fn open(path: &Path, length: u64, time: SystemTime) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let length = if file.metadata()?.len() < length { 0 } else { length };
        file.set_len(length)?;
        file.seek(SeekFrom::Start(length))?;
        let mut opened = Self { file, length, new: Vec::new() };
        if length == 0 {
            opened.push(&event::version(time));
        }
        Ok(opened)
    }

    /// Adds an event; it is in the file after [`Self::write`].
    pub(super) fn push(&mut self, event: &Message) {
        record::push(&mut self.new, event.as_bytes());
    }

    /// Brings what was added to the disk. Returns the bytes of the file that hold from now on.
    pub(super) fn write(mut self) -> io::Result<u64> {
        self.file.write_all(&self.new)?;
        self.file.sync_data()?;
        Ok(self.length + self.new.len() as u64)
    }
}

/// A name for a new event file in `folder`, as TensorBoard gives them: files are read in the order of their names.
pub(super) fn new_name(folder: &Path, time: SystemTime) -> PathBuf {
    let (seconds, host, process) = (event::seconds(time) as u64, host(), std::process::id());
    let name = |number: u32| folder.join(format!("events.out.tfevents.{seconds:010}.{host}.{process}.{number}"));
    let mut number = 0;
    while name(number).exists() && number < u32::MAX {
        number += 1;
    }
    name(number)
}

fn host() -> String {
    let told = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let told = told.or_else(|| std::env::var("HOSTNAME").ok()).or_else(|| std::env::var("COMPUTERNAME").ok());
    let usable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = told.unwrap_or_default().trim().chars().filter(|&c| usable(c)).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(path: &Path) -> usize {
        let bytes = fs::read(path).unwrap();
        let (records, rest) = record::read(&bytes);
        assert!(rest.is_empty());
        records.len()
    }

    fn open(path: &Path, length: u64) -> EventFile {
        EventFile::open(path, length, SystemTime::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn what_a_crash_left_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/events");
        let length = open(&path, 0).write().unwrap();
        assert_eq!(records(&path), 1);
        let mut second = open(&path, length);
        second.push(&Message::new().text(3, "lost"));
        second.write().unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"torn").unwrap();
        let mut again = open(&path, length);
        again.push(&Message::new().text(3, "kept"));
        let length = again.write().unwrap();
        assert_eq!(records(&path), 2);
        assert_eq!(fs::metadata(&path).unwrap().len(), length);
    }

    #[test]
    fn a_file_that_was_removed_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        let length = open(&path, 0).write().unwrap();
        fs::remove_file(&path).unwrap();
        open(&path, length + 500).write().unwrap();
        assert_eq!(records(&path), 1);
    }

    #[test]
    fn names_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let first = new_name(folder.path(), SystemTime::UNIX_EPOCH);
        fs::write(&first, "").unwrap();
        let second = new_name(folder.path(), SystemTime::UNIX_EPOCH);
        assert!(first.to_str().unwrap().contains("events.out.tfevents.0000000000."), "{first:?}");
        assert!(first.to_str().unwrap().ends_with(".0") && second.to_str().unwrap().ends_with(".1"), "{second:?}");
    }
}
