//! The weights of a model folder, in one file or in shards with an index, under today's names.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use serde::Deserialize;

use super::{TensorError, TensorFile, json::UniqueKeys, names::normalise};

/// A way of keeping weights: the name of a single file, that of an index of shards, and how one is opened.
type Kind = (&'static str, &'static str, fn(PathBuf) -> Result<TensorFile, TensorError>);

/// In the order in which they are looked for.
const KINDS: [Kind; 2] = [
    ("model.safetensors", "model.safetensors.index.json", TensorFile::open),
    ("pytorch_model.bin", "pytorch_model.bin.index.json", TensorFile::open_pickle),
];

/// All tensors of a model folder.
#[derive(Debug)]
pub struct TensorFolder {
    folder: PathBuf,
    files: Vec<TensorFile>,
    places: BTreeMap<String, Place>,
}

/// Where a tensor is: its file and its name there.
#[derive(Debug)]
struct Place {
    file: usize,
    original_name: String,
}

#[derive(Deserialize)]
struct Index {
    weight_map: UniqueKeys<String>,
}

impl TensorFolder {
    /// Opens `model.safetensors`, or else all shards that `model.safetensors.index.json` names, or else the same of
    /// `pytorch_model.bin`.
    ///
    /// # Errors
    /// Where the folder has neither, a file is malformed or absent, a tensor is stored twice, or one is not in the
    /// shard that the index names.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, TensorError> {
        let folder = folder.into();
        let files = open_files(&folder)?;
        let mut places = BTreeMap::<String, Place>::new();
        for (file, tensors) in files.iter().enumerate() {
            for original_name in tensors.names() {
                let name = normalise(&original_name);
                if let Some(earlier) = places.insert(name.clone(), Place { file, original_name }) {
                    let path_of = |file: usize| files[file].path().to_owned();
                    return Err(TensorError::DuplicateTensor {
                        name,
                        first: path_of(earlier.file),
                        second: path_of(file),
                    });
                }
            }
        }
        Ok(Self { folder, files, places })
    }

    /// The names of all tensors in alphabetical order, spelled as today.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// The name under which the file stores a tensor; another one only for old spellings.
    pub fn original_name(&self, name: &str) -> Option<&str> {
        self.places.get(name).map(|place| place.original_name.as_str())
    }

    /// The file that stores a tensor.
    pub fn file_of(&self, name: &str) -> Option<&TensorFile> {
        self.places.get(name).map(|place| &self.files[place.file])
    }

    /// The shape of a tensor, `None` where there is none of this name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        let place = self.places.get(name)?;
        self.files[place.file].shape(&place.original_name)
    }

    /// A tensor's numbers, row-major, converted from F32, F16, BF16 or F64.
    ///
    /// # Errors
    /// As [`TensorFile::read_f32`]; the error gives the name that the file uses.
    pub fn read_f32(&self, name: &str) -> Result<Vec<f32>, TensorError> {
        let place = self.place(name)?;
        self.files[place.file].read_f32(&place.original_name)
    }

    /// A tensor's numbers where its shape is the one needed.
    ///
    /// # Errors
    /// As [`TensorFile::read_f32_shaped`]; the error gives the name that the file uses.
    pub fn read_f32_shaped(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, TensorError> {
        let place = self.place(name)?;
        self.files[place.file].read_f32_shaped(&place.original_name, expected)
    }

    fn place(&self, name: &str) -> Result<&Place, TensorError> {
        self.places
            .get(name)
            .ok_or_else(|| TensorError::MissingTensor { path: self.folder.clone(), name: name.to_owned() })
    }
}

fn open_files(folder: &Path) -> Result<Vec<TensorFile>, TensorError> {
    // Asked first, so that a mistyped folder is not reported as one without weights.
    fs::read_dir(folder).map_err(|source| TensorError::Read { path: folder.to_owned(), source })?;
    let present = |name: &str| folder.join(name).symlink_metadata().is_ok();
    for (single, index, open) in KINDS {
        if present(single) {
            return Ok(vec![open(folder.join(single))?]);
        }
        if present(index) {
            return open_shards(folder, folder.join(index), open);
        }
    }
    Err(TensorError::NoWeights { folder: folder.to_owned() })
}

fn open_shards(
    folder: &Path,
    index: PathBuf,
    open: fn(PathBuf) -> Result<TensorFile, TensorError>,
) -> Result<Vec<TensorFile>, TensorError> {
    let malformed = |problem: String| TensorError::Malformed { path: index.clone(), problem };
    let text = fs::read(&index).map_err(|source| TensorError::Read { path: index.clone(), source })?;
    let Index { weight_map: UniqueKeys(shard_of) } =
        serde_json::from_slice(&text).map_err(|error| malformed(format!("expected an index of shards: {error}")))?;
    if shard_of.is_empty() {
        return Err(malformed("expected tensors in `weight_map`, found none".to_owned()));
    }

    let shards: BTreeSet<&str> = shard_of.values().map(String::as_str).collect();
    if let Some(shard) = shards.iter().find(|shard| !is_plain_name(shard)) {
        return Err(malformed(format!("expected the name of a file beside it, found {shard:?}")));
    }
    let files: Vec<TensorFile> = shards.iter().map(|shard| open(folder.join(shard))).collect::<Result<_, _>>()?;
    let by_name: BTreeMap<&str, &TensorFile> = shards.iter().copied().zip(&files).collect();
    for (name, shard) in &shard_of {
        if by_name[shard.as_str()].shape(name).is_none() {
            return Err(TensorError::NotInShard { name: name.clone(), index, shard: folder.join(shard) });
        }
    }
    Ok(files)
}

/// Whether this names a file in the same folder on every system: an index must not lead elsewhere.
fn is_plain_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    let one = matches!((components.next(), components.next()), (Some(Component::Normal(only)), None) if only == name);
    one && !name.contains(['/', '\\', ':', '\0'])
}
