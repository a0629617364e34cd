//! The file that keeps token ids between runs.
//!
//! ```text
//! header    magic, byte order, figures (u64 each), key (32 bytes), checksum of the payload, checksum of the header
//! offsets   u64 x (texts + 1)
//! ids       u32 x tokens
//! ```
//! Numbers are written as this machine writes them; the byte order mark makes a file from another kind of machine count
//! as damaged, and so be rebuilt. It is written beside, synced and renamed, so that a file is whole or not there, and
//! every byte of it is checked when it is opened.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use blake3::{Hash, Hasher};
use memmap2::Mmap;

use super::{Encoded, Store, Summary};
use crate::Tokenizer;

/// To be changed with the layout or with what ids depend on.
const MAGIC: &[u8; 16] = b"tunesmith-ids-01";
const BYTE_ORDER: u64 = 0x0102_0304_0506_0708;
const FIGURES: usize = 7;
const HEADER: usize = 16 + FIGURES * 8 + 3 * 32;
/// Offsets begin at a multiple of eight, which mapping at a page boundary keeps aligned.
const _: () = assert!(HEADER.is_multiple_of(8));

/// Why a file cannot be used.
pub(super) enum Unusable {
    Absent,
    Damaged(String),
}

/// What the ids depend on.
pub(super) fn key<T: AsRef<str>>(tokenizer: &Tokenizer, texts: &[T], max_length: usize) -> Hash {
    let mut hasher = Hasher::new();
    hasher.update(MAGIC);
    hasher.update(&(max_length as u64).to_le_bytes());
    for text in std::iter::once(tokenizer.json()).chain(texts.iter().map(AsRef::as_ref)) {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize()
}

/// Offsets and ids of a file that `open` has verified.
pub(super) fn parts(map: &Mmap, texts: usize) -> (&[u64], &[u32]) {
    let (offsets, ids) = map[HEADER..].split_at((texts + 1) * 8);
    (bytemuck::cast_slice(offsets), bytemuck::cast_slice(ids))
}

/// Maps a file and checks every byte of it.
pub(super) fn open(path: &Path, key: &Hash) -> Result<Encoded, Unusable> {
    let damaged = |reason: &str| Unusable::Damaged(reason.to_owned());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unusable::Absent),
        Err(error) => return Err(Unusable::Damaged(error.to_string())),
    };
    #[expect(unsafe_code, reason = "memory-mapping a file")]
    // SAFETY: the file is only ever replaced by renaming another over it, which leaves the mapped one as it is. Someone
    // who writes into the cache by hand meanwhile can make us read other ids, or fault, as with any mapped file.
    let map = unsafe { Mmap::map(&file) }.map_err(|error| Unusable::Damaged(error.to_string()))?;

    let header = map.get(..HEADER).ok_or_else(|| damaged("it is shorter than its header"))?;
    let (checked, checksum) = header.split_at(HEADER - 32);
    if blake3::hash(checked).as_bytes() != checksum {
        return Err(damaged("its header does not match its checksum"));
    }
    let figures: Vec<u64> = header[16..16 + FIGURES * 8].chunks_exact(8).map(bytemuck::pod_read_unaligned).collect();
    let [order, texts, tokens, longest, truncated, full_tokens, full_longest] = figures[..] else {
        return Err(damaged("its header is short"));
    };
    if !header.starts_with(MAGIC) || order != BYTE_ORDER {
        return Err(damaged("it is of another version or kind of machine"));
    }
    if header[16 + FIGURES * 8..][..32] != key.as_bytes()[..] {
        return Err(damaged("it was made from other texts or settings"));
    }
    let payload = &map[HEADER..];
    let size = texts.checked_add(1).and_then(|n| n.checked_mul(8)).zip(tokens.checked_mul(4));
    if size.and_then(|(offsets, ids)| offsets.checked_add(ids)) != Some(payload.len() as u64) {
        return Err(damaged("its length is not what its header says"));
    }
    if blake3::hash(payload).as_bytes()[..] != header[16 + FIGURES * 8 + 32..][..32] {
        return Err(damaged("its content does not match its checksum"));
    }
    let texts = texts as usize;
    let summary = Summary { texts: texts as u64, tokens, longest, truncated, full_tokens, full_longest };
    let (offsets, ids) = parts(&map, texts);
    if !offsets.is_sorted() || offsets.first() != Some(&0) || offsets.last() != Some(&(ids.len() as u64)) {
        return Err(damaged("its offsets are out of order"));
    }
    Ok(Encoded { store: Store::Mapped { map, texts }, summary })
}

/// Writes the file whole or not at all.
pub(super) fn write(path: &Path, key: &Hash, encoded: &Encoded) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let (offsets, ids) = encoded.parts();
    let (offsets, ids): (&[u8], &[u8]) = (bytemuck::cast_slice(offsets), bytemuck::cast_slice(ids));

    let Summary { texts, tokens, longest, truncated, full_tokens, full_longest } = encoded.summary;
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(MAGIC);
    for figure in [BYTE_ORDER, texts, tokens, longest, truncated, full_tokens, full_longest] {
        header.extend_from_slice(&figure.to_ne_bytes());
    }
    header.extend_from_slice(key.as_bytes());
    header.extend_from_slice(Hasher::new().update(offsets).update(ids).finalize().as_bytes());
    let checksum = blake3::hash(&header);
    header.extend_from_slice(checksum.as_bytes());

    let mut file = BufWriter::new(tempfile::NamedTempFile::new_in(folder)?);
    file.write_all(&header)?;
    file.write_all(offsets)?;
    file.write_all(ids)?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The rename itself must reach the disk too; where folders cannot be synced, the checksum still guards.
    File::open(folder).and_then(|folder| folder.sync_all()).or(Ok(()))
}
