//! Runs that are told to places, while they train and afterwards.

use std::path::PathBuf;

use crate::bench::{Bench, run, said};

fn event_files(bench: &Bench, folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(bench.path(folder)) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.to_string_lossy().contains("tfevents")).collect()
}

#[test]
fn a_place_has_the_whole_run_at_its_end() {
    let bench = Bench::new();
    bench.trained("run", &["--epochs", "1", "--track", "tensorboard", "--logging-steps", "3"]);
    let files = event_files(&bench, "run/tensorboard");
    assert_eq!(files.len(), 1, "{files:?}");
    let cursor = bench.json("run", "track/tensorboard.json");
    assert_eq!(cursor["sequence"].as_u64(), Some(bench.records("run").last().unwrap().sequence));

    // Nothing is sent twice.
    let before = std::fs::read(&files[0]).unwrap();
    assert!(said(run(&[&"sync", &bench.path("run")])).contains("tensorboard has the whole run"));
    assert_eq!(std::fs::read(&files[0]).unwrap(), before);
}

#[test]
fn a_finished_run_is_told_to_another_place() {
    let bench = Bench::new();
    bench.trained("run", &["--epochs", "1", "--quiet"]);
    assert!(event_files(&bench, "run/tensorboard").is_empty());
    let nowhere = run(&[&"sync", &bench.path("run")]);
    assert_eq!(nowhere.status.code(), Some(2), "{}", String::from_utf8_lossy(&nowhere.stderr));
    said(run(&[&"sync", &bench.path("run"), &"--track", &"tensorboard"]));
    assert_eq!(event_files(&bench, "run/tensorboard").len(), 1);
}

/// The place cannot be written to: training does not mind, and says so.
#[test]
fn a_place_that_is_out_of_reach_stops_nothing() {
    let bench = Bench::new();
    std::fs::write(bench.path("blocked"), "a file, not a folder").unwrap();
    let blocked = bench.path("blocked");
    let output =
        bench.train("run", &["--epochs", "1", "--track", "tensorboard", "--logging-dir", blocked.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    assert!(told.contains("tensorboard") && told.contains("tunesmith sync"), "{told}");
    assert!(bench.path("run/model.safetensors").exists());
}
