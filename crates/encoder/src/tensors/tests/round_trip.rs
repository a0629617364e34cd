//! Numbers survive the file, in every type that is read.

use std::{collections::HashMap, fs};

use half::{bf16, f16};
use proptest::prelude::*;
use safetensors::{Dtype, tensor::TensorView};

use super::{super::*, raw_file};

type Tensor = (Vec<usize>, Vec<f32>);

/// Any f32 at all, infinities and every kind of NaN included.
fn tensor() -> impl Strategy<Value = Tensor> {
    prop::collection::vec(0usize..5, 0..4).prop_flat_map(|shape| {
        let count = shape.iter().product::<usize>();
        (Just(shape), prop::collection::vec(any::<u32>().prop_map(f32::from_bits), count))
    })
}

fn to_write(tensors: &HashMap<String, Tensor>) -> impl Iterator<Item = TensorToWrite<'_>> {
    tensors.iter().map(|(name, (shape, numbers))| (name.as_str(), shape.as_slice(), numbers.as_slice()))
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        tensors in prop::collection::hash_map("[a-zé\"\\\\ .0-9]{0,12}", tensor(), 0..8),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        write_safetensors(&path, &[("format", "pt")], to_write(&tensors)).unwrap();

        let file = TensorFile::open(&path).unwrap();
        prop_assert_eq!(file.metadata().unwrap()["format"].as_str(), "pt");
        prop_assert_eq!(file.names().len(), tensors.len());
        for (name, (shape, numbers)) in &tensors {
            prop_assert_eq!(file.shape(name).unwrap(), shape.as_slice());
            prop_assert_eq!(bits(&file.read_f32_shaped(name, shape).unwrap()), bits(numbers));
        }

        let stored: HashMap<&String, Vec<u8>> = tensors
            .iter()
            .map(|(name, (_, numbers))| (name, numbers.iter().flat_map(|number| number.to_le_bytes()).collect()))
            .collect();
        let views = tensors
            .iter()
            .map(|(name, (shape, _))| (name, TensorView::new(Dtype::F32, shape.clone(), &stored[name]).unwrap()));
        let notes = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let by_the_library = safetensors::serialize(views, Some(notes)).unwrap();
        prop_assert_eq!(fs::read(&path).unwrap(), by_the_library, "the safetensors library writes other bytes");
    }
}

#[test]
fn the_order_of_input_does_not_change_the_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let tensors: [TensorToWrite<'_>; 2] = [("b", &[2], &[1.0, 2.0]), ("a", &[], &[3.0])];
    let notes = [("format", "pt"), ("step", "7"), ("epoch", "1")];
    let path = folder.path().join("x.safetensors");
    write_safetensors(&path, &notes, tensors).unwrap();
    let first = fs::read(&path).unwrap();
    write_safetensors(&path, &[notes[2], notes[1], notes[0]], [tensors[1], tensors[0]]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), first);
}

#[test]
fn tensors_longer_than_one_chunk_are_written_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let numbers: Vec<f32> = (0..100_001).map(|number| number as f32).collect();
    write_safetensors(&path, &[], [("long", [100_001].as_slice(), numbers.as_slice())]).unwrap();
    assert_eq!(TensorFile::open(&path).unwrap().read_f32("long").unwrap(), numbers);
}

#[test]
fn every_float_type_becomes_f32_from_unaligned_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let numbers = [1.5f32, -0.0, 65504.0, -0.25];
    let cases: [(&str, Vec<u8>); 4] = [
        ("F32", numbers.iter().flat_map(|&number| number.to_le_bytes()).collect()),
        ("F16", numbers.iter().flat_map(|&number| f16::from_f32(number).to_le_bytes()).collect()),
        ("BF16", numbers.iter().flat_map(|&number| bf16::from_f32(number).to_le_bytes()).collect()),
        ("F64", numbers.iter().flat_map(|&number| f64::from(number).to_le_bytes()).collect()),
    ];
    for (dtype, data) in cases {
        for padding in ["", " ", "  ", "   "] {
            let header =
                format!(r#"{{"x":{{"dtype":"{dtype}","shape":[2,2],"data_offsets":[0,{}]}}}}{padding}"#, data.len());
            fs::write(&path, raw_file(&header, &data)).unwrap();
            let expected = if dtype == "BF16" { [1.5, -0.0, 65536.0, -0.25] } else { numbers };
            assert_eq!(bits(&TensorFile::open(&path).unwrap().read_f32("x").unwrap()), bits(&expected), "{dtype}");
        }
    }
}

#[test]
fn numbers_that_are_no_weights_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let header = r#"{"ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"w":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}"#;
    let data = [7i64.to_le_bytes(), 1e300f64.to_le_bytes()].concat();
    fs::write(&path, raw_file(header, &data)).unwrap();
    let file = TensorFile::open(&path).unwrap();

    let error = file.read_f32("ids").unwrap_err().to_string();
    assert!(error.ends_with("x.safetensors: expected F32, F16, BF16 or F64, found I64"), "{error}");
    assert!(error.starts_with("read tensor `ids` from "), "{error}");
    let error = file.read_f32("w").unwrap_err().to_string();
    assert!(error.ends_with("1e300 at position 0 is too large for f32"), "{error}");
    let error = file.read_f32_shaped("w", &[1, 1]).unwrap_err().to_string();
    assert!(error.ends_with("expected shape [1, 1], found [1]"), "{error}");
    assert!(matches!(file.read_f32("none"), Err(TensorError::MissingTensor { name, .. }) if name == "none"));
}
