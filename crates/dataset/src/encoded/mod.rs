//! The token ids of a whole split, in memory or in a memory-mapped file.
//!
//! Ids stand one after another with offsets beside them. What the file looks like and when it is believed is in `cache`.

mod cache;

use std::path::{Path, PathBuf};

use memmap2::Mmap;
use rayon::prelude::*;

use crate::{Result, Tokenizer};

/// Token ids of texts and what is known of their lengths.
pub struct Encoded {
    store: Store,
    summary: Summary,
}

enum Store {
    /// Where texts begin, and the end; all ids.
    Memory(Vec<u64>, Vec<u32>),
    /// The same two, inside a file that `cache` has verified.
    Mapped { map: Mmap, texts: usize },
}

/// Figures over all texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Summary {
    texts: u64,
    tokens: u64,
    longest: u64,
    truncated: u64,
    /// Before truncation.
    full_tokens: u64,
    full_longest: u64,
}

impl Encoded {
    /// From each text's ids and its length before truncation.
    pub fn from_rows(rows: impl IntoIterator<Item = (Vec<u32>, usize)>) -> Self {
        let (mut offsets, mut ids, mut summary) = (vec![0], Vec::new(), Summary::default());
        for (row, full_len) in rows {
            ids.extend_from_slice(&row);
            offsets.push(ids.len() as u64);
            summary.texts += 1;
            summary.tokens += row.len() as u64;
            summary.longest = summary.longest.max(row.len() as u64);
            summary.truncated += u64::from(full_len > row.len());
            summary.full_tokens += full_len as u64;
            summary.full_longest = summary.full_longest.max(full_len as u64);
        }
        Self { store: Store::Memory(offsets, ids), summary }
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.summary.texts as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.summary.texts == 0
    }

    /// The ids of text `index`, special tokens included.
    ///
    /// # Panics
    /// When there is no such text.
    pub fn input_ids(&self, index: usize) -> &[u32] {
        let (offsets, ids) = self.parts();
        &ids[offsets[index] as usize..offsets[index + 1] as usize]
    }

    /// How many ids text `index` has.
    pub fn length(&self, index: usize) -> usize {
        let (offsets, _) = self.parts();
        (offsets[index + 1] - offsets[index]) as usize
    }

    /// The lengths of all texts.
    pub fn lengths(&self) -> Vec<usize> {
        (0..self.len()).map(|index| self.length(index)).collect()
    }

    /// Tokens of all texts together.
    pub fn total_tokens(&self) -> usize {
        self.summary.tokens as usize
    }

    /// Mean length in tokens.
    pub fn mean_tokens(&self) -> f64 {
        self.summary.tokens as f64 / self.summary.texts.max(1) as f64
    }

    /// The longest text in tokens.
    pub fn longest(&self) -> usize {
        self.summary.longest as usize
    }

    /// How many texts were cut.
    pub fn truncated(&self) -> usize {
        self.summary.truncated as usize
    }

    /// Tokens of all texts together before they were cut.
    pub fn full_tokens(&self) -> usize {
        self.summary.full_tokens as usize
    }

    /// The longest text in tokens before it was cut.
    pub fn full_longest(&self) -> usize {
        self.summary.full_longest as usize
    }

    fn parts(&self) -> (&[u64], &[u32]) {
        match &self.store {
            Store::Memory(offsets, ids) => (offsets, ids),
            Store::Mapped { map, texts } => cache::parts(map, *texts),
        }
    }
}

/// What became of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheOutcome {
    /// The file was there and good.
    Reused(PathBuf),
    /// The file was not there and has been written.
    Written(PathBuf),
    /// The file was there but damaged, and has been written anew.
    Rebuilt {
        /// The file.
        file: PathBuf,
        /// What was wrong with it.
        reason: String,
    },
    /// No file could be written: the ids are in memory.
    InMemory {
        /// Why not.
        reason: String,
    },
}

/// Tokenises texts in parallel, into memory.
///
/// # Errors
/// When the tokeniser refuses a text or `max_length`.
pub fn encode<T: AsRef<str> + Sync>(tokenizer: &Tokenizer, texts: &[T], max_length: usize) -> Result<Encoded> {
    let rows: Vec<_> =
        texts.par_iter().map(|text| tokenizer.encode(text.as_ref(), max_length)).collect::<Result<_>>()?;
    Ok(Encoded::from_rows(rows.into_iter().map(|row| (row.ids, row.full_len))))
}

/// Tokenises texts unless `folder` has the result already, and keeps it there.
///
/// The file is found by what it depends on: the texts, the tokeniser, `max_length` and the file's format. A damaged file is
/// written anew; where none can be written, the ids stay in memory and the outcome says why.
///
/// # Errors
/// When the tokeniser refuses a text or `max_length`.
pub fn encode_cached<T: AsRef<str> + Sync>(
    tokenizer: &Tokenizer,
    texts: &[T],
    max_length: usize,
    folder: &Path,
) -> Result<(Encoded, CacheOutcome)> {
    let key = cache::key(tokenizer, texts, max_length);
    let file = folder.join(format!("{}.tokens", &key.to_hex()[..32]));
    let damage = match cache::open(&file, &key) {
        Ok(encoded) => return Ok((encoded, CacheOutcome::Reused(file))),
        Err(cache::Unusable::Absent) => None,
        Err(cache::Unusable::Damaged(reason)) => Some(reason),
    };
    let encoded = encode(tokenizer, texts, max_length)?;
    match cache::write(&file, &key, &encoded) {
        Err(error) => Ok((encoded, CacheOutcome::InMemory { reason: format!("{}: {error}", file.display()) })),
        Ok(()) => {
            // Map what was written, so that the pages can be dropped; what is in memory does as well.
            let encoded = cache::open(&file, &key).unwrap_or(encoded);
            let outcome = match damage {
                Some(reason) => CacheOutcome::Rebuilt { file, reason },
                None => CacheOutcome::Written(file),
            };
            Ok((encoded, outcome))
        }
    }
}
