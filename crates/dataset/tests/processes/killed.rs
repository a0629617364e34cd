//! A preparation that is killed leaves nothing that a later one trusts wrongly.

use std::path::Path;
use std::time::Duration;

use dataset::{CacheOutcome, encode};

use crate::prepare::{child, load, tokens, write_rows};

/// Names of the files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn killed_at_any_moment_it_leaves_a_whole_file_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("rows.csv");
    write_rows(&table, 12_000);
    let told = [("TABLE", table.as_path()), ("FOLDER", folder.path())];
    let (mut before, mut after) = (0, 0);
    for round in 0..12 {
        let mut running = child(&told).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(40 * round));
        running.kill().unwrap();
        running.wait().unwrap();
        assert_eq!(files(&folder.path().join("texts")), [""; 0], "what is kept of texts has no name");
        let named = files(&folder.path().join("tokens")).into_iter().filter(|name| name.ends_with(".tokens")).count();
        assert!(named <= 1);
        before += usize::from(named == 0);
        after += named;
        if named == 1 {
            let (data, tokenizer) = load(&table, folder.path());
            let (found, outcome) = tokens(&data.train, &tokenizer, folder.path());
            let CacheOutcome::Reused(file) = outcome else { panic!("{outcome:?}") };
            let right = encode(&tokenizer, &data.train.texts, 128).unwrap();
            assert!((0..right.len()).all(|row| right.input_ids(row) == found.input_ids(row)));
            std::fs::remove_file(file).unwrap();
        }
    }
    println!("killed {before} times before the file was there, {after} times after");
}
