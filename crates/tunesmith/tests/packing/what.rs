//! What is in an archive, and what is not.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;

use crate::bench::{Bench, said};
use crate::using::{packed, refused, tunesmith};

/// All that is in an archive, unpacked but still a tar.
fn bytes(archive: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(archive).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

fn names(bench: &Bench, archive: &str) -> Vec<String> {
    let folder = format!("{archive}-names");
    said(tunesmith(bench, &[&"unpack", &archive, &"--output", &folder]));
    let entries = fs::read_dir(bench.path(&folder)).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

const MODEL: [&str; 4] = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

#[test]
fn it_is_the_model_and_what_is_told_of_it() {
    let bench = Bench::new();
    bench.trained(
        "run",
        &["--max-steps", "4", "--save-strategy", "steps", "--save-steps", "2", "--track", "tensorboard"],
    );
    said(tunesmith(&bench, &[&"pack", &"run"]));
    let told =
        ["README.md", "all_results.json", "calibration.json", "eval_results.json", "report.html", "test_results.json"];
    let mut expected: Vec<&str> = MODEL.into_iter().chain(told).chain(["train_results.json"]).collect();
    expected.sort_unstable();
    assert_eq!(names(&bench, "run.tar.gz"), expected);

    let (code, said_of_it) = refused(tunesmith(&bench, &[&"pack", &"run"]));
    assert_eq!(code, 2);
    assert!(said_of_it.contains("--output run.tar.gz"), "{said_of_it}");
    said(tunesmith(&bench, &[&"pack", &"run", &"--output", &"run.tar.gz"]));
}

#[test]
fn texts_of_the_data_set_stay_where_they_are() {
    let bench = Bench::new();
    packed(&bench);
    said(tunesmith(&bench, &[&"pack", &"run", &"--no-report", &"--output", &"quiet.tar.gz"]));
    let shows = |archive: &str| {
        let bytes = bytes(&bench.path(archive));
        // As every row has it.
        let text = b"parcel number 1";
        bytes.windows(text.len()).any(|part| part == text)
    };
    assert!(shows("model.tar.gz"), "the report shows some");
    assert!(!shows("quiet.tar.gz"));
    // Where the data was is nobody else's business either.
    let path = bench.path("rows.csv").display().to_string();
    assert!(!bytes(&bench.path("quiet.tar.gz")).windows(path.len()).any(|part| part == path.as_bytes()));
}

#[test]
fn the_same_run_is_the_same_bytes() {
    let bench = Bench::new();
    let first = packed(&bench);
    said(tunesmith(&bench, &[&"pack", &"run", &"--output", &"second.tar.gz", &"--quiet"]));
    assert_eq!(fs::read(first).unwrap(), fs::read(bench.path("second.tar.gz")).unwrap());
}

#[test]
fn an_unfinished_run_gives_its_last_good_model() {
    let bench = Bench::new();
    bench.trained("run", &["--max-steps", "4", "--save-strategy", "steps", "--save-steps", "2", "--quiet"]);
    // As a run looks that was killed while it measured.
    fs::remove_file(bench.path("run/all_results.json")).unwrap();
    fs::write(bench.path("run/model.safetensors"), "half").unwrap();
    let output = tunesmith(&bench, &[&"pack", &"run", &"--output", &"a.tar.gz"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("checkpoint-4"), "{output:?}");
    said(output);
    said(tunesmith(&bench, &[&"unpack", &"a.tar.gz"]));
    let weights = |folder: &str| fs::read(bench.path(folder).join("model.safetensors")).unwrap();
    assert_eq!(weights("a"), weights("run/checkpoint-4"));

    for checkpoint in ["run/checkpoint-2", "run/checkpoint-4"] {
        fs::remove_dir_all(bench.path(checkpoint)).unwrap();
    }
    let (code, said) = refused(tunesmith(&bench, &[&"pack", &"run", &"--output", &"b.tar.gz"]));
    assert_eq!(code, 4);
    assert!(said.contains("not finished") && said.contains("--resume"), "{said}");
    assert!(!bench.path("b.tar.gz").exists());
}

#[test]
fn a_run_that_selects_gives_its_best_model() {
    let bench = Bench::new();
    let often = ["--save-strategy", "steps", "--save-steps", "2", "--eval-strategy", "steps", "--eval-steps", "2"];
    let selects = ["--max-steps", "4", "--load-best-model-at-end", "--metric-for-best-model", "loss", "--quiet"];
    bench.trained("run", &[&often[..], &selects[..]].concat());
    fs::remove_file(bench.path("run/all_results.json")).unwrap();
    for best in [2, 4] {
        let state = bench.path("run/checkpoint-4/trainer_state.json");
        let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
        assert!(json["best_global_step"].is_u64());
        json["best_global_step"] = best.into();
        fs::write(&state, json.to_string()).unwrap();
        let archive = format!("{best}.tar.gz");
        said(tunesmith(&bench, &[&"pack", &"run", &"--output", &archive]));
        said(tunesmith(&bench, &[&"unpack", &archive]));
        let weights = |folder: &str| fs::read(bench.path(folder).join("model.safetensors")).unwrap();
        assert_eq!(weights(&best.to_string()), weights(&format!("run/checkpoint-{best}")));
    }
}

#[test]
fn what_is_no_model_is_not_packed() {
    let bench = Bench::new();
    packed(&bench);
    for missing in ["config.json", "model.safetensors", "tokenizer.json"] {
        let folder = bench.path(&format!("without-{missing}"));
        fs::create_dir(&folder).unwrap();
        for name in MODEL.iter().filter(|name| **name != missing) {
            fs::copy(bench.path("run").join(name), folder.join(name)).unwrap();
        }
        let (code, said) = refused(tunesmith(&bench, &[&"pack", &folder, &"--output", &"b.tar.gz"]));
        assert_eq!(code, 4, "{missing}");
        assert!(said.contains(missing), "{said}");
    }
    fs::write(bench.path("run/model.safetensors"), "half").unwrap();
    let (code, said) = refused(tunesmith(&bench, &[&"pack", &"run", &"--output", &"b.tar.gz"]));
    assert_eq!(code, 4);
    assert!(said.contains("model.safetensors"), "{said}");
    assert!(!bench.path("b.tar.gz").exists());
}
