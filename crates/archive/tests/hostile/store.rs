//! Archives used as if they were folders.

use std::fs;
use std::thread;

use archive::{Error, is_archive, open};

use crate::bench::{Bench, files};

#[test]
fn an_archive_is_unpacked_once() {
    let bench = Bench::new();
    let store = bench.path("store");
    let first = bench.packed("a.tar.gz", &[("config.json", b"{}"), ("more/a", b"1")]);
    let folder = open(&first, Some(&store)).unwrap();
    assert_eq!(files(&folder).into_keys().collect::<Vec<_>>(), ["config.json", "more/a"]);
    let made = fs::metadata(folder.join("config.json")).unwrap().modified().unwrap();

    let renamed = bench.path("renamed");
    fs::rename(&first, &renamed).unwrap();
    assert_eq!(open(&renamed, Some(&store)).unwrap(), folder, "found by what is in it");
    assert_eq!(fs::metadata(folder.join("config.json")).unwrap().modified().unwrap(), made);
    assert_eq!(fs::read_dir(&store).unwrap().count(), 1);

    let other = bench.packed("a.tar.gz", &[("config.json", b"{ }")]);
    assert_ne!(open(&other, Some(&store)).unwrap(), folder);
}

#[test]
fn what_was_changed_is_not_trusted() {
    let bench = Bench::new();
    let store = bench.path("store");
    let archive = bench.packed("a.tar.gz", &[("config.json", b"{}"), ("b", b"1")]);
    let folder = open(&archive, Some(&store)).unwrap();
    let whole = files(&folder);
    let spoil: [&dyn Fn(); 5] = [
        &|| fs::write(folder.join("b"), "2").unwrap(),
        &|| fs::remove_file(folder.join("b")).unwrap(),
        &|| fs::write(folder.join("more"), "").unwrap(),
        &|| fs::write(folder.parent().unwrap().join("files.json"), "{").unwrap(),
        &|| fs::remove_dir_all(&folder).unwrap(),
    ];
    for (number, spoil) in spoil.iter().enumerate() {
        spoil();
        assert_eq!(open(&archive, Some(&store)).unwrap(), folder, "{number}");
        assert_eq!(files(&folder), whole, "{number}");
        assert_eq!(fs::read_dir(&store).unwrap().count(), 1, "{number}: nothing is left behind");
    }
}

#[test]
fn many_at_once_agree() {
    let bench = Bench::new();
    let store = bench.path("store");
    let archive = bench.packed("a.tar.gz", &[("config.json", b"{}"), ("b", &[1; 100_000])]);
    let folders: Vec<_> = thread::scope(|scope| {
        let opening: Vec<_> = (0..8).map(|_| scope.spawn(|| open(&archive, Some(&store)).unwrap())).collect();
        opening.into_iter().map(|opening| opening.join().unwrap()).collect()
    });
    assert!(folders.iter().all(|folder| *folder == folders[0]));
    assert_eq!(files(&folders[0]).len(), 2);
    assert_eq!(fs::read_dir(&store).unwrap().count(), 1);
}

#[test]
fn traps_are_refused_here_too() {
    let bench = Bench::new();
    let store = bench.path("store");
    let tar = crate::bench::Tar::default().file("../evil", b"evil").end();
    let refused = open(&bench.gzipped("a.tar.gz", &tar), Some(&store));
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    assert_eq!(fs::read_dir(&store).unwrap().count(), 0);
    assert!(matches!(open(&bench.path("a.tar.gz"), None), Err(Error::Homeless { .. })));
}

#[test]
fn an_archive_is_known_by_its_bytes() {
    let bench = Bench::new();
    let archive = bench.packed("model", &[("a", b"1")]);
    assert!(is_archive(&archive));
    fs::write(bench.path("x.tar.gz"), "no").unwrap();
    assert!(!is_archive(&bench.path("x.tar.gz")) && !is_archive(&bench.path("")) && !is_archive(&bench.path("none")));
}
