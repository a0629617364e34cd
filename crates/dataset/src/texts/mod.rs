//! Texts by position: few in memory, many in a file that has no name and goes with the program.
//!
//! All texts of a table are kept once, one after another. A split or a sample is a list of positions among them, so dealing
//! rows out copies no text. Where the bytes are is in `store`.

mod store;

use std::{fmt, ops::Index, sync::Arc};

use store::Store;

pub use store::{Scratch, TextsWriter};

/// Texts that can be asked for by position, however they are held.
pub trait TextList: Sync {
    /// How many there are.
    fn len(&self) -> usize;

    /// The text at a position.
    ///
    /// # Panics
    /// When there is none.
    fn text(&self, at: usize) -> &str;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: AsRef<str> + Sync> TextList for [T] {
    fn len(&self) -> usize {
        self.len()
    }

    fn text(&self, at: usize) -> &str {
        self[at].as_ref()
    }
}

impl<T: AsRef<str> + Sync> TextList for Vec<T> {
    fn len(&self) -> usize {
        self.len()
    }

    fn text(&self, at: usize) -> &str {
        self[at].as_ref()
    }
}

impl<T: AsRef<str> + Sync, const N: usize> TextList for [T; N] {
    fn len(&self) -> usize {
        N
    }

    fn text(&self, at: usize) -> &str {
        self[at].as_ref()
    }
}

/// Texts of a split. A copy is cheap: it shares the texts with the original.
#[derive(Clone)]
pub struct Texts {
    store: Arc<Store>,
    /// Which texts of the store, in order; all of them if there is no list.
    chosen: Option<Vec<u32>>,
}

impl Texts {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.chosen.as_ref().map_or(self.store.len(), Vec::len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text at a position.
    ///
    /// # Panics
    /// When there is none.
    pub fn text(&self, at: usize) -> &str {
        self.store.text(self.place(at))
    }

    /// How many bytes a text has. It is not looked at for that.
    ///
    /// # Panics
    /// When there is none.
    pub fn size(&self, at: usize) -> usize {
        self.store.size(self.place(at))
    }

    /// The bytes of all texts.
    pub fn total_size(&self) -> u64 {
        (0..self.len()).map(|at| self.size(at) as u64).sum()
    }

    /// All texts in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        (0..self.len()).map(|at| self.text(at))
    }

    /// The texts at these positions, in this order.
    ///
    /// # Panics
    /// When there is none at one of them.
    #[must_use]
    pub fn select(&self, positions: &[usize]) -> Self {
        // A store has fewer than 2^32 texts.
        let chosen = positions.iter().map(|&at| self.place(at) as u32).collect();
        Self { store: Arc::clone(&self.store), chosen: Some(chosen) }
    }

    /// Whether the texts are in a file.
    pub fn are_on_disk(&self) -> bool {
        self.store.is_on_disk()
    }

    fn place(&self, at: usize) -> usize {
        self.chosen.as_ref().map_or(at, |chosen| chosen[at] as usize)
    }
}

impl TextList for Texts {
    fn len(&self) -> usize {
        self.len()
    }

    fn text(&self, at: usize) -> &str {
        self.text(at)
    }
}

impl Index<usize> for Texts {
    type Output = str;

    fn index(&self, at: usize) -> &str {
        self.text(at)
    }
}

/// In memory, however many they are.
impl<T: AsRef<str>> FromIterator<T> for Texts {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        Self { store: Arc::new(texts.into_iter().collect()), chosen: None }
    }
}

impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Files in a folder and in those below it.
    fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
    }

    fn written(texts: &[String], most_in_memory: usize) -> Texts {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = TextsWriter::new(Scratch { folder: folder.path().join("made when needed"), most_in_memory });
        texts.iter().for_each(|text| writer.push(text).unwrap());
        let texts = writer.finish().unwrap();
        let files = walk(folder.path());
        assert!(files.is_empty(), "the file has no name: {files:?}");
        texts
    }

    #[test]
    fn few_texts_stay_in_memory() {
        let texts = ["one".to_owned(), "two".to_owned()];
        assert!(!written(&texts, 6).are_on_disk());
        assert!(written(&texts, 5).are_on_disk());
    }

    #[test]
    fn a_choice_of_a_choice_is_by_position() {
        let texts: Texts = ["a", "b", "c", "d"].into_iter().collect();
        let chosen = texts.select(&[3, 1, 1]).select(&[1, 0]);
        assert_eq!(chosen.iter().collect::<Vec<_>>(), ["b", "d"]);
        assert_eq!((&chosen[1], chosen.len(), chosen.total_size()), ("d", 2, 2));
        assert!(texts.select(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn texts_are_the_same_wherever_they_are(texts in prop::collection::vec("\\PC{0,30}", 0..40), limit in 0usize..400) {
            let kept = written(&texts, limit);
            prop_assert_eq!(kept.are_on_disk(), texts.iter().map(String::len).sum::<usize>() > limit);
            prop_assert!(kept.iter().eq(texts.iter().map(String::as_str)));
            prop_assert!((0..texts.len()).all(|at| kept.size(at) == texts[at].len()));
            prop_assert_eq!(kept, texts.iter().collect::<Texts>());
        }
    }
}
