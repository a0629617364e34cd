//! What a text becomes: TF-IDF of its words and pairs of neighbouring words.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::matrix::{Entry, Lines};
use crate::words::words;

/// The id of a word within a pair where there is no first word: a single word.
const NO_WORD: u32 = u32::MAX;

/// The words and pairs that were learnt, each with its rarity.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    words: HashMap<Box<str>, u32>,
    /// By the ids of two neighbouring words, the first in the upper half.
    features: HashMap<u64, u32>,
    rarity: Vec<f64>,
    sublinear: bool,
}

impl Vocabulary {
    /// Learns every word and pair of the texts, and gives the texts' own features with it. Features are counted in the
    /// order in which they are met.
    ///
    /// `sublinear` takes 1 + ln(count) for the count of a feature in a text.
    pub(crate) fn learn(texts: &[String], sublinear: bool) -> (Self, Lines) {
        let lower_case: Vec<String> = texts.par_iter().map(|text| text.to_lowercase()).collect();
        let mut vocabulary = Self { words: HashMap::new(), features: HashMap::new(), rarity: Vec::new(), sublinear };
        let mut counted = Vec::with_capacity(texts.len());
        let mut texts_with: Vec<u32> = Vec::new();
        for text in &lower_case {
            let ids: Vec<u32> = words(text).map(|word| vocabulary.learn_word(word)).collect();
            let features = keys(ids.into_iter().map(Some)).map(|key| {
                let new = vocabulary.features.len() as u32;
                *vocabulary.features.entry(key).or_insert(new)
            });
            let counts = count(features.collect());
            texts_with.resize(vocabulary.features.len(), 0);
            counts.iter().for_each(|(feature, _)| texts_with[*feature as usize] += 1);
            counted.push(counts);
        }
        let n = texts.len() as f64;
        vocabulary.rarity = texts_with.iter().map(|&with| ((1.0 + n) / (1.0 + f64::from(with))).ln() + 1.0).collect();
        let rows = counted.par_iter().map(|counts| vocabulary.weigh(counts)).collect();
        (vocabulary, Lines::new(rows))
    }

    pub(crate) fn n_features(&self) -> usize {
        self.rarity.len()
    }

    /// The features of a text; words and pairs that were not learnt are passed over.
    pub(crate) fn of(&self, text: &str) -> Vec<Entry> {
        let lower_case = text.to_lowercase();
        let ids = words(&lower_case).map(|word| self.words.get(word).copied());
        self.weigh(&count(keys(ids).filter_map(|key| self.features.get(&key).copied()).collect()))
    }

    fn learn_word(&mut self, word: &str) -> u32 {
        if let Some(&id) = self.words.get(word) {
            return id;
        }
        let id = self.words.len() as u32;
        self.words.insert(word.into(), id);
        id
    }

    /// Counts to a vector of length 1, as `TfidfVectorizer` weighs them with its defaults `smooth_idf` and `norm="l2"`.
    fn weigh(&self, counts: &[(u32, u32)]) -> Vec<Entry> {
        let weight = |&(feature, count): &(u32, u32)| {
            let count = f64::from(count);
            let frequency = if self.sublinear { 1.0 + count.ln() } else { count };
            frequency * self.rarity[feature as usize]
        };
        let length = counts.iter().map(|count| weight(count).powi(2)).sum::<f64>().sqrt();
        counts.iter().map(|count| Entry { at: count.0, value: (weight(count) / length) as f32 }).collect()
    }
}

/// The keys of single words and of pairs of neighbours, from the words' ids; nothing is said of a word without one.
fn keys(ids: impl Iterator<Item = Option<u32>>) -> impl Iterator<Item = u64> {
    let mut before = None;
    ids.flat_map(move |id| {
        let key = |first: u32, id: u32| u64::from(first) << 32 | u64::from(id);
        let single = id.map(|id| key(NO_WORD, id));
        let pair = before.zip(id).map(|(before, id)| key(before, id));
        before = id;
        [single, pair].into_iter().flatten()
    })
}

/// How often each feature is there, in their order.
fn count(mut features: Vec<u32>) -> Vec<(u32, u32)> {
    features.sort_unstable();
    features.chunk_by(|left, right| left == right).map(|same| (same[0], same.len() as u32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn weights_are_those_of_the_formula() {
        let (vocabulary, rows) = Vocabulary::learn(&texts(&["to be or not to be", "or not", ""]), false);
        // to, be, to be, or, be or, not, or not, not to
        assert_eq!(vocabulary.n_features(), 8);
        let (rare, known) = ((4f64 / 2.0).ln() + 1.0, (4f64 / 3.0).ln() + 1.0);
        let length = (3.0 * (2.0 * rare).powi(2) + 2.0 * rare * rare + 3.0 * known * known).sqrt();
        let expected = [2.0 * rare, 2.0 * rare, 2.0 * rare, known, rare, known, known, rare];
        let found: Vec<f64> = rows.line(0).iter().map(|entry| f64::from(entry.value)).collect();
        for (found, expected) in found.iter().zip(expected) {
            // Values are kept in single precision.
            assert!((found - expected / length).abs() < 1e-7, "{found:?}");
        }
        assert_eq!(rows.line(1).len(), 3);
        assert_eq!(rows.line(2), []);
    }

    #[test]
    fn a_text_has_the_features_that_it_was_learnt_with() {
        let texts = texts(&["Free entry, free prizes!", "call me later", "", "a b c", "later later later"]);
        for sublinear in [false, true] {
            let (vocabulary, rows) = Vocabulary::learn(&texts, sublinear);
            for (at, text) in texts.iter().enumerate() {
                assert_eq!(vocabulary.of(text), rows.line(at), "{text}");
            }
            let unknown = vocabulary.of("call nobody later");
            assert_eq!(unknown.len(), 2, "no pair reaches over a word that is not known");
        }
    }
}
