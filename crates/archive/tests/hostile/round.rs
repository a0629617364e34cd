//! What is packed comes back, and the same files are the same bytes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;

use archive::{Error, pack};
use flate2::read::GzDecoder;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use tar::EntryType;

use crate::bench::{Bench, Tar};

fn contents() -> impl Strategy<Value = BTreeMap<String, Vec<u8>>> {
    let name = "[a-z0-9_.-]{0,8}[a-zäß東 ]{1,4}(/[a-z]{1,3}x){0,2}";
    btree_map(name, vec(any::<u8>(), 0..2000), 1..8).prop_filter("names that stand beside each other", |files| {
        let starts = |name: &String, of: &String| name.starts_with(&format!("{of}/"));
        let apart = |name: &String| !files.keys().any(|of| starts(name, of) || starts(of, name));
        let plain = |name: &String| !name.split('/').any(|part| matches!(part, "." | ".."));
        files.keys().all(|name| apart(name) && plain(name))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn files_come_back(files in contents()) {
        let bench = Bench::new();
        let listed: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (name.as_str(), &content[..])).collect();
        let archive = bench.packed("a.tar.gz", &listed);
        let unpacked = bench.unpack(&archive).unwrap();
        prop_assert_eq!(unpacked.files, files.len());
        prop_assert_eq!(unpacked.content, files.values().map(|content| content.len() as u64).sum::<u64>());
        let found = bench.files();
        // One folder at the top is taken for the content.
        let tops: std::collections::BTreeSet<&str> =
            files.keys().map(|name| name.split('/').next().unwrap()).collect();
        let only = tops.iter().next().filter(|_| tops.len() == 1 && files.keys().all(|name| name.contains('/')));
        let expected: BTreeMap<String, Vec<u8>> = files
            .iter()
            .map(|(name, content)| {
                let name = only.map_or(name.as_str(), |only| &name[only.len() + 1..]);
                (name.to_owned(), content.clone())
            })
            .collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn the_same_files_are_the_same_bytes() {
    let bench = Bench::new();
    let first = bench.packed("a.tar.gz", &[("config.json", b"{}"), ("z/b", b"2"), ("z/a", b"1")]);
    let second = bench.packed("b.tar.gz", &[("z/a", b"1"), ("config.json", b"{}"), ("z/b", b"2")]);
    assert_eq!(fs::read(&first).unwrap(), fs::read(second).unwrap());
    let other = bench.packed("c.tar.gz", &[("z/a", b"1"), ("config.json", b"{}"), ("z/b", b"3")]);
    assert_ne!(fs::read(&first).unwrap(), fs::read(other).unwrap());

    let mut tar = tar::Archive::new(GzDecoder::new(File::open(first).unwrap()));
    let told: Vec<_> = tar
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            let fixed = (header.mode().unwrap(), header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap());
            (String::from_utf8(entry.path_bytes().into_owned()).unwrap(), fixed)
        })
        .collect();
    assert_eq!(told, ["config.json", "z/a", "z/b"].map(|name| (name.to_owned(), (0o644, 0, 0, 0))));
}

#[test]
fn an_archive_takes_the_place_of_another_when_it_is_whole() {
    let bench = Bench::new();
    let archive = bench.packed("a.tar.gz", &[("a", b"old")]);
    let before = fs::read(&archive).unwrap();
    let missing = BTreeMap::from([("a".to_owned(), bench.path("missing"))]);
    assert!(matches!(pack(&missing, &archive), Err(Error::Io { action: "read", .. })));
    assert_eq!(fs::read(&archive).unwrap(), before);
    assert_eq!(fs::read_dir(bench.path("")).unwrap().count(), 1, "nothing is left beside it");
    bench.packed("a.tar.gz", &[("a", b"new")]);
    bench.unpack(&archive).unwrap();
    assert_eq!(bench.files()["a"], b"new");
}

#[test]
fn names_that_no_archive_should_have_are_not_packed() {
    let bench = Bench::new();
    let file = bench.path("file");
    fs::write(&file, "x").unwrap();
    for name in ["../a", "/a", "./a", "a/", "", "a\nb"] {
        let files = BTreeMap::from([(name.to_owned(), file.clone())]);
        let packed = pack(&files, &bench.path("a.tar.gz"));
        assert!(matches!(packed, Err(Error::Name { .. })), "{name:?}: {packed:?}");
    }
    let folder: PathBuf = bench.path("folder");
    fs::create_dir(&folder).unwrap();
    assert!(matches!(pack(&BTreeMap::new(), &folder), Err(Error::Folder { .. })));
}

#[test]
fn what_other_programs_pack_is_unpacked() {
    let long = "x".repeat(150);
    let gnu = Tar::default()
        .entry(b"./", EntryType::Directory, b"")
        .file("./config.json", b"{}")
        .entry(b"./more/", EntryType::Directory, b"")
        .entry(b"././@LongLink", EntryType::GNULongName, format!("./more/{long}\0").as_bytes())
        .file("./more/xxx", b"long")
        .entry(b"./empty", EntryType::Regular, b"");
    let pax = Tar::default()
        .pax(EntryType::XGlobalHeader, &[("comment", "made by git")])
        .entry(b"/", EntryType::Directory, b"")
        .file("config.json", b"{}")
        .pax(EntryType::XHeader, &[("mtime", "1700000000.5"), ("path", &format!("more/{long}")), ("size", "4")])
        .file("more/xxx", b"long")
        .file("empty", b"");
    for tar in [gnu, pax] {
        let bench = Bench::new();
        // Programs fill up to a whole number of larger blocks.
        let mut bytes = tar.end();
        bytes.resize(10240, 0);
        let archive = bench.gzipped("a.tar.gz", &bytes);
        assert_eq!(bench.unpack(&archive).unwrap().files, 3);
        let expected = [("config.json".to_owned(), "{}"), ("empty".to_owned(), ""), (format!("more/{long}"), "long")];
        assert_eq!(bench.files(), expected.map(|(name, content)| (name, content.as_bytes().to_vec())).into());
    }
}

#[test]
fn a_folder_around_everything_is_taken_off() {
    let bench = Bench::new();
    let tar = Tar::default().entry(b"model/", EntryType::Directory, b"").file("model/config.json", b"{}");
    bench.unpack(&bench.gzipped("a.tar.gz", &tar.end())).unwrap();
    assert_eq!(bench.files().into_keys().collect::<Vec<_>>(), ["config.json"]);
}

#[cfg(unix)]
#[test]
fn modes_are_not_taken_over() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    // Made with the mode 6777.
    bench.unpack(&bench.gzipped("a.tar.gz", &Tar::default().file("a", b"#!/bin/sh\n").end())).unwrap();
    let mode = fs::metadata(bench.path("out/a")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7111, 0, "{mode:o}");
}

#[test]
fn what_is_in_the_way_stays() {
    let bench = Bench::new();
    let archive = bench.packed("a.tar.gz", &[("a", b"1")]);
    fs::create_dir(bench.path("out")).unwrap();
    archive::unpack(&archive, &bench.path("out"), &archive::Limits::default()).unwrap();
    fs::write(bench.path("out/mine"), "mine").unwrap();
    let again = archive::unpack(&archive, &bench.path("out"), &archive::Limits::default());
    assert!(matches!(again, Err(Error::InTheWay { .. })), "{again:?}");
    assert_eq!(fs::read(bench.path("out/mine")).unwrap(), b"mine");
}
