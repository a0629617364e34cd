//! Killed at any moment of a download, and several at once: what the cache then has is never believed wrongly.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::thread;
use std::time::Duration;

use hub_stand_in::{Fault, Kind, What, sha256};

use crate::wire::Wire;

/// Six megabytes, others for every `seed`.
fn weights(seed: u32) -> Vec<u8> {
    (0..1_500_000_u32).flat_map(|i| (i ^ seed).wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn put(wire: &Wire, weights: &[u8]) -> String {
    let files: [(&str, &[u8]); 3] = [("config.json", b"{}"), ("tokenizer.json", b"[]"), ("model.safetensors", weights)];
    wire.hub.add_repo(Kind::Model, "ada/large", &files)
}

/// Every name in the cache that stands for a file has that file's bytes, or there is no such name.
fn nothing_is_believed_wrongly(cache: &Path, commits: &BTreeMap<String, Vec<u8>>) {
    let repo = cache.join("models--ada--large");
    for blob in fs::read_dir(repo.join("blobs")).into_iter().flatten().flatten() {
        let name = blob.file_name().into_string().unwrap();
        if name.len() == 64 {
            assert_eq!(sha256(&fs::read(blob.path()).unwrap()), name);
        }
    }
    for (commit, weights) in commits {
        let snapshot = repo.join("snapshots").join(commit);
        if let Ok(bytes) = fs::read(snapshot.join("model.safetensors")) {
            assert!(bytes == *weights, "the snapshot of {commit} has other weights");
        }
    }
    if let Ok(commit) = fs::read_to_string(repo.join("refs/main")) {
        let snapshot = repo.join("snapshots").join(&commit);
        for file in ["config.json", "tokenizer.json", "model.safetensors"] {
            assert!(snapshot.join(file).is_file(), "main means {commit}, which has no {file}");
        }
    }
}

#[test]
fn a_download_that_was_killed_at_any_moment_leaves_nothing_that_is_believed() {
    let wire = Wire::new();
    let cache = wire.home.path().join("hf/hub");
    let mut commits = BTreeMap::new();
    let (mut finished, mut resumed) = (0, 0);
    for round in 0..60 {
        if round % 15 == 0 {
            let weights = weights(round);
            commits.insert(put(&wire, &weights), weights);
            wire.hub.no_faults();
            // A quarter of a second for the whole file.
            wire.hub.fault(Fault::always("GET /store/", What::Slow(24_000_000)));
        }
        wire.hub.forget_requests();
        let mut program = wire.command(&["fetch", "model", "ada/large", "--quiet"]).spawn().unwrap();
        let moment = RandomState::new().hash_one(round) % 200;
        thread::sleep(Duration::from_millis(moment));
        program.kill().unwrap();
        finished += u32::from(program.wait().unwrap().success());
        resumed += u32::from(wire.hub.requests().iter().any(|asked| asked.of_store && asked.range.is_some()));
        nothing_is_believed_wrongly(&cache, &commits);
    }
    println!(
        "of 60, {finished} had finished before they were killed, and {resumed} had gone on where another broke off"
    );
    assert!(finished < 60 && resumed > 0, "the moments do not meet the download: {finished} {resumed}");
    let folder = wire.says(&["fetch", "model", "ada/large", "--quiet"]);
    let commit = Path::new(folder.trim()).file_name().unwrap().to_str().unwrap();
    assert_eq!(fs::read(Path::new(folder.trim()).join("model.safetensors")).unwrap(), commits[commit]);
    let left = fs::read_dir(cache.join("models--ada--large/blobs")).unwrap().flatten();
    let left: Vec<_> = left.filter(|entry| entry.file_name().len() != 64 && entry.file_name().len() != 40).collect();
    // Of commits that nobody asked for again, a beginning may lie there.
    assert!(left.len() < commits.len(), "{left:?}");
}

#[test]
fn processes_that_fetch_at_once_share_the_work() {
    let wire = Wire::new();
    let weights = weights(1);
    put(&wire, &weights);
    wire.hub.fault(Fault::always("GET /store/", What::Slow(6_000_000)));
    let programs: Vec<_> =
        (0..4).map(|_| wire.command(&["fetch", "model", "ada/large", "--quiet"]).spawn().unwrap()).collect();
    for program in programs {
        let output = program.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let folder = String::from_utf8(output.stdout).unwrap();
        assert_eq!(fs::read(Path::new(folder.trim()).join("model.safetensors")).unwrap(), weights);
    }
    assert_eq!(wire.hub.requests().iter().filter(|asked| asked.of_store).count(), 1);
}

#[test]
fn who_waits_takes_over_from_who_was_killed() {
    let wire = Wire::new();
    let weights = weights(2);
    put(&wire, &weights);
    wire.hub.fault(Fault::always("GET /store/", What::Slow(6_000_000)));
    let mut first = wire.command(&["fetch", "model", "ada/large", "--quiet"]).spawn().unwrap();
    let is_under_way = || wire.hub.requests().iter().any(|asked| asked.of_store);
    while !is_under_way() {
        thread::sleep(Duration::from_millis(10));
    }
    let second = wire.command(&["fetch", "model", "ada/large", "--quiet"]).spawn().unwrap();
    thread::sleep(Duration::from_millis(400));
    first.kill().unwrap();
    first.wait().unwrap();
    let output = second.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = String::from_utf8(output.stdout).unwrap();
    assert_eq!(fs::read(Path::new(folder.trim()).join("model.safetensors")).unwrap(), weights);
    let asked: Vec<_> = wire.hub.requests().into_iter().filter(|asked| asked.of_store).collect();
    assert!(asked.len() == 2 && asked[1].range.is_some(), "{asked:?}");
}
