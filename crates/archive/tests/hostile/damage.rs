//! Archives that are not whole, and bytes that are no archive.

use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use tar::EntryType;

use crate::bench::{Bench, Tar};

const FILES: [(&str, &[u8]); 3] = [("config.json", b"{\"a\": 1}"), ("model.safetensors", &[7; 700]), ("more/a", b"")];

#[test]
fn an_archive_that_is_cut_anywhere_is_refused() {
    let bench = Bench::new();
    let whole = fs::read(bench.packed("a.tar.gz", &FILES)).unwrap();
    for end in 0..whole.len() {
        fs::write(bench.path("a.tar.gz"), &whole[..end]).unwrap();
        let said = bench.refusal(&bench.path("a.tar.gz"));
        assert!(said.contains("no whole tar.gz"), "{end}: {said}");
    }
}

#[test]
fn a_tar_that_was_cut_before_it_was_packed_is_refused() {
    let whole = FILES.iter().fold(Tar::default(), |tar, (name, content)| tar.file(name, content)).bytes;
    for end in (0..=whole.len()).step_by(128) {
        let bench = Bench::new();
        let said = bench.refusal(&bench.gzipped("a.tar.gz", &whole[..end]));
        assert!(said.contains("no whole tar.gz"), "{end}: {said}");
    }
}

#[test]
fn a_changed_byte_never_changes_a_file() {
    let bench = Bench::new();
    let whole = fs::read(bench.packed("a.tar.gz", &FILES)).unwrap();
    let expected = FILES.map(|(name, content)| (name.to_owned(), content.to_vec())).into();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        fs::write(bench.path("a.tar.gz"), &damaged).unwrap();
        if bench.unpack(&bench.path("a.tar.gz")).is_ok() {
            // Bytes of gzip's own header say nothing of the content, and one can pack the same in several ways.
            assert_eq!(bench.files(), expected, "byte {at}");
            fs::remove_dir_all(bench.path("out")).unwrap();
        }
    }
}

#[test]
fn what_is_hidden_behind_the_end_is_found() {
    let bench = Bench::new();
    let mut bytes = Tar::default().file("a", b"1").end();
    bytes.extend(Tar::default().file("b", b"2").end());
    let said = bench.refusal(&bench.gzipped("a.tar.gz", &bytes));
    assert!(said.contains("behind its end mark"), "{said}");

    let mut packed = fs::read(bench.gzipped("b.tar.gz", &Tar::default().file("a", b"1").end())).unwrap();
    packed.extend(b"more");
    fs::write(bench.path("b.tar.gz"), packed).unwrap();
    assert!(bench.refusal(&bench.path("b.tar.gz")).contains("no whole tar.gz"));
}

#[test]
fn what_is_no_archive_is_said() {
    let bench = Bench::new();
    for bytes in [&b""[..], b"x", b"\x1f\x8b", b"PK\x03\x04 a zip", &[0; 2048]] {
        fs::write(bench.path("a.tar.gz"), bytes).unwrap();
        assert!(bench.refusal(&bench.path("a.tar.gz")).contains("no whole tar.gz"), "{bytes:?}");
        assert!(bench.refusal(&bench.gzipped("b.tar.gz", bytes)).contains("no whole tar.gz"), "{bytes:?}");
    }
    assert!(bench.refusal(&bench.path("missing")).contains("read"));
    let only_folders = Tar::default().entry(b"a/", EntryType::Directory, b"").end();
    assert!(bench.refusal(&bench.gzipped("c.tar.gz", &only_folders)).contains("no file in it"));
}

/// Headers that are mostly right, so that something comes of them.
fn blocks() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        vec(any::<u8>(), 0..20),
        "[a-c./]{0,6}".prop_map(String::into_bytes),
        Just(b"././@LongLink".to_vec()),
    ];
    let kind = prop_oneof![
        4 => Just(b'0'),
        1 => Just(b'5'),
        1 => prop_oneof![Just(b'L'), Just(b'x'), Just(b'g'), Just(b'2'), Just(b'1'), Just(b'S'), Just(0)],
        1 => any::<u8>(),
    ];
    let size = prop_oneof![8 => 0..600_u64, 1 => any::<u64>()];
    let entry = (name, kind, size, vec(any::<u8>(), 0..600), any::<bool>());
    vec(entry, 0..6).prop_map(|entries| {
        let mut tar = Tar::default();
        for (name, kind, size, content, agrees) in entries {
            let size = if agrees { content.len() as u64 } else { size };
            tar.header(&name, EntryType::new(kind), size, |_| {});
            tar.content(&content);
        }
        tar.end()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// [`Bench::unpack`] looks whether anything is where it should not be.
    #[test]
    fn no_bytes_do_harm(bytes in prop_oneof![blocks(), vec(any::<u8>(), 0..2000)]) {
        let bench = Bench::new();
        if bench.unpack(&bench.gzipped("a.tar.gz", &bytes)).is_ok() {
            prop_assert!(!bench.files().is_empty());
        }
    }

    #[test]
    fn a_changed_tar_does_no_harm(at in 0..2560_usize, byte in any::<u8>()) {
        let bench = Bench::new();
        let mut bytes = FILES.iter().fold(Tar::default(), |tar, (name, content)| tar.file(name, content)).end();
        let at = at % bytes.len();
        bytes[at] = byte;
        _ = bench.unpack(&bench.gzipped("a.tar.gz", &bytes));
    }
}
