//! Weights that `torch.save` pickled: `pytorch_model.bin`.
//!
//! Unpickling in Python runs whatever code the file names. Here nothing is run: `machine` follows the few instructions that a
//! dictionary of tensors needs, knows the few names that occur in one, and refuses every other. `container` finds the
//! storages in the two forms that such files have. The format is that of `torch/serialization.py` (torch 2.15) and of
//! Python's `pickletools`.

mod container;
mod machine;
mod value;

use indexmap::IndexMap;

use super::stored::Stored;
use container::Storages;
use value::{StorageType, Tensor, Value};

/// The tensors of a pickled dictionary, in its order, or what was expected and found.
pub(super) fn tensors(bytes: &[u8]) -> Result<IndexMap<String, Stored>, String> {
    let (pickled, storages) = container::open(bytes)?;
    let Value::Dict(dictionary) = &pickled.root else {
        return Err(format!("expected a dictionary of tensors, found {}", pickled.root.kind()));
    };
    let mut tensors = IndexMap::new();
    for (key, value) in pickled.dictionary(*dictionary) {
        let (Value::Text(name), Value::Tensor(tensor)) = (key, value) else {
            return Err(format!("expected names and tensors, found {} under {}", value.kind(), key.told()));
        };
        let stored = stored(tensor, &storages).map_err(|problem| format!("tensor `{name}`: {problem}"))?;
        if tensors.insert(name.to_string(), stored).is_some() {
            return Err(format!("the key `{name}` comes twice"));
        }
    }
    Ok(tensors)
}

/// A tensor as a range of the file's bytes, every number of it inside its storage.
fn stored(tensor: &Tensor, storages: &Storages) -> Result<Stored, String> {
    let Tensor { storage, offset, shape, strides } = tensor;
    let StorageType { dtype } = storage.kind;
    let width = dtype.bitsize() / 8;
    let range = storages.find(&storage.key, storage.numbers, width)?;
    let outside =
        || format!("shape {shape:?} with strides {strides:?} from {offset} leads out of {} numbers", storage.numbers);
    if shape.len() != strides.len() {
        return Err(format!("expected a stride for each axis, found shape {shape:?} and strides {strides:?}"));
    }
    let count = shape.iter().try_fold(1_usize, |product, &size| product.checked_mul(size)).ok_or_else(outside)?;
    if count == 0 {
        return Ok(Stored { dtype, shape: shape.clone(), bytes: range.start..range.start, strides: None });
    }
    let mut axes = shape.iter().zip(strides);
    let last = axes.try_fold(*offset, |last, (&size, &stride)| last.checked_add((size - 1).checked_mul(stride)?));
    let last = last.filter(|&last| last < storage.numbers).ok_or_else(outside)?;
    // No more numbers than there are: a few bytes could otherwise ask for all memory.
    if count > storage.numbers {
        return Err(outside());
    }
    let bytes = range.start + offset * width..range.start + (last + 1) * width;
    let strides = (!is_row_major(shape, strides)).then(|| strides.clone());
    Ok(Stored { dtype, shape: shape.clone(), bytes, strides })
}

fn is_row_major(shape: &[usize], strides: &[usize]) -> bool {
    let mut expected = 1;
    shape.iter().zip(strides).rev().all(|(&size, &stride)| {
        let fits = size == 1 || stride == expected;
        expected *= size;
        fits
    })
}
