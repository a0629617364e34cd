//! What can be wrong with a file of tensors.

use std::{io, path::PathBuf};

/// Why tensors cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// The operating system refused to read.
    #[error("read tensors from {}: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system refused to write; nothing is left behind.
    #[error("write tensors to {}: {source}", path.display())]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The folder has no weights.
    #[error(
        "find weights in {}: expected model.safetensors or pytorch_model.bin, or the index of either with its shards",
        folder.display()
    )]
    NoWeights {
        /// The folder searched.
        folder: PathBuf,
    },
    /// The bytes are not what a file of this kind holds.
    #[error("read tensors from {}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was expected and what was found.
        problem: String,
    },
    /// One tensor is stored twice, so which one counts would be chance.
    #[error("read tensor `{name}`: expected it once, found it in {} and in {}", first.display(), second.display())]
    DuplicateTensor {
        /// Name of the tensor.
        name: String,
        /// A file that holds it.
        first: PathBuf,
        /// The other file that holds it, or the same one where it has both an old and a new name.
        second: PathBuf,
    },
    /// The index names a shard that does not hold the tensor.
    #[error("read tensor `{name}`: {} says it is in {}, which lacks it", index.display(), shard.display())]
    NotInShard {
        /// Name of the tensor.
        name: String,
        /// The index.
        index: PathBuf,
        /// The shard that the index names.
        shard: PathBuf,
    },
    /// No tensor has this name.
    #[error("read tensor `{name}` from {}: there is no such tensor", path.display())]
    MissingTensor {
        /// The file or folder.
        path: PathBuf,
        /// The name asked for.
        name: String,
    },
    /// The tensor has another shape than its place in the network.
    #[error("read tensor `{name}` from {}: expected shape {expected:?}, found {found:?}", path.display())]
    WrongShape {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// The shape needed.
        expected: Vec<usize>,
        /// The shape stored.
        found: Vec<usize>,
    },
    /// The tensor's numbers are of a kind that weights do not have.
    #[error("read tensor `{name}` from {}: expected F32, F16, BF16 or F64, found {found}", path.display())]
    UnsupportedDtype {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// The type stored.
        found: String,
    },
    /// A double is too large for f32.
    #[error("read tensor `{name}` from {}: {value:e} at position {position} is too large for f32", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// Where in the tensor, from 0, row-major.
        position: usize,
        /// The number stored.
        value: f64,
    },
    /// What was to be written cannot be stored.
    #[error("write tensor `{name}` to {}: {problem}", path.display())]
    Unwritable {
        /// The file that was to be written.
        path: PathBuf,
        /// Name of the tensor.
        name: String,
        /// What was expected and what was given.
        problem: String,
    },
}
