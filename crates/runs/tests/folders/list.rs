//! Lists, and the index that makes them quick.

use std::fs;

use journal::{Event, JournalWriter, Listener, RunStatus};
use runs::{Best, Listing, index, list};

use crate::desk::{put, stand, told};

#[test]
fn runs_are_told_as_they_stand_the_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "first", &told("first", 0, 0.9));
    let mut records = told("second", 1, 0.8);
    records.last_mut().unwrap().event = Event::RunEnd { status: RunStatus::Interrupted, message: None };
    put(folder.path(), "group/second", &records);
    records = told("third", 2, 0.8);
    records.last_mut().unwrap().event =
        Event::RunEnd { status: RunStatus::Failed, message: Some("the loss is not finite".to_owned()) };
    put(folder.path(), "third", &records);
    put(folder.path(), "a/b/fourth", &told("fourth", 3, 0.8)[..4]);
    let fifth = put(folder.path(), "fifth", &told("fifth", 4, 0.8)[..4]);
    let at_work = JournalWriter::open(&fifth).unwrap();

    let listing = list(folder.path()).unwrap();
    let expected = [
        ("fifth", "at work"),
        ("fourth", "died"),
        ("third", "failed"),
        ("second", "interrupted"),
        ("first", "finished"),
    ];
    assert_eq!(stand(&listing), expected);
    assert_eq!(listing.problems, []);
    drop(at_work);
    assert_eq!(stand(&list(folder.path()).unwrap())[0], ("fifth", "died"), "that is asked anew each time");

    let first = &listing.runs[4].summary;
    assert_eq!((first.step, first.total_steps, first.rows["train"], first.attempts), (200, Some(200), 800, 1));
    assert_eq!(
        (first.model.as_str(), first.data.as_slice(), first.seconds),
        ("models/minilm", &["data/a.csv".to_owned()][..], 110.0)
    );
    assert_eq!(first.best, Some(Best { metric: "eval_f1".to_owned(), value: 0.9 }));
    assert_eq!((first.figures["eval_f1"], first.figures["test_f1_low"]), (0.9, 0.9 - 0.2));
    assert_eq!(listing.runs[2].summary.message.as_deref(), Some("the loss is not finite"));
    assert_eq!(listing.runs[1].summary.best, None, "nothing was evaluated yet");
}

#[test]
fn a_run_that_goes_on_is_at_work_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut records = told("run", 0, 0.9);
    records.last_mut().unwrap().event = Event::RunEnd { status: RunStatus::Interrupted, message: None };
    let run = put(folder.path(), "run", &records);
    let mut journal = JournalWriter::open(&run).unwrap();
    journal.on_event(&records[0].event);
    let listing = list(folder.path()).unwrap();
    assert_eq!(stand(&listing), [("run", "at work")]);
    assert_eq!(listing.runs[0].summary.attempts, 2);
    assert_eq!(listing.runs[0].summary.seconds, 110.0, "the time between attempts is not its own");
}

#[test]
fn a_run_is_a_list_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let run = put(folder.path(), "run", &told("run", 0, 0.9));
    assert_eq!(stand(&list(&run).unwrap()), [("run", "finished")]);
    assert_eq!(fs::read_dir(&run).unwrap().count(), 1, "its folder stays as it was");
}

#[test]
fn an_absent_folder_is_said() {
    let error = list("/no/such/folder".as_ref()).unwrap_err().to_string();
    assert!(error.starts_with("look for runs in /no/such/folder: "), "{error}");
    assert_eq!(list(tempfile::tempdir().unwrap().path()).unwrap(), Listing::default());
}

#[test]
fn the_index_saves_reading_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let run = put(folder.path(), "run", &told("run", 0, 0.9)[..11]);
    put(folder.path(), "other", &told("other", 1, 0.9));
    let first = list(folder.path()).unwrap();
    let file = folder.path().join(index::FILE_NAME);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(list(folder.path()).unwrap(), first);

    // What it says of a journal that did not change is believed.
    fs::write(&file, text.replace("models/minilm", "from the index")).unwrap();
    assert_eq!(list(folder.path()).unwrap().runs[1].summary.model, "from the index");
    // A journal that grew is read.
    put(folder.path(), "run", &told("run", 0, 0.9)[11..]);
    let grown = list(folder.path()).unwrap();
    assert_eq!((grown.runs[1].summary.model.as_str(), grown.runs[1].status.as_str()), ("models/minilm", "finished"));
    assert_eq!(grown.runs[0].summary.model, "from the index");
    // So is one of the same size that was written at another time.
    let records = told("RUN", 0, 0.9);
    fs::remove_file(run.join(journal::FILE_NAME)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    put(folder.path(), "run", &records);
    assert_eq!(list(folder.path()).unwrap().runs[1].summary.name, "RUN");
    // A run that is gone is gone.
    fs::remove_dir_all(&run).unwrap();
    assert_eq!(stand(&list(folder.path()).unwrap()), [("other", "finished")]);
    assert!(!fs::read_to_string(&file).unwrap().contains("RUN"));

    for garbled in ["", "{", "[1]", &text.replace("\"version\":\"", "\"version\":\"another "), &text[..text.len() / 2]]
    {
        fs::write(&file, garbled).unwrap();
        let listing = list(folder.path()).unwrap();
        assert_eq!(listing.runs[0].summary.model, "models/minilm", "{garbled}");
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(stand(&list(folder.path()).unwrap()), [("other", "finished")]);
}
