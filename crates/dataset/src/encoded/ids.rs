//! Token ids in as few bytes as they need.

use std::{borrow::Cow, ops::Range};

use crate::{Result, Tokenizer};

/// How many bytes an id takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    Narrow,
    Wide,
}

impl Width {
    /// What all ids of a tokeniser fit into, those that every text gets included: its vocabulary need not know them.
    pub(super) fn of(tokenizer: &Tokenizer, max_length: usize) -> Result<Self> {
        let around_every_text = tokenizer.encode("", max_length)?.ids.into_iter().max().unwrap_or(0);
        let largest = (tokenizer.vocab_size().saturating_sub(1)).max(around_every_text as usize);
        Ok(if largest <= usize::from(u16::MAX) { Self::Narrow } else { Self::Wide })
    }

    pub(super) fn of_bytes(bytes: u64) -> Option<Self> {
        [Self::Narrow, Self::Wide].into_iter().find(|width| width.bytes() as u64 == bytes)
    }

    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Narrow => 2,
            Self::Wide => 4,
        }
    }
}

/// Ids in memory, which become wide when one of them needs it.
pub(super) enum Ids {
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

impl Default for Ids {
    fn default() -> Self {
        Self::Narrow(Vec::new())
    }
}

impl Ids {
    pub(super) fn extend(&mut self, row: &[u32]) {
        if let Self::Narrow(ids) = self
            && row.iter().any(|&id| id > u32::from(u16::MAX))
        {
            *self = Self::Wide(ids.iter().map(|&id| u32::from(id)).collect());
        }
        match self {
            Self::Narrow(ids) => ids.extend(row.iter().map(|&id| id as u16)),
            Self::Wide(ids) => ids.extend_from_slice(row),
        }
    }

    pub(super) fn get(&self, range: Range<usize>) -> Cow<'_, [u32]> {
        match self {
            Self::Narrow(ids) => Cow::Owned(widened(&ids[range])),
            Self::Wide(ids) => Cow::Borrowed(&ids[range]),
        }
    }
}

pub(super) fn widened(ids: &[u16]) -> Vec<u32> {
    ids.iter().map(|&id| u32::from(id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_widened_when_one_needs_it() {
        let mut ids = Ids::default();
        ids.extend(&[7, 65_535]);
        assert!(matches!(ids, Ids::Narrow(_)));
        ids.extend(&[]);
        ids.extend(&[65_536, 3]);
        assert!(matches!(ids, Ids::Wide(_)));
        ids.extend(&[u32::MAX]);
        assert_eq!(ids.get(0..5)[..], [7, 65_535, 65_536, 3, u32::MAX]);
        assert_eq!(ids.get(1..2)[..], [65_535]);
    }
}
