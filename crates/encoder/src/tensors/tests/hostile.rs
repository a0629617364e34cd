//! Files made to mislead, and files that something broke.

use std::fs;

use proptest::prelude::*;

use super::{super::*, raw_file};

/// What opening these bytes as a file answers.
fn problem(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    fs::write(&path, bytes).unwrap();
    match TensorFile::open(&path) {
        Err(TensorError::Malformed { path: named, problem }) => {
            assert_eq!(named, path);
            problem
        }
        other => panic!("expected a malformed file, got {other:?}"),
    }
}

fn assert_refused(bytes: &[u8], expected: &str) {
    let problem = problem(bytes);
    assert!(problem.contains(expected), "expected `{expected}` in `{problem}`");
}

/// A header for one tensor `a` of two F32 and one `b` of one, with their offsets as given.
fn two_tensors(a: &str, b: &str) -> String {
    format!(
        r#"{{"a":{{"dtype":"F32","shape":[2],"data_offsets":{a}}},"b":{{"dtype":"F32","shape":[1],"data_offsets":{b}}}}}"#
    )
}

#[test]
fn an_honest_file_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    for (a, b, in_file_order) in [("[0,8]", "[8,12]", ["a", "b"]), ("[4,12]", "[0,4]", ["b", "a"])] {
        fs::write(&path, raw_file(&two_tensors(a, b), &[0; 12])).unwrap();
        assert_eq!(TensorFile::open(&path).unwrap().names(), in_file_order);
    }
}

#[test]
fn empty_and_truncated_files() {
    assert_refused(&[], "expected at least 8 bytes, found 0");
    assert_refused(&[1, 0, 0], "expected at least 8 bytes, found 3");
    let whole = raw_file(&two_tensors("[0,8]", "[8,12]"), &[0; 12]);
    for length in 0..whole.len() {
        problem(&whole[..length]);
    }
    assert_refused(&whole[..whole.len() - 1], "not fully covered");
    assert_refused(&[whole.as_slice(), &[0]].concat(), "not fully covered");
}

#[test]
fn header_lengths_that_lie() {
    assert_refused(&u64::MAX.to_le_bytes(), "found one said to have 18446744073709551615");
    assert_refused(&100_000_001u64.to_le_bytes(), "at most 100000000 bytes");
    assert_refused(&9u64.to_le_bytes(), "expected a header of 9 bytes, but only 0 follow");
}

#[test]
fn offsets_that_overlap_or_lead_outside() {
    let refused = |a, b, expected| assert_refused(&raw_file(&two_tensors(a, b), &[0; 12]), expected);
    refused("[0,8]", "[4,8]", "invalid offset");
    refused("[0,8]", "[0,4]", "invalid offset");
    refused("[0,8]", "[9,13]", "invalid offset");
    refused("[0,8]", "[8,4]", "invalid offset");
    refused("[0,8]", "[8,18446744073709551616]", "invalid JSON");
    refused("[0,8]", "[8,-4]", "invalid JSON");
    assert_refused(&raw_file(&two_tensors("[0,8]", "[8,12]"), &[0; 8]), "not fully covered");
}

#[test]
fn sizes_that_contradict_shape_and_type() {
    let refused = |dtype: &str, shape: &str, expected| {
        let header = format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,8]}}}}"#);
        assert_refused(&raw_file(&header, &[0; 8]), expected);
    };
    refused("F64", "[2]", "invalid shape, data type, or offset");
    refused("F16", "[2]", "invalid shape, data type, or offset");
    refused("F32", "[3]", "invalid shape, data type, or offset");
    refused("F32", "[4294967296,4294967296,4294967296]", "overflow");
    refused("F32", "[-1]", "invalid JSON");
    refused("F33", "[2]", "invalid JSON");
}

#[test]
fn headers_that_are_no_json_object() {
    assert_refused(&raw_file("", &[]), "expected a JSON object");
    assert_refused(&raw_file("[]", &[]), "expected a JSON object");
    assert_refused(&raw_file("{\"a\":", &[]), "expected a JSON object");
    assert_refused(&raw_file("{\"a\":1}", &[]), "invalid JSON");
    let nested = format!("{{\"a\":{}{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    problem(&raw_file(&nested, &[]));
    let nested_note = format!("{{\"__metadata__\":{}1{}}}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    problem(&raw_file(&nested_note, &[]));
    let mut not_utf8 = raw_file("{\"a\":1}", &[]);
    not_utf8[10] = 0xff;
    problem(&not_utf8);
}

#[test]
fn a_tensor_named_twice() {
    let header = two_tensors("[0,8]", "[0,8]").replace("\"b\"", "\"a\"").replace("[1]", "[2]");
    assert_refused(&raw_file(&header, &[0; 8]), "the key `a` comes twice");
}

#[test]
fn things_that_are_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let error = TensorFile::open(folder.path()).unwrap_err();
    assert!(matches!(&error, TensorError::Read { path, .. } if path == folder.path()), "{error}");
    let absent = folder.path().join("absent.safetensors");
    let error = TensorFile::open(&absent).unwrap_err();
    assert!(error.to_string().contains("absent.safetensors"), "{error}");
}

proptest! {
    #[test]
    fn broken_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = raw_file(&two_tensors("[0,8]", "[8,12]"), &[0; 12]);
        for (position, byte) in changes {
            let position = position.index(bytes.len());
            bytes[position] = byte;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        fs::write(&path, bytes).unwrap();
        if let Ok(file) = TensorFile::open(&path) {
            for name in file.names() {
                let count = file.shape(&name).unwrap().iter().product::<usize>();
                if let Ok(numbers) = file.read_f32(&name) {
                    prop_assert_eq!(numbers.len(), count);
                }
            }
        }
    }
}
