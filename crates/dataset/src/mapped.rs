//! A file mapped into memory that does not stay there.
//!
//! Pages that were read count as the program's memory for as long as they are mapped, though the system could take them
//! back. So that a file of any size is read in little memory, in order or at random, the pages are given back after every
//! few thousand reads; those that are read again come from the system's own cache.

use std::{
    fs::File,
    io,
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
};

use memmap2::Mmap;

/// Pages are given back after reads that cost so much.
const MOST: usize = 64 << 20;

/// What a read costs beside its own bytes. Linux maps up to 16 pages around the one that is missing, so reads at random
/// places may bring in four times [`MOST`].
const AROUND: usize = 16 << 10;

/// A file that nobody changes while it is mapped.
pub(crate) struct Mapped {
    map: Mmap,
    /// What reads have cost since pages were last given back.
    cost: AtomicUsize,
}

impl Mapped {
    /// Maps a file.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn new(file: &File) -> io::Result<Self> {
        #[expect(unsafe_code, reason = "memory-mapping a file")]
        // SAFETY: what is mapped is a file without a name, or one that is only ever replaced by renaming another over it,
        // which leaves the mapped one as it is. Someone who writes into the cache by hand meanwhile can make us read
        // other bytes, or fault, as with any mapped file.
        let map = unsafe { Mmap::map(file) }?;
        Ok(Self { map, cost: AtomicUsize::new(0) })
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// These bytes, or `None` where the file ends before them.
    pub(crate) fn get(&self, range: Range<usize>) -> Option<&[u8]> {
        let bytes = self.map.get(range)?;
        let cost = bytes.len() + AROUND;
        if self.cost.fetch_add(cost, Ordering::Relaxed) + cost >= MOST {
            self.cost.store(0, Ordering::Relaxed);
            self.give_back();
        }
        Some(bytes)
    }

    #[cfg(unix)]
    fn give_back(&self) {
        #[expect(unsafe_code, reason = "giving mapped pages back")]
        // SAFETY: the map is shared and read-only, and the file does not change, so a page that is read again, also by
        // those who hold a slice of it, has the bytes that it had.
        let given = unsafe { self.map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        // A wish: a system that keeps the pages is as right as one that does not.
        drop(given);
    }

    #[cfg(not(unix))]
    fn give_back(&self) {}
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn bytes_are_the_same_after_pages_were_given_back() {
        let mut file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..3_000_000u32).map(|at| (at % 251) as u8).collect();
        file.write_all(&content).unwrap();
        let mapped = Mapped::new(&file).unwrap();
        let held = mapped.get(5..2_000_000).unwrap();
        for round in 0..100 {
            assert_eq!(mapped.get(round..2_900_000).unwrap(), &content[round..2_900_000]);
        }
        assert_eq!(held, &content[5..2_000_000]);
        assert_eq!(mapped.len(), content.len());
        assert!(mapped.get(0..3_000_001).is_none());
    }
}
