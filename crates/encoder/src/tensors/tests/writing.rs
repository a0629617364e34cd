//! A failed write names its file and leaves everything as it was.

use std::{
    fs,
    io::{self, Write},
};

use super::{
    super::{write::replace_file, *},
    entries,
};

const ONE: TensorToWrite<'static> = ("a", &[1], &[1.0]);

#[test]
fn nothing_but_the_file_is_left() {
    let folder = tempfile::tempdir().unwrap();
    write_safetensors(folder.path().join("model.safetensors"), &[], [ONE]).unwrap();
    write_safetensors(folder.path().join("model.safetensors"), &[], [ONE]).unwrap();
    assert_eq!(entries(folder.path()), ["model.safetensors"]);
}

#[cfg(unix)]
#[test]
fn others_may_read_the_file_as_far_as_the_umask_lets_them() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (plain, ours) = (folder.path().join("plain"), folder.path().join("ours"));
    fs::write(&plain, "").unwrap();
    write_safetensors(&ours, &[], [ONE]).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(ours), mode(plain));
}

#[test]
fn a_folder_that_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let error = write_safetensors(folder.path().join("absent/model.safetensors"), &[], [ONE]).unwrap_err();
    assert!(matches!(&error, TensorError::Write { path, .. } if path.ends_with("absent/model.safetensors")), "{error}");
    assert_eq!(entries(folder.path()), [""; 0]);
}

#[test]
fn a_rename_that_fails_after_all_is_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("model.safetensors/occupied")).unwrap();
    let error = write_safetensors(folder.path().join("model.safetensors"), &[], [ONE]).unwrap_err();
    assert!(matches!(error, TensorError::Write { .. }), "{error}");
    assert_eq!(entries(folder.path()), ["model.safetensors"]);
}

#[test]
fn a_disk_that_fills_up_half_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    write_safetensors(&path, &[], [ONE]).unwrap();
    let before = fs::read(&path).unwrap();
    let error = replace_file(&path, |file| {
        file.write_all(b"half of")?;
        Err(io::ErrorKind::StorageFull.into())
    })
    .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(entries(folder.path()), ["model.safetensors"]);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_mapped_file_keeps_its_numbers_while_it_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    write_safetensors(&path, &[], [ONE]).unwrap();
    let mapped = TensorFile::open(&path).unwrap();
    write_safetensors(&path, &[], [("a", [1].as_slice(), [2.0].as_slice())]).unwrap();
    assert_eq!(mapped.read_f32("a").unwrap(), [1.0]);
    assert_eq!(TensorFile::open(&path).unwrap().read_f32("a").unwrap(), [2.0]);
}

#[test]
fn tensors_that_cannot_be_stored() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |tensors: &[TensorToWrite<'_>], expected: &str| {
        let path = folder.path().join("model.safetensors");
        let error = write_safetensors(path, &[], tensors.iter().copied()).unwrap_err().to_string();
        assert!(error.starts_with("write tensor `") && error.contains(expected), "{error}");
        assert_eq!(entries(folder.path()), [""; 0]);
    };
    refused(&[ONE, ONE], "expected every name once");
    refused(&[("a", &[2], &[1.0])], "expected the numbers of shape [2], found 1");
    refused(&[("a", &[usize::MAX, 2], &[1.0])], "expected the numbers of shape");
    refused(&[("__metadata__", &[1], &[1.0])], "expected another name");
}
