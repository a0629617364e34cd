//! Model folders: one file, shards, old names, and what is wrong with them.

use std::{fs, path::Path};

use tempfile::TempDir;

use super::super::*;

const INDEX: &str = "model.safetensors.index.json";

fn write(folder: &Path, file: &str, names: &[&str]) {
    let tensors = names.iter().map(|name| (*name, [1].as_slice(), [name.len() as f32]));
    let tensors: Vec<_> = tensors.collect();
    let tensors = tensors.iter().map(|(name, shape, numbers)| (*name, *shape, numbers.as_slice()));
    write_safetensors(folder.join(file), &[("format", "pt")], tensors).unwrap();
}

/// A folder of two shards, `a` in the first, `bb` in the second, with an index that says what is given.
fn sharded(weight_map: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "1.safetensors", &["a"]);
    write(folder.path(), "2.safetensors", &["bb"]);
    let index = format!(r#"{{"metadata":{{"total_size":8}},"weight_map":{weight_map}}}"#);
    fs::write(folder.path().join(INDEX), index).unwrap();
    folder
}

fn error_of(weight_map: &str) -> TensorError {
    TensorFolder::open(sharded(weight_map).path()).unwrap_err()
}

#[test]
fn shards_are_one_set_of_tensors() {
    let folder = sharded(r#"{"bb":"2.safetensors","a":"1.safetensors"}"#);
    let tensors = TensorFolder::open(folder.path()).unwrap();
    assert_eq!(tensors.names().collect::<Vec<_>>(), ["a", "bb"]);
    assert_eq!(tensors.read_f32("a").unwrap(), [1.0]);
    assert_eq!(tensors.read_f32_shaped("bb", &[1]).unwrap(), [2.0]);
    assert_eq!(tensors.shape("bb"), Some([1].as_slice()));
    assert_eq!(tensors.file_of("bb").unwrap().path(), folder.path().join("2.safetensors"));
}

#[test]
fn a_single_file_wins_over_an_index() {
    let folder = sharded("{}");
    write(folder.path(), "model.safetensors", &["ccc"]);
    assert_eq!(TensorFolder::open(folder.path()).unwrap().names().collect::<Vec<_>>(), ["ccc"]);
}

#[test]
fn shards_that_lack_what_the_index_promises() {
    let error = error_of(r#"{"a":"1.safetensors","bb":"1.safetensors"}"#);
    assert!(matches!(&error, TensorError::NotInShard { name, .. } if name == "bb"), "{error}");
    let error = error_of(r#"{"a":"1.safetensors","bb":"3.safetensors"}"#);
    assert!(matches!(&error, TensorError::Read { path, .. } if path.ends_with("3.safetensors")), "{error}");
}

#[test]
fn a_tensor_in_two_shards() {
    let folder = sharded(r#"{"a":"1.safetensors","bb":"2.safetensors"}"#);
    write(folder.path(), "2.safetensors", &["a", "bb"]);
    let error = TensorFolder::open(folder.path()).unwrap_err();
    assert!(matches!(&error, TensorError::DuplicateTensor { name, .. } if name == "a"), "{error}");
    let text = error.to_string();
    assert!(text.contains("1.safetensors") && text.contains("2.safetensors"), "{text}");
}

#[test]
fn an_index_cannot_lead_out_of_its_folder() {
    for shard in
        ["../1.safetensors", "/etc/passwd", "x/1.safetensors", "..", ".", "", "x\\\\1", "c:1", "1.safetensors/"]
    {
        let error = error_of(&format!(r#"{{"a":"{shard}"}}"#));
        assert!(matches!(error, TensorError::Malformed { .. }), "{shard}: {error}");
        assert!(error.to_string().contains("expected the name of a file beside it"), "{error}");
    }
}

#[test]
fn a_broken_index() {
    for (weight_map, expected) in [
        ("{}", "expected tensors in `weight_map`, found none"),
        ("[]", "expected an object"),
        (r#"{"a":1}"#, "expected a string"),
        (r#"{"a":"1.safetensors","a":"2.safetensors"}"#, "the key `a` comes twice"),
        ("", "expected an index of shards"),
    ] {
        let error = error_of(weight_map).to_string();
        assert!(error.contains(expected) && error.contains(INDEX), "{error}");
    }
}

#[test]
fn folders_without_safetensors() {
    let folder = tempfile::tempdir().unwrap();
    let error = TensorFolder::open(folder.path()).unwrap_err();
    assert!(matches!(error, TensorError::NoWeights { .. }), "{error}");

    fs::write(folder.path().join("pytorch_model.bin"), "pickle").unwrap();
    let error = TensorFolder::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("pytorch_model.bin: expected a file that torch.save wrote"), "{error}");

    let error = TensorFolder::open(folder.path().join("absent")).unwrap_err();
    assert!(matches!(&error, TensorError::Read { path, .. } if path.ends_with("absent")), "{error}");
}

#[test]
fn old_names_are_offered_as_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["bert.LayerNorm.gamma", "bert.LayerNorm.beta", "gamma", "LayerNorm.gamma.x"];
    write(folder.path(), "model.safetensors", &names);
    let tensors = TensorFolder::open(folder.path()).unwrap();
    let expected = ["LayerNorm.gamma.x", "bert.LayerNorm.bias", "bert.LayerNorm.weight", "gamma"];
    assert_eq!(tensors.names().collect::<Vec<_>>(), expected);
    assert_eq!(tensors.read_f32("bert.LayerNorm.weight").unwrap(), [20.0]);
    assert_eq!(tensors.original_name("bert.LayerNorm.bias"), Some("bert.LayerNorm.beta"));
    assert!(!tensors.contains("bert.LayerNorm.gamma"));
    let error = tensors.read_f32_shaped("bert.LayerNorm.bias", &[2]).unwrap_err().to_string();
    assert!(error.starts_with("read tensor `bert.LayerNorm.beta` from "), "{error}");
    assert!(error.contains("model.safetensors: expected shape [2], found [1]"), "{error}");
}

#[test]
fn an_old_and_a_new_name_for_one_tensor() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "model.safetensors", &["x.LayerNorm.gamma", "x.LayerNorm.weight"]);
    let error = TensorFolder::open(folder.path()).unwrap_err();
    assert!(matches!(&error, TensorError::DuplicateTensor { name, .. } if name == "x.LayerNorm.weight"), "{error}");
}
