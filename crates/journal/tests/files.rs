//! The journal's file: whole lines through crashes, resumes and other processes.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use journal::{Error, Event, FILE_NAME, JournalWriter, Listener, Reader, RunStatus, is_written, read};
use proptest::prelude::*;

fn notice(message: &str) -> Event {
    Event::Notice { message: message.to_owned() }
}

fn append(folder: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(folder.join(FILE_NAME)).unwrap().write_all(bytes).unwrap();
}

fn said(folder: &Path) -> Vec<(u32, u64)> {
    read(folder).unwrap().records.iter().map(|record| (record.attempt, record.sequence)).collect()
}

#[test]
fn attempts_and_lines_are_counted_on() {
    let folder = tempfile::tempdir().unwrap();
    for attempt in 1..=3 {
        let mut journal = JournalWriter::open(folder.path()).unwrap();
        assert_eq!(journal.attempt(), attempt);
        journal.on_event(&notice("begin"));
        journal.on_event(&Event::RunEnd { status: RunStatus::Interrupted, message: None });
    }
    assert_eq!(said(folder.path()), [(1, 1), (1, 2), (2, 3), (2, 4), (3, 5), (3, 6)]);
}

#[test]
fn progress_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = JournalWriter::open(folder.path()).unwrap();
    journal.on_event(&Event::EvaluateBegin { split: journal::Split::Test, samples: 3 });
    journal.on_event(&notice("kept"));
    assert_eq!(said(folder.path()), [(1, 1)]);
}

#[test]
fn a_journal_has_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let first = JournalWriter::open(folder.path()).unwrap();
    assert!(matches!(JournalWriter::open(folder.path()), Err(Error::InUse { .. })));
    assert_eq!(is_written(folder.path()).unwrap(), Some(true));
    drop(first);
    assert_eq!(is_written(folder.path()).unwrap(), Some(false));
    JournalWriter::open(folder.path()).unwrap();
}

#[test]
fn there_may_be_no_journal() {
    let folder = tempfile::tempdir().unwrap();
    let error = read(folder.path()).unwrap_err();
    assert!(error.to_string().contains(FILE_NAME), "{error}");
    assert!(Reader::new(folder.path()).poll().unwrap().is_empty(), "it may come");
}

#[test]
fn a_reader_waits_for_the_end_of_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = JournalWriter::open(folder.path()).unwrap();
    journal.on_event(&notice("one"));
    let line = fs::read(folder.path().join(FILE_NAME)).unwrap();
    let mut reader = Reader::new(folder.path());
    assert_eq!(reader.poll().unwrap().len(), 1);
    append(folder.path(), &line[..10]);
    assert!(reader.poll().unwrap().is_empty());
    append(folder.path(), &line[10..]);
    assert_eq!(reader.poll().unwrap().len(), 1);
    assert_eq!(reader.unreadable(), 0);
}

#[test]
fn a_garbled_line_is_counted_and_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    JournalWriter::open(folder.path()).unwrap().on_event(&notice("one"));
    append(folder.path(), b"\0\0\0\xff garbled\n{\"sequence\":2}\n");
    JournalWriter::open(folder.path()).unwrap().on_event(&notice("two"));
    let journal = read(folder.path()).unwrap();
    assert_eq!((journal.records.len(), journal.unreadable), (2, 2));
    assert_eq!(said(folder.path()), [(1, 1), (2, 2)]);
}

#[test]
fn times_are_written_for_people() {
    let folder = tempfile::tempdir().unwrap();
    JournalWriter::open(folder.path()).unwrap().on_event(&notice("one"));
    let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
    assert!(
        text.starts_with("{\"sequence\":1,\"attempt\":1,\"time\":\"20") && text.contains("Z\",\"event\":\"notice\""),
        "{text}"
    );
}

proptest! {
    /// A crash may cut the file anywhere: every whole line before stays, and what follows is written after it.
    #[test]
    fn a_crash_anywhere_loses_at_most_the_last_line(cut in 0usize..600) {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = JournalWriter::open(folder.path()).unwrap();
        for at in 0..5 {
            journal.on_event(&notice(&format!("line {at} with ümlaut\nand a break")));
        }
        drop(journal);
        let file = folder.path().join(FILE_NAME);
        let text = fs::read(&file).unwrap();
        let cut = cut.min(text.len());
        fs::write(&file, &text[..cut]).unwrap();
        let whole = text[..cut].iter().filter(|&&byte| byte == b'\n').count() as u64;
        JournalWriter::open(folder.path()).unwrap().on_event(&notice("after"));
        let after = read(folder.path()).unwrap();
        prop_assert_eq!(after.unreadable, 0);
        prop_assert_eq!(after.records.iter().map(|record| record.sequence).collect::<Vec<_>>(), (1..=whole + 1).collect::<Vec<_>>());
        prop_assert_eq!(after.records.last().unwrap().attempt, if whole > 0 { 2 } else { 1 });
    }
}
