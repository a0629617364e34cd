//! Writing the journal: each event is in the file before the next step begins, whatever happens then.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::{Error, Event, FILE_NAME, Listener, Record};

/// What may wait in memory while the disk is full.
const ROOM: usize = 64 << 20;

/// How often and how long a lock is waited for.
const RETRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(20);

/// Appends what it hears to the journal of a run.
///
/// A line is handed to the system whole and at once, so that a killed process loses nothing, and is brought to the disk
/// at checkpoints, evaluations and ends, so that a power cut loses little. A disk that is full stops nothing: lines wait in
/// memory and are written when there is room. While it lives no other process can write to the same journal.
#[derive(Debug)]
pub struct JournalWriter {
    file: File,
    path: PathBuf,
    attempt: u32,
    sequence: u64,
    /// Length of what stands whole in the file.
    written: u64,
    /// Whole lines that the file does not hold yet.
    waiting: Vec<u8>,
    /// How many bytes may wait.
    room: usize,
    /// Events that even memory had no room for.
    lost: u64,
    failure: Option<io::Error>,
}

impl JournalWriter {
    /// Goes on with the journal of the run in `folder`, or begins it. A last line that was cut off by a crash is removed.
    ///
    /// # Errors
    /// When another process writes to it, or the system refuses.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE_NAME);
        let refused = |source| Error::Io { file: path.clone(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(refused)?;
        match lock(&file) {
            Err(TryLockError::WouldBlock) => return Err(Error::InUse { file: path }),
            // Some network file systems know no locks; a run there is as safe as it was before.
            Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => {
                return Err(refused(error));
            }
            Err(TryLockError::Error(_)) | Ok(()) => {}
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(refused)?;
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(refused)?;
        }
        let lines = text[..whole].split(|&byte| byte == b'\n').rev();
        let last: Option<Record> =
            lines.filter(|line| !line.is_empty()).find_map(|line| serde_json::from_slice(line).ok());
        let (attempt, sequence) = last.map_or((0, 0), |last| (last.attempt, last.sequence));
        Ok(Self {
            file,
            path,
            attempt: attempt + 1,
            sequence,
            written: whole as u64,
            waiting: Vec::new(),
            room: ROOM,
            lost: 0,
            failure: None,
        })
    }

    /// How often the program was started on this run, this time included.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The journal's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why lines wait in memory, if they do.
    pub fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    fn push(&mut self, event: &Event) {
        if self.waiting.len() > self.room {
            self.lost += 1;
            return;
        }
        if self.lost > 0 {
            let message = format!("{} events are missing here: the journal could not be written", self.lost);
            self.lost = 0;
            self.push(&Event::Notice { message });
        }
        self.sequence += 1;
        let (sequence, attempt, time) = (self.sequence, self.attempt, SystemTime::now());
        let record = Record { sequence, attempt, time, event: event.clone() };
        match serde_json::to_vec(&record) {
            Ok(line) => {
                self.waiting.extend(line);
                self.waiting.push(b'\n');
            }
            Err(error) => self.failure = Some(error.into()),
        }
    }

    /// Writes all lines that wait, or none: half a line would spoil the next.
    fn write(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.written))?;
        if let Err(error) = self.file.write_all(&self.waiting) {
            self.file.set_len(self.written)?;
            return Err(error);
        }
        self.written += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}

/// A reader that wants to know whether somebody is at work holds the lock for a moment; a writer holds it for long.
fn lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..RETRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            locked => return locked,
        }
    }
    file.try_lock()
}

impl Listener for JournalWriter {
    fn on_event(&mut self, event: &Event) {
        if !event.is_kept() {
            return;
        }
        self.push(event);
        let done = self.write().and_then(|()| if event.is_milestone() { self.file.sync_data() } else { Ok(()) });
        self.failure = done.err();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(message: &str) -> Event {
        Event::Notice { message: message.to_owned() }
    }

    fn said(folder: &Path) -> Vec<String> {
        let records = crate::read(folder).unwrap().records;
        assert!(records.iter().zip(1..).all(|(record, at)| record.sequence == at), "{records:?}");
        let message = |record: Record| match record.event {
            Event::Notice { message } => message,
            other => panic!("{other:?}"),
        };
        records.into_iter().map(message).collect()
    }

    #[test]
    fn what_a_full_disk_held_back_is_written_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = JournalWriter::open(folder.path()).unwrap();
        journal.on_event(&notice("one"));
        let writable = journal.file.try_clone().unwrap();
        // A handle for reading refuses to be written to, as a full disk does.
        journal.file = File::open(journal.path()).unwrap();
        journal.on_event(&notice("two"));
        journal.on_event(&notice("three"));
        assert!(journal.failure().is_some());
        assert_eq!(said(folder.path()), ["one"]);
        journal.file = writable;
        journal.on_event(&notice("four"));
        assert!(journal.failure().is_none());
        assert_eq!(said(folder.path()), ["one", "two", "three", "four"]);
    }

    #[test]
    fn what_memory_had_no_room_for_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = JournalWriter::open(folder.path()).unwrap();
        let writable = journal.file.try_clone().unwrap();
        journal.file = File::open(journal.path()).unwrap();
        journal.room = 10;
        journal.on_event(&notice("waits"));
        journal.on_event(&notice("lost"));
        journal.on_event(&notice("lost"));
        journal.file = writable;
        journal.on_event(&notice("lost"));
        journal.on_event(&notice("after"));
        let said = said(folder.path());
        assert_eq!(said[1..], ["3 events are missing here: the journal could not be written", "after"]);
    }
}
