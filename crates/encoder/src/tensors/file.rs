//! One file of tensors, memory-mapped and checked before anything is read from it.

use std::{
    collections::HashMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use indexmap::IndexMap;
use memmap2::Mmap;
use safetensors::{SafeTensors, tensor::Metadata};
use serde::de::IgnoredAny;

use super::{
    TensorError,
    convert::{self, ConvertError},
    json::UniqueKeys,
    pickle,
    stored::Stored,
};

/// Bytes before the header: its length as a little-endian u64.
const LENGTH_BYTES: usize = 8;
/// The longest header that the safetensors library reads or writes.
pub(super) const MAX_HEADER_BYTES: usize = 100_000_000;

/// A file of tensors, each of which was found to lie inside it.
#[derive(Debug)]
pub struct TensorFile {
    path: PathBuf,
    map: Mmap,
    /// By name, in the file's order.
    tensors: IndexMap<String, Stored>,
    metadata: Option<HashMap<String, String>>,
}

impl TensorFile {
    /// Maps a safetensors file and checks its header: tensors lie one after another without overlap or gap, exactly up to the
    /// file's end, each as long as its shape and type say, none named twice.
    ///
    /// # Errors
    /// Where the file cannot be read or is not such a file.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, TensorError> {
        Self::open_with(path.into(), |map| {
            let (header, data_start) = check_header(map)?;
            Ok((stored(&header, data_start), header.metadata().clone()))
        })
    }

    /// Maps a file that `torch.save` wrote and reads its dictionary of tensors. No code that it may name is run.
    ///
    /// # Errors
    /// Where the file cannot be read, is no such file, or holds anything but tensors.
    pub fn open_pickle(path: impl Into<PathBuf>) -> Result<Self, TensorError> {
        Self::open_with(path.into(), |map| Ok((pickle::tensors(map)?, None)))
    }

    fn open_with(
        path: PathBuf,
        read: impl FnOnce(&[u8]) -> Result<(IndexMap<String, Stored>, Option<HashMap<String, String>>), String>,
    ) -> Result<Self, TensorError> {
        let map = map_file(&path).map_err(|source| TensorError::Read { path: path.clone(), source })?;
        match read(&map) {
            Ok((tensors, metadata)) => Ok(Self { path, map, tensors, metadata }),
            Err(problem) => Err(TensorError::Malformed { path, problem }),
        }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all tensors, in the order in which they lie in the file.
    pub fn names(&self) -> Vec<String> {
        self.tensors.keys().cloned().collect()
    }

    /// The file's notes about itself, such as `format`.
    pub fn metadata(&self) -> Option<&HashMap<String, String>> {
        self.metadata.as_ref()
    }

    /// The shape of a tensor, `None` where there is none of this name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|stored| stored.shape.as_slice())
    }

    /// A tensor's numbers, row-major, converted from F32, F16, BF16 or F64.
    ///
    /// # Errors
    /// Where there is no such tensor, its type is another, or a double is too large for f32.
    pub fn read_f32(&self, name: &str) -> Result<Vec<f32>, TensorError> {
        let stored = self.stored(name)?;
        let bytes = stored.row_major(&self.map[stored.bytes.clone()]);
        convert::to_f32(stored.dtype, &bytes).map_err(|error| {
            let (path, name) = (self.path.clone(), name.to_owned());
            match error {
                ConvertError::UnsupportedDtype => {
                    TensorError::UnsupportedDtype { path, name, found: stored.dtype.to_string() }
                }
                ConvertError::TooLarge { position, value } => TensorError::TooLarge { path, name, position, value },
            }
        })
    }

    /// A tensor's numbers where its shape is the one needed.
    ///
    /// # Errors
    /// As [`Self::read_f32`], and where the shape is another.
    pub fn read_f32_shaped(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, TensorError> {
        let stored = self.stored(name)?;
        if stored.shape != expected {
            return Err(TensorError::WrongShape {
                path: self.path.clone(),
                name: name.to_owned(),
                expected: expected.to_vec(),
                found: stored.shape.clone(),
            });
        }
        self.read_f32(name)
    }

    fn stored(&self, name: &str) -> Result<&Stored, TensorError> {
        self.tensors
            .get(name)
            .ok_or_else(|| TensorError::MissingTensor { path: self.path.clone(), name: name.to_owned() })
    }
}

/// The tensors of a checked header.
fn stored(header: &Metadata, data_start: usize) -> IndexMap<String, Stored> {
    let named = header.offset_keys().into_iter().filter_map(|name| {
        let info = header.info(&name)?;
        let (start, end) = info.data_offsets;
        let bytes = data_start + start..data_start + end;
        Some((name, Stored { dtype: info.dtype, shape: info.shape.clone(), bytes, strides: None }))
    });
    named.collect()
}

#[expect(unsafe_code, reason = "memory-mapping: weights larger than memory are read without a copy of the file")]
fn map_file(path: &Path) -> io::Result<Mmap> {
    // Asked before opening, since opening a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "expected a file, found something else"));
    }
    let file = File::open(path)?;
    // SAFETY: the map is read-only, and every bound is checked against its length. It stays sound as long as nobody
    // changes the file in place meanwhile; checkpoints are only ever replaced by renaming, which keeps mapped bytes.
    unsafe { Mmap::map(&file) }
}

/// The checked header and where the data begins, or what was expected and found.
fn check_header(bytes: &[u8]) -> Result<(Metadata, usize), String> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return Err(format!("expected at least {LENGTH_BYTES} bytes, found {}", bytes.len()));
    };
    let length = u64::from_le_bytes(*length);
    let header = usize::try_from(length).ok().filter(|&length| length <= MAX_HEADER_BYTES).ok_or_else(|| {
        format!("expected a header of at most {MAX_HEADER_BYTES} bytes, found one said to have {length}")
    })?;
    let Some(text) = rest.get(..header) else {
        return Err(format!("expected a header of {header} bytes, but only {} follow its length", rest.len()));
    };
    let UniqueKeys::<IgnoredAny>(_) =
        serde_json::from_slice(text).map_err(|error| format!("expected a JSON object as header: {error}"))?;
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    Ok((metadata, LENGTH_BYTES + header))
}
