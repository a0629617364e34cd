//! To a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use journal::RunStatus;

use super::{BEGIN, Story, settings};
use crate::protobuf::reading::{all, fields, number, text};
use crate::sync;
use crate::wandb::log_file::reading::records;
use crate::wandb::{Offline, Settings, start};

const FOLDER: &str = "wandb/offline-run-20261122_041530-0123456789abcdef";

const HISTORY: u64 = 2;
const SUMMARY: u64 = 3;
const FILES: u64 = 6;
const STATS: u64 = 7;
const ARTIFACT: u64 = 8;
const METRIC: u64 = 12;
const RUN: u64 = 17;
const EXIT: u64 = 18;
const HEADER: u64 = 21;

fn deliver(settings: &Settings, folder: &Path) -> PathBuf {
    let status = sync(Offline::new(settings.clone()), folder).unwrap();
    assert_eq!(status.waiting, 0);
    folder.join(FOLDER).join("run-0123456789abcdef.wandb")
}

/// The kind and content of each record. Their numbers have to be right.
fn content(file: &Path) -> Vec<(u64, Vec<u8>)> {
    let records = records(&fs::read(file).unwrap()).unwrap();
    assert!(records.iter().zip(1..).all(|(record, at)| number(record, 1) == at));
    let kind = |record: &Vec<u8>| fields(record)[1].0;
    records.iter().map(|record| (kind(record), all(record, kind(record)).pop().unwrap())).collect()
}

fn of_kind(content: &[(u64, Vec<u8>)], kind: u64) -> Vec<Vec<u8>> {
    content.iter().filter(|(found, _)| *found == kind).map(|(_, content)| content.clone()).collect()
}

fn items(message: &[u8], field: u64) -> BTreeMap<String, String> {
    all(message, field).iter().map(|item| (text(item, 1), text(item, 16))).collect()
}

#[test]
fn a_run_is_there_with_everything() {
    let folder = tempfile::tempdir().unwrap();
    Story::whole().write(folder.path());
    let env = [("WANDB_TAGS", "a,b"), ("WANDB_ENTITY", "team"), ("WANDB_NAME", "other name")];
    let file = deliver(&settings(&env), folder.path());
    let content = content(&file);
    assert_eq!(content.iter().map(|(kind, _)| *kind).take(3).collect::<Vec<_>>(), [HEADER, RUN, METRIC]);
    assert_eq!(content.last().unwrap().0, EXIT);

    let run = &of_kind(&content, RUN)[0];
    assert_eq!([1, 2, 3, 8].map(|field| text(run, field)), ["0123456789abcdef", "team", "tunesmith", "other name"]);
    assert_eq!(all(run, 10), [b"a", b"b"]);
    assert_eq!(number(&all(run, 17)[0], 1), BEGIN as u64);
    let config = items(&all(run, 4)[0], 1);
    assert_eq!((config["learning_rate"].as_str(), config["model/num_parameters"].as_str()), ("0.125", "1234"));

    let history = of_kind(&content, HISTORY);
    let steps: Vec<_> = history.iter().map(|row| number(&all(row, 2)[0], 1)).collect();
    assert_eq!(steps, [0, 1, 2, 3, 4, 5]);
    let first = items(&history[0], 1);
    assert_eq!((first["train/loss"].as_str(), first["train/global_step"].as_str()), ("0.1", "10"));
    let stats = items(&of_kind(&content, STATS)[0], 3);
    assert_eq!((stats["cpu"].as_str(), stats["proc.memory.rssMB"].as_str()), ("75.0", "512.0"));
    let summary = items(of_kind(&content, SUMMARY).last().unwrap(), 1);
    assert_eq!((summary["test/f1"].as_str(), summary["train_runtime"].as_str()), ("0.75", "90.0"));
    let named: Vec<_> =
        of_kind(&content, FILES).iter().flat_map(|files| all(files, 1)).map(|file| text(&file, 1)).collect();
    assert_eq!(named, ["wandb-metadata.json", "all_results.json", "code/tunesmith.toml"]);
    assert_eq!(number(&of_kind(&content, EXIT)[0], 1), 0);
    assert!(of_kind(&content, ARTIFACT).is_empty());

    let written = |name: &str| fs::read_to_string(folder.path().join(FOLDER).join("files").join(name)).unwrap();
    assert!(written("config.yaml").contains("\"learning_rate\":\n    value: 0.125\n"));
    assert!(written("wandb-summary.json").contains("\"test/f1\":0.75"));
    assert!(written("wandb-metadata.json").contains("sms.csv"));
    assert_eq!(written("code/tunesmith.toml"), "learning_rate = 0.125\n");
}

/// The file is the same whether it was written at once, as the run went, or with crashes before anything was noted.
#[test]
fn news_that_come_twice_are_there_once() {
    let whole = tempfile::tempdir().unwrap();
    Story::whole().write(whole.path());
    let settings = settings(&[]);
    let expected = content(&deliver(&settings, whole.path()));

    let folder = tempfile::tempdir().unwrap();
    let cursor = folder.path().join("track/wandb-offline.json");
    let file = folder.path().join(FOLDER).join("run-0123456789abcdef.wandb");
    let all_records = Story::whole().records;
    for until in 1..=all_records.len() {
        let mut story = Story::new();
        story.records = all_records[..until].to_vec();
        story.write(folder.path());
        let before = (fs::read(&cursor).ok(), fs::metadata(&file).map_or(0, |file| file.len() as usize));
        deliver(&settings, folder.path());
        let bytes = fs::read(&file).unwrap();
        let (Some(noted), length) = before else { continue };
        // Nothing was noted, and only a part of what is new is written.
        fs::write(&cursor, noted).unwrap();
        fs::write(&file, &bytes[..length + (bytes.len() - length) / 2]).unwrap();
        deliver(&settings, folder.path());
        assert_eq!(fs::read(&file).unwrap(), bytes);
    }
    let pieces = content(&file);
    for kind in [RUN, HISTORY, STATS, METRIC, EXIT] {
        assert_eq!(of_kind(&pieces, kind), of_kind(&expected, kind));
    }
    assert_eq!(fs::read_dir(folder.path().join("wandb")).unwrap().count(), 1);
}

#[test]
fn a_resumed_run_goes_on_in_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&[]);
    let mut story = Story::new();
    story.begin(0);
    story.log(10);
    story.log(20);
    story.end(RunStatus::Interrupted);
    story.write(folder.path());
    let file = deliver(&settings, folder.path());
    let exits = of_kind(&content(&file), EXIT);
    assert_eq!((exits.len(), number(&exits[0], 1)), (1, 255));
    fs::write(file.with_extension("wandb.synced"), "").unwrap();

    story.resume(10);
    story.log(20);
    story.write(folder.path());
    deliver(&settings, folder.path());
    assert!(of_kind(&content(&file), EXIT).is_empty(), "it is at work again");
    assert!(!file.with_extension("wandb.synced").exists(), "not all of it was uploaded");
    story.finish();
    story.write(folder.path());
    deliver(&settings, folder.path());
    let content = content(&file);
    assert_eq!(of_kind(&content, RUN).len(), 1);
    let exits = of_kind(&content, EXIT);
    assert_eq!((exits.len(), number(&exits[0], 1), content.last().unwrap().0), (1, 0, EXIT));
    let history = of_kind(&content, HISTORY);
    let steps: Vec<_> = history.iter().map(|row| items(row, 1)["train/global_step"].clone()).collect();
    assert_eq!(steps, ["10", "20", "30", "40", "40"]);
    assert!(history.iter().zip(0..).all(|(row, at)| number(&all(row, 2)[0], 1) == at));
}

/// `wandb sync` removes the files of an artifact when it has uploaded them.
#[test]
fn the_model_goes_there_as_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    Story::whole().write(folder.path());
    let file = deliver(&settings(&[("WANDB_LOG_MODEL", "end")]), folder.path());
    let artifacts = of_kind(&content(&file), ARTIFACT);
    assert_eq!(artifacts.len(), 1);
    assert_eq!((text(&artifacts[0], 5).as_str(), text(&artifacts[0], 4).as_str()), ("model-sms-run", "model"));
    let entries = all(&all(&artifacts[0], 12)[0], 4);
    let names: Vec<_> = entries.iter().map(|entry| text(entry, 1)).collect();
    assert_eq!(names, ["config.json", "model.safetensors"]);
    for entry in &entries {
        let copy = PathBuf::from(text(entry, 6));
        assert!(copy.is_absolute() && copy != folder.path().join(text(entry, 1)));
        assert_eq!(fs::read(&copy).unwrap(), fs::read(folder.path().join(text(entry, 1))).unwrap());
        fs::remove_file(copy).unwrap();
    }
}

#[test]
fn the_folder_is_where_it_was_asked_for() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    Story::whole().write(folder.path());
    let settings = settings(&[("WANDB_DIR", elsewhere.path().to_str().unwrap()), ("WANDB_RUN_ID", "mine")]);
    let status = sync(Offline::new(settings), folder.path()).unwrap();
    let there = elsewhere.path().join("wandb/offline-run-20261122_041530-mine");
    assert!(there.join("run-mine.wandb").exists());
    assert_eq!(status.url.as_deref(), there.to_str());
    assert!(!folder.path().join("wandb").exists());
}

#[test]
fn a_file_that_was_removed_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let mut story = Story::new();
    story.begin(0);
    story.write(folder.path());
    let file = deliver(&settings(&[]), folder.path());
    fs::remove_file(&file).unwrap();
    story.log(10);
    story.write(folder.path());
    let error = sync(Offline::new(settings(&[])), folder.path()).unwrap_err().to_string();
    assert!(error.contains("run-0123456789abcdef.wandb") && error.contains("track/wandb-offline.json"), "{error}");
}

#[test]
fn the_user_reads_how_to_upload_it_unless_silence_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    Story::whole().write(folder.path());
    let said = |settings: &Settings| {
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let tell = Arc::new(move |text: &str| heard.lock().unwrap().push(text.to_owned()));
        let status = start(settings, folder.path(), tell).unwrap().finish(Duration::from_secs(20));
        assert_eq!(status.trouble, None);
        said.lock().unwrap().join("\n")
    };
    let told = said(&settings(&[]));
    assert!(told.contains("wandb sync") && told.contains(FOLDER), "{told}");
    assert_eq!(said(&settings(&[("WANDB_SILENT", "true")])), "");
    assert!(start(&settings(&[("WANDB_MODE", "disabled")]), folder.path(), Arc::new(|_| ())).is_none());
}
