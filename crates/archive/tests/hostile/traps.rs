//! Archives that want to write where they should not, or more than they should.

use std::fs;
use std::io::Write;

use archive::Error;
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::EntryType;

use crate::bench::{Bench, Tar};

/// The refusal of a tar, after a good entry that must not stay either.
fn refusal(tar: impl FnOnce(Tar) -> Tar) -> String {
    let bench = Bench::new();
    let tar = tar(Tar::default().file("config.json", b"{}"));
    let said = bench.refusal(&bench.gzipped("a.tar.gz", &tar.end()));
    assert!(said.contains("a.tar.gz") && said.contains("nothing was unpacked"), "{said}");
    said
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for (name, reason) in [
        ("../evil", "leads out of the folder"),
        ("a/../../evil", "leads out of the folder"),
        ("a/..", "leads out of the folder"),
        ("/etc/evil", "has an absolute name"),
        ("a\\..\\..\\evil", "some systems take for something else"),
        ("C:evil", "some systems take for something else"),
        ("a\x1b[2Jb", "some systems take for something else"),
    ] {
        let said = refusal(|tar| tar.file(name, b"evil"));
        assert!(said.contains(reason), "{name:?}: {said}");
        assert!(!said.contains('\x1b'), "{said:?} speaks to the terminal");
    }
    assert!(refusal(|tar| tar.entry(b"\xff\xfe", EntryType::Regular, b"")).contains("no UTF-8"));
    assert!(refusal(|tar| tar.entry(b"", EntryType::Regular, b"")).contains("has no name"));
}

#[test]
fn extended_headers_lead_nowhere_else_either() {
    let long = |name: &[u8]| {
        let name = name.to_vec();
        refusal(move |tar| tar.entry(b"x", EntryType::GNULongName, &name).file("a", b"evil"))
    };
    assert!(long(b"../../evil\0").contains("leads out of the folder"));
    assert!(long(b"/evil\0").contains("absolute"));
    assert!(long(&[b'x'; 600]).contains("too long a name"));
    assert!(long(&[b'x'; 70_000]).contains("too long an extended header"));
    let pax = |pairs: &'static [(&str, &str)]| refusal(|tar| tar.pax(EntryType::XHeader, pairs).file("a", b"evil"));
    assert!(pax(&[("path", "../evil")]).contains("leads out of the folder"));
    assert!(pax(&[("size", "100000")]).contains("two sizes"));
    assert!(pax(&[("size", "-1")]).contains("malformed size"));
    assert!(pax(&[("GNU.sparse.major", "1")]).contains("sparse"));
    let global = refusal(|tar| tar.pax(EntryType::XGlobalHeader, &[("path", "b")]).file("a", b""));
    assert!(global.contains("speaks for all entries"), "{global}");
    let twice = refusal(|tar| {
        tar.pax(EntryType::XHeader, &[("path", "b")]).entry(b"x", EntryType::GNULongName, b"c").file("a", b"")
    });
    assert!(twice.contains("second"), "{twice}");
    let malformed = refusal(|tar| tar.entry(b"x", EntryType::XHeader, b"999 path=x\n").file("a", b""));
    assert!(malformed.contains("malformed"), "{malformed}");
    let alone = refusal(|tar| tar.pax(EntryType::XHeader, &[("path", "b")]));
    assert!(alone.contains("cut off behind an extended header"), "{alone}");
}

#[test]
fn only_files_and_folders_are_made() {
    for (kind, reason) in [
        (EntryType::Symlink, "symbolic link"),
        (EntryType::Link, "hard link"),
        (EntryType::Char, "device"),
        (EntryType::Block, "device"),
        (EntryType::Fifo, "pipe"),
        (EntryType::GNUSparse, "sparse"),
        (EntryType::new(b'V'), "neither a file nor a folder"),
    ] {
        let said = refusal(|mut tar| {
            tar.header(b"trap", kind, 0, |header| {
                let field = &mut header.as_old_mut().linkname;
                field[..4].copy_from_slice(b"/etc");
            });
            // What stands behind the link would be written through it.
            tar.file("trap/evil", b"evil")
        });
        assert!(said.contains("\"trap\"") && said.contains(reason), "{kind:?}: {said}");
    }
    assert!(refusal(|tar| tar.entry(b"d/", EntryType::Directory, b"content")).contains("folder with a content"));
    assert!(refusal(|tar| tar.file("d/", b"")).contains("folder's name"));
    assert!(refusal(|tar| tar.file(".", b"")).contains("folder's name"));
    assert!(refusal(|tar| tar.file("/", b"")).contains("folder's name"));
}

#[test]
fn entries_do_not_hide_each_other() {
    assert!(refusal(|tar| tar.file("config.json", b"other")).contains("stands in it twice"));
    assert!(refusal(|tar| tar.file("./config.json", b"other")).contains("stands in it twice"));
    assert!(refusal(|tar| tar.file("Config.JSON", b"other")).contains("\"config.json\""));
    assert!(refusal(|tar| tar.file("config.json/a", b"other")).contains("config.json"));
    assert!(refusal(|tar| tar.file("a/b", b"").file("a", b"")).contains("twice"));
    assert!(refusal(|tar| tar.file("caf\u{e9}", b"").file("cafe\u{301}", b"")).contains("café"));
}

#[test]
fn what_grows_beyond_reason_is_refused() {
    // 80 MiB of zeros in some 80 KB.
    let bench = Bench::new();
    let mut tar = Tar::default();
    tar.header(b"zeros", EntryType::Regular, 80 << 20, |_| {});
    let mut gzip = GzEncoder::new(Vec::new(), Compression::new(9));
    gzip.write_all(&tar.bytes).unwrap();
    for _ in 0..80 {
        gzip.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let mut packed = gzip.finish().unwrap();
    fs::write(bench.path("a.tar.gz"), &packed).unwrap();
    let refused = bench.unpack(&bench.path("a.tar.gz"));
    assert!(matches!(refused, Err(Error::TooLarge { .. })), "{refused:?}");

    // The same behind the end mark.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::new(9));
    gzip.write_all(&Tar::default().file("a", b"1").end()).unwrap();
    for _ in 0..80 {
        gzip.write_all(&vec![0; 1 << 20]).unwrap();
    }
    packed = gzip.finish().unwrap();
    fs::write(bench.path("b.tar.gz"), &packed).unwrap();
    let refused = bench.unpack(&bench.path("b.tar.gz"));
    assert!(matches!(refused, Err(Error::TooLarge { .. })), "{refused:?}");

    // A size that is told and not there.
    let mut tar = Tar::default();
    tar.header(b"huge", EntryType::Regular, 1 << 40, |_| {});
    let refused = bench.unpack(&bench.gzipped("c.tar.gz", &tar.end()));
    assert!(matches!(refused, Err(Error::TooLarge { .. })), "{refused:?}");
}

#[test]
fn what_has_too_many_entries_is_refused() {
    let bench = Bench::new();
    let mut tar = Tar::default();
    for number in 0..2001 {
        tar = tar.file(&number.to_string(), b"");
    }
    let refused = bench.unpack(&bench.gzipped("a.tar.gz", &tar.end()));
    assert!(matches!(refused, Err(Error::TooMany { limit: 2000, .. })), "{refused:?}");
}
