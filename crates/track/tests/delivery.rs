//! How places are served: outages, crashes, hangs, panics and refusals cost no record, and nobody waits for them.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use journal::{Event, JournalWriter, Listener, RunInfo};
use serde::{Deserialize, Serialize};
use track::{Delivery, Kept, News, Place, PlaceError, Tell, sync, urls};

/// What the place does with its next deliveries; when there is nothing here any more, it takes them.
#[derive(Clone, Debug)]
enum Does {
    Takes,
    /// It is away, and nothing arrives.
    Away,
    /// It saves that it has the first record, and goes away.
    AwayMidway,
    Refuses,
    Panics,
    Hangs,
    /// It needs this long, and says all the while that it goes on.
    Works(Duration),
    Notes(&'static str),
}

/// What the place has, wherever its process went.
#[derive(Debug, Default)]
struct There {
    script: VecDeque<Does>,
    records: Vec<u64>,
    steps: Vec<u64>,
    calls: usize,
}

#[derive(Clone, Debug, Default)]
struct Fake(Arc<Mutex<There>>);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    has: u64,
}

impl Fake {
    fn with(script: &[Does]) -> Self {
        let fake = Self::default();
        fake.0.lock().unwrap().script = script.iter().cloned().collect();
        fake
    }

    fn records(&self) -> Vec<u64> {
        self.0.lock().unwrap().records.clone()
    }

    fn steps(&self) -> Vec<u64> {
        self.0.lock().unwrap().steps.clone()
    }

    fn take(&self, news: &News<'_>, kept: &mut Kept<'_, State>) {
        let mut there = self.0.lock().unwrap();
        let has = kept.state.has;
        for record in news.records.iter().filter(|record| record.sequence > has) {
            there.records.push(record.sequence);
            kept.state.has = record.sequence;
        }
        there.steps.extend(news.points.iter().map(|point| point.step));
    }
}

impl Place for Fake {
    type State = State;

    fn name(&self) -> &'static str {
        "fake"
    }

    fn url(&self, state: &State) -> Option<String> {
        (state.has > 0).then(|| "http://fake/run".to_owned())
    }

    fn deliver(&mut self, news: &News<'_>, kept: &mut Kept<'_, State>) -> Result<(), PlaceError> {
        let does = {
            let mut there = self.0.lock().unwrap();
            there.calls += 1;
            there.script.pop_front().unwrap_or(Does::Takes)
        };
        match does {
            Does::Takes => {}
            Does::Away => return Err(PlaceError::outage("it is away")),
            Does::AwayMidway => {
                let first = news.records[0].sequence;
                self.0.lock().unwrap().records.push(first);
                kept.state.has = first;
                return Err(PlaceError::outage("it went away"));
            }
            Does::Refuses => return Err(PlaceError::refused("it does not want this")),
            Does::Panics => panic!("a mistake in a place"),
            Does::Hangs => thread::sleep(Duration::from_secs(3600)),
            Does::Works(pause) => {
                for _ in 0..20 {
                    thread::sleep(pause / 20);
                    kept.alive();
                }
            }
            Does::Notes(sentence) => kept.note(sentence),
        }
        self.take(news, kept);
        Ok(())
    }
}

fn log(step: u64) -> Event {
    Event::Log { step, epoch: 0.1, loss: 0.5, learning_rate: 0.1, grad_norm: 1.0, tokens_per_second: 9.0 }
}

/// A run with its first line and `steps` more.
fn run(folder: &Path, steps: std::ops::RangeInclusive<u64>) -> JournalWriter {
    let mut journal = JournalWriter::open(folder).unwrap();
    journal.on_event(&Event::RunBegin(Box::new(RunInfo { run_id: "r".into(), ..RunInfo::default() })));
    for step in steps {
        journal.on_event(&log(step));
    }
    journal
}

type Heard = Arc<Mutex<Vec<String>>>;

fn ear() -> (Heard, Tell) {
    let heard = Heard::default();
    let ear = Arc::clone(&heard);
    (heard, Arc::new(move |text: &str| ear.lock().unwrap().push(text.to_owned())))
}

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn everything_arrives_once_and_in_order_after_an_outage() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Fake::with(&[Does::Away, Does::AwayMidway, Does::Takes]));
    let _journal = run(folder.path(), 1..=5);
    let (heard, tell) = ear();
    let status = Delivery::start(place.clone(), folder.path(), tell).finish(PATIENCE);
    assert_eq!((status.delivered, status.waiting, &status.trouble), (6, 0, &None));
    assert_eq!(status.url.as_deref(), Some("http://fake/run"));
    assert_eq!(place.records(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(place.steps(), [1, 2, 3, 4, 5]);
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), 3, "one word when it begins, the address, one when it is over: {heard:?}");
    assert!(heard[0].contains("out of reach") && heard[0].contains("it is away"), "{heard:?}");
    assert!(heard[1].contains("http://fake/run"), "{heard:?}");
    assert!(heard[2].contains("reached again"), "{heard:?}");
}

#[test]
fn a_journal_that_grows_is_followed() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Fake::default());
    let delivery = Delivery::start(place.clone(), folder.path(), ear().1);
    thread::sleep(Duration::from_millis(100));
    let mut journal = run(folder.path(), 1..=2);
    let until = Instant::now() + PATIENCE;
    while place.records().len() < 3 && Instant::now() < until {
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(place.records(), [1, 2, 3], "before the run is over");
    journal.on_event(&log(3));
    let status = delivery.finish(PATIENCE);
    assert_eq!((status.delivered, place.records().as_slice()), (4, [1, 2, 3, 4].as_slice()));
}

#[test]
fn a_long_journal_comes_in_portions() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Fake::default());
    let _journal = run(folder.path(), 1..=1200);
    sync(place.clone(), folder.path()).unwrap();
    assert_eq!(place.records(), (1..=1201).collect::<Vec<_>>());
    assert_eq!(place.0.lock().unwrap().calls, 3);
}

#[test]
fn a_process_that_was_killed_is_gone_on_from() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Fake::with(&[Does::Takes, Does::AwayMidway]));
    let mut journal = run(folder.path(), 1..=2);
    sync(place.clone(), folder.path()).unwrap();
    journal.on_event(&log(3));
    journal.on_event(&log(4));
    // The process that this happens to does not live to try again; what the place keeps is on the disk.
    assert!(sync(place.clone(), folder.path()).is_err());
    let status = Delivery::start(place.clone(), folder.path(), ear().1).finish(PATIENCE);
    assert_eq!((status.delivered, status.trouble), (5, None));
    assert_eq!(place.records(), [1, 2, 3, 4, 5]);
    assert_eq!(place.steps(), [1, 2, 3, 4]);
}

#[test]
fn what_an_attempt_says_again_arrives_once() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Fake::default());
    drop(run(folder.path(), 1..=4));
    sync(place.clone(), folder.path()).unwrap();
    drop(run(folder.path(), 3..=6));
    sync(place.clone(), folder.path()).unwrap();
    assert_eq!(place.steps(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(place.records(), (1..=10).collect::<Vec<_>>());
}

#[test]
fn sync_delivers_what_an_outage_held_back() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Fake::with(&vec![Does::Away; 100]));
    let _journal = run(folder.path(), 1..=3);
    let begin = Instant::now();
    let status = Delivery::start(place.clone(), folder.path(), ear().1).finish(Duration::from_millis(300));
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert_eq!((status.delivered, status.waiting), (0, 4));
    assert!(status.trouble.unwrap().contains("it is away"));
    assert!(sync(place.clone(), folder.path()).unwrap_err().to_string().contains("it is away"));
    assert_eq!(urls(folder.path()), []);
    place.0.lock().unwrap().script.clear();
    let status = sync(place.clone(), folder.path()).unwrap();
    assert_eq!((status.delivered, place.records().len()), (4, 4));
    assert_eq!(urls(folder.path()), [("fake".to_owned(), "http://fake/run".to_owned())]);
}

#[test]
fn only_addresses_on_the_web_are_told() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(urls(folder.path()), []);
    std::fs::create_dir(folder.path().join("track")).unwrap();
    let put = |name: &str, text: &str| std::fs::write(folder.path().join("track").join(name), text).unwrap();
    let cursor = |url: &str| format!(r#"{{"sequence": 1, "last_steps": {{}}, "url": {url}, "state": {{"x": 1}}}}"#);
    put("b.json", &cursor(r#""https://b/1""#));
    put("a.json", &cursor(r#""http://a/1""#));
    put("c.json", &cursor(r#""/a/folder""#));
    put("d.json", &cursor("null"));
    put("e.json", "damaged");
    put("f.json", r#"{"sequence": 1, "last_steps": {}, "state": {}}"#);
    put("a.lock", "");
    let found = urls(folder.path());
    assert_eq!(found, [("a", "http://a/1"), ("b", "https://b/1")].map(|(name, url)| (name.to_owned(), url.to_owned())));
}

#[test]
fn a_place_that_hangs_holds_nobody() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Fake::with(&[Does::Hangs]));
    let _journal = run(folder.path(), 1..=3);
    let delivery = Delivery::start(place, folder.path(), ear().1);
    let begin = Instant::now();
    let status = delivery.finish(Duration::from_millis(300));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(status.delivered, 0);
}

#[test]
fn a_place_that_works_is_not_lost_patience_with() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Fake::with(&[Does::Works(Duration::from_secs(2))]));
    let _journal = run(folder.path(), 1..=3);
    let status = Delivery::start(place, folder.path(), ear().1).finish(Duration::from_millis(700));
    assert_eq!(status.delivered, 4);
}

#[test]
fn a_mistake_in_a_place_is_its_own() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Fake::with(&[Does::Panics]));
    let _journal = run(folder.path(), 1..=3);
    let status = Delivery::start(place.clone(), folder.path(), ear().1).finish(PATIENCE);
    assert!(status.trouble.unwrap().contains("unexpectedly"));
    sync(place.clone(), folder.path()).unwrap();
    assert_eq!(place.records(), [1, 2, 3, 4]);
}

#[test]
fn a_refusal_is_said_once_and_ends_the_delivery() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Fake::with(&[Does::Refuses]));
    let _journal = run(folder.path(), 1..=3);
    let (heard, tell) = ear();
    let begin = Instant::now();
    let status = Delivery::start(place.clone(), folder.path(), tell).finish(PATIENCE);
    assert!(begin.elapsed() < PATIENCE / 2, "it is not waited for");
    assert!(status.trouble.unwrap().contains("does not want this"));
    assert_eq!(heard.lock().unwrap().len(), 1);
    assert!(heard.lock().unwrap()[0].contains("tunesmith sync"));
    assert_eq!(place.records(), [0_u64; 0]);
}

#[test]
fn what_a_place_leaves_out_is_said_once() {
    let notes = [Does::Notes("no pictures"), Does::Notes("no pictures")];
    let (folder, place) = (tempfile::tempdir().unwrap(), Fake::with(&notes));
    let _journal = run(folder.path(), 1..=1200);
    let (heard, tell) = ear();
    let status = Delivery::start(place, folder.path(), tell).finish(PATIENCE);
    assert_eq!(status.notes, ["no pictures"]);
    assert_eq!(heard.lock().unwrap().iter().filter(|text| text.contains("no pictures")).count(), 1);
}

#[test]
fn one_process_at_a_time_delivers_a_run() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Fake::default());
    let _journal = run(folder.path(), 1..=3);
    let delivery = Delivery::start(place.clone(), folder.path(), ear().1);
    while place.records().is_empty() {
        thread::sleep(Duration::from_millis(10));
    }
    let error = sync(place.clone(), folder.path()).unwrap_err();
    assert!(matches!(error, PlaceError::Outage { .. }) && error.to_string().contains("another process"), "{error}");
    delivery.finish(PATIENCE);
    assert_eq!(sync(place, folder.path()).unwrap().delivered, 4);
}

#[test]
fn a_damaged_note_of_how_far_it_came_is_said() {
    let (folder, place) = (tempfile::tempdir().unwrap(), Fake::default());
    let _journal = run(folder.path(), 1..=3);
    std::fs::create_dir(folder.path().join("track")).unwrap();
    std::fs::write(folder.path().join("track/fake.json"), "{\"sequence\": ").unwrap();
    let error = sync(place, folder.path()).unwrap_err();
    assert!(error.to_string().contains("track/fake.json"), "{error}");
}
