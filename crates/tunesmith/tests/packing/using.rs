//! An archive is as good as its folder.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::bench::{Bench, said};

/// The program with a cache of its own, at work in the bench's folder.
pub(crate) fn tunesmith(bench: &Bench, arguments: &[&dyn AsRef<OsStr>]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tunesmith"));
    command.args(arguments.iter().map(|argument| argument.as_ref()));
    command.current_dir(bench.path("")).env("XDG_CACHE_HOME", bench.path("home"));
    command.stdin(Stdio::null()).output().unwrap()
}

pub(crate) fn refused(output: Output) -> (i32, String) {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// A finished run of few steps, and its archive.
pub(crate) fn packed(bench: &Bench) -> PathBuf {
    bench.trained("run", &["--max-steps", "4", "--quiet"]);
    assert_eq!(said(tunesmith(bench, &[&"pack", &"run", &"--output", &"model.tar.gz"])).trim(), "model.tar.gz");
    bench.path("model.tar.gz")
}

fn answers(bench: &Bench, model: &Path) -> String {
    let texts = ["where is my parcel", "I want money back for the lamp"];
    said(tunesmith(bench, &[&"predict", &model, &texts[0], &texts[1], &"--json", &"--precision", &"f32"]))
}

#[test]
fn every_command_takes_an_archive() {
    let bench = Bench::new();
    let archive = packed(&bench);
    let expected = answers(&bench, &bench.path("run"));
    assert_eq!(answers(&bench, &archive), expected);
    assert_eq!(answers(&bench, &archive), expected, "unpacked before");

    let scores = |model: &Path| {
        let output =
            tunesmith(&bench, &[&"evaluate", &model, &"rows.csv", &"--json", &"--quiet", &"--precision", &"f32"]);
        let mut scores: serde_json::Value = serde_json::from_str(&said(output)).unwrap();
        scores.as_object_mut().unwrap().retain(|name, _| !["runtime", "samples_per_second"].contains(&name.as_str()));
        scores
    };
    assert_eq!(scores(&archive), scores(&bench.path("run")));
    let pieces = |model: &Path| said(tunesmith(&bench, &[&"tokenize", &model, &"where is my parcel"]));
    assert_eq!(pieces(&archive), pieces(&bench.path("run")));

    let train = ["train", "rows.csv", "--max-steps", "1", "--batch-size", "8", "--quiet", "--output"];
    let train = |model: &str, output: &str| {
        let mut arguments: Vec<&dyn AsRef<OsStr>> = train.iter().map(|word| word as &dyn AsRef<OsStr>).collect();
        let (model, output) = (model.to_owned(), output.to_owned());
        arguments.extend([&output as &dyn AsRef<OsStr>, &"--model", &model]);
        said(tunesmith(&bench, &arguments));
        fs::read(bench.path(&output).join("model.safetensors")).unwrap()
    };
    assert_eq!(train("model.tar.gz", "again"), train("run", "once"), "trained further");
    let card = fs::read_to_string(bench.path("again/README.md")).unwrap();
    assert!(!card.contains("base_model"), "an archive is no name on the Hub: {card}");
}

#[test]
fn an_unpacked_archive_is_a_model_folder() {
    let bench = Bench::new();
    packed(&bench);
    assert_eq!(said(tunesmith(&bench, &[&"unpack", &"model.tar.gz"])).trim(), "model");
    assert_eq!(answers(&bench, &bench.path("model")), answers(&bench, &bench.path("run")));
    said(tunesmith(&bench, &[&"unpack", &"model.tar.gz", &"--output", &"there/it is"]));
    assert!(bench.path("there/it is/config.json").is_file());

    let (code, said) = refused(tunesmith(&bench, &[&"unpack", &"model.tar.gz"]));
    assert_eq!(code, 2);
    assert!(said.contains("something is there") && said.contains("--output"), "{said}");
}

#[test]
fn an_archive_that_cannot_be_trusted_is_no_model() {
    let bench = Bench::new();
    let archive = packed(&bench);
    let whole = fs::read(&archive).unwrap();
    fs::write(&archive, &whole[..whole.len() / 2]).unwrap();
    for command in [vec!["predict", "model.tar.gz", "a text"], vec!["unpack", "model.tar.gz"]] {
        let arguments: Vec<&dyn AsRef<OsStr>> = command.iter().map(|word| word as &dyn AsRef<OsStr>).collect();
        let (code, said) = refused(tunesmith(&bench, &arguments));
        assert_eq!(code, 4, "{said}");
        assert!(said.contains("no whole tar.gz"), "{said}");
    }
    assert!(!bench.path("model").exists());
    let (code, said) = refused(tunesmith(&bench, &[&"predict", &"rows.csv", &"a text"]));
    assert_eq!(code, 4);
    assert!(said.contains("expected a folder or a tar.gz"), "{said}");
}
