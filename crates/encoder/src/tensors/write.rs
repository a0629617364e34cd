//! Tensors to a safetensors file that is either whole or not there.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use safetensors::{Dtype, tensor::TensorInfo};
use serde::ser::{SerializeMap, Serializer};
use tempfile::NamedTempFile;

use super::{TensorError, file::MAX_HEADER_BYTES};

/// Numbers turned to bytes at a time.
const CHUNK: usize = 16 * 1024;

/// A tensor to be written: its name, its shape, and its numbers row-major.
pub type TensorToWrite<'a> = (&'a str, &'a [usize], &'a [f32]);

/// Writes tensors as F32, in the order of their names and with the notes given (`&[("format", "pt")]` for one that
/// `transformers` is to load). The same input gives the same bytes, whatever its order. The file appears whole and
/// synced under its name or not at all; numbers are streamed, so nothing the size of the model is allocated.
///
/// # Errors
/// Where a name comes twice, a shape does not fit its numbers, or the operating system refuses (no space, a read-only
/// folder). Nothing is then left behind and an earlier file of this name is as it was.
pub fn write_safetensors<'a>(
    path: impl AsRef<Path>,
    metadata: &[(&str, &str)],
    tensors: impl IntoIterator<Item = TensorToWrite<'a>>,
) -> Result<(), TensorError> {
    let path = path.as_ref();
    let mut tensors: Vec<_> = tensors.into_iter().collect();
    tensors.sort_by_key(|(name, ..)| *name);
    check(path, &tensors)?;

    let failed = |source: io::Error| TensorError::Write { path: path.to_owned(), source };
    let header = header(metadata, &tensors).map_err(failed)?;
    replace_file(path, |file| write_contents(file, &header, &tensors)).map_err(failed)
}

fn check(path: &Path, tensors: &[TensorToWrite<'_>]) -> Result<(), TensorError> {
    let unwritable = |name: &str, problem: String| {
        Err(TensorError::Unwritable { path: path.to_owned(), name: name.to_owned(), problem })
    };
    for &(name, shape, numbers) in tensors {
        let expected = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        if expected != Some(numbers.len()) {
            return unwritable(name, format!("expected the numbers of shape {shape:?}, found {}", numbers.len()));
        }
        if name == "__metadata__" {
            return unwritable(name, "expected another name, since the format keeps this one for itself".to_owned());
        }
    }
    match tensors.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => unwritable(pair[0].0, "expected every name once, found this one twice".to_owned()),
        None => Ok(()),
    }
}

/// The header as the safetensors library writes it (0.8, `prepare` in `tensor.rs`), but with sorted notes: the library
/// keeps those in a hash map, whose order changes from run to run.
fn header(metadata: &[(&str, &str)], tensors: &[TensorToWrite<'_>]) -> io::Result<Vec<u8>> {
    let mut header = Vec::new();
    let mut json = serde_json::Serializer::new(&mut header);
    let mut entries = json.serialize_map(None)?;
    if !metadata.is_empty() {
        let sorted: BTreeMap<&str, &str> = metadata.iter().copied().collect();
        entries.serialize_entry("__metadata__", &sorted)?;
    }
    let mut start = 0;
    for (name, shape, numbers) in tensors {
        let end = start + size_of_val(*numbers);
        let info = TensorInfo { dtype: Dtype::F32, shape: shape.to_vec(), data_offsets: (start, end) };
        entries.serialize_entry(name, &info)?;
        start = end;
    }
    SerializeMap::end(entries)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    if header.len() > MAX_HEADER_BYTES {
        let problem = format!("expected a header of at most {MAX_HEADER_BYTES} bytes, found {}", header.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    Ok(header)
}

fn write_contents(file: &mut impl Write, header: &[u8], tensors: &[TensorToWrite<'_>]) -> io::Result<()> {
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(header)?;
    let mut bytes = vec![[0; size_of::<f32>()]; CHUNK];
    for (.., numbers) in tensors {
        for chunk in numbers.chunks(CHUNK) {
            for (stored, number) in bytes.iter_mut().zip(chunk) {
                *stored = number.to_le_bytes();
            }
            file.write_all(bytes[..chunk.len()].as_flattened())?;
        }
    }
    Ok(())
}

/// Fills a temporary file beside `path`, syncs it and renames it. The temporary file goes away with any error.
pub(super) fn replace_file(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = create_beside(path, folder)?;
    fill(temporary.as_file_mut())?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

fn create_beside(path: &Path, folder: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "expected a file name"))?;
    let prefix = format!(".{}.", name.to_string_lossy());
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".tmp");
    // Temporary files are private unless told otherwise; a checkpoint is as readable as any other file of its owner.
    #[cfg(unix)]
    builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Makes the rename itself survive a power cut, where the file system lets a folder be synced (some on networks do not,
/// and only Unix offers it).
fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(folder)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        result => result,
    }
}
