//! Batches without padding: the rows of all texts stand one after another.
//!
//! Which examples go together is the caller's order in training ([`crate::Permutation`]) and [`length_batches`] in
//! evaluation.

use std::cmp::Reverse;

use crate::Encoded;

/// Texts one after another. With `B` texts and `N` tokens: text `b` is `input_ids[cu_seqlens[b]..cu_seqlens[b + 1]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedBatch {
    /// Token ids, `[N]`.
    pub input_ids: Vec<u32>,
    /// Where texts begin, and the end, `[B + 1]`.
    pub cu_seqlens: Vec<u32>,
    /// What the examples are called, `[B]`.
    pub example_ids: Vec<u64>,
    /// Class ids, `[B]`; empty where there are none.
    pub labels: Vec<u32>,
}

impl Default for PackedBatch {
    fn default() -> Self {
        Self { input_ids: Vec::new(), cu_seqlens: vec![0], example_ids: Vec::new(), labels: Vec::new() }
    }
}

impl PackedBatch {
    /// Adds a text; `label` either for all texts of a batch or for none.
    pub fn push(&mut self, input_ids: &[u32], example_id: u64, label: Option<u32>) {
        self.input_ids.extend_from_slice(input_ids);
        self.cu_seqlens.push(self.input_ids.len() as u32);
        self.example_ids.push(example_id);
        self.labels.extend(label);
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.example_ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.example_ids.is_empty()
    }

    /// How many tokens there are.
    pub fn tokens(&self) -> usize {
        self.input_ids.len()
    }

    /// The tokens of text `at`.
    pub fn text(&self, at: usize) -> &[u32] {
        &self.input_ids[self.cu_seqlens[at] as usize..self.cu_seqlens[at + 1] as usize]
    }

    /// Takes everything out, to be filled again.
    pub fn clear(&mut self) {
        self.input_ids.clear();
        self.cu_seqlens.truncate(1);
        self.example_ids.clear();
        self.labels.clear();
    }
}

/// The batch of these examples, in this order. `labels` and `example_ids` are those of all examples; `labels` may be empty.
pub fn pack(
    encoded: &Encoded,
    labels: &[u32],
    example_ids: &[u64],
    indices: impl IntoIterator<Item = usize>,
) -> PackedBatch {
    let mut batch = PackedBatch::default();
    for index in indices {
        batch.push(&encoded.input_ids(index), example_ids[index], labels.get(index).copied());
    }
    batch
}

/// Which texts are evaluated together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LengthBatches {
    /// Positions of texts, those of one batch after those of another.
    order: Vec<u32>,
    /// Where each batch ends among them.
    ends: Vec<u32>,
}

impl LengthBatches {
    /// The positions of the texts of each batch.
    pub fn iter(&self) -> impl Iterator<Item = impl Iterator<Item = usize> + Clone> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let ranges = starts.zip(&self.ends).map(|(start, &end)| start as usize..end as usize);
        ranges.map(|range| self.order[range].iter().map(|&at| at as usize))
    }
}

/// Batches for evaluation: the longest texts first, each batch within `max_tokens` and `max_texts`.
///
/// Every position occurs once; a text longer than `max_tokens` is alone.
pub fn length_batches(lengths: impl IntoIterator<Item = usize>, max_tokens: usize, max_texts: usize) -> LengthBatches {
    // A text has fewer than 2^32 tokens, and there are fewer than 2^32 texts.
    let lengths: Vec<u32> = lengths.into_iter().map(|length| length as u32).collect();
    let mut order: Vec<u32> = (0..lengths.len() as u32).collect();
    order.sort_unstable_by_key(|&at| (Reverse(lengths[at as usize]), at));
    let mut ends = Vec::new();
    let (mut tokens, mut texts) = (0, 0);
    for (place, &at) in (0..).zip(&order) {
        let length = lengths[at as usize] as usize;
        if texts > 0 && (tokens + length > max_tokens || texts >= max_texts) {
            ends.push(place);
            (tokens, texts) = (0, 0);
        }
        tokens += length;
        texts += 1;
    }
    if texts > 0 {
        ends.push(order.len() as u32);
    }
    LengthBatches { order, ends }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(texts in prop::collection::vec(prop::collection::vec(0u32..99, 1..9), 0..20)) {
            let encoded = Encoded::from_rows(texts.iter().map(|ids| (ids.clone(), ids.len())));
            let labels: Vec<u32> = (0..texts.len() as u32).collect();
            let names: Vec<u64> = (0..texts.len() as u64).map(|id| id + 1000).collect();
            let batch = pack(&encoded, &labels, &names, (0..texts.len()).rev());
            prop_assert_eq!(batch.cu_seqlens.len(), texts.len() + 1);
            prop_assert_eq!(batch.tokens(), encoded.total_tokens());
            for (at, text) in texts.iter().rev().enumerate() {
                prop_assert_eq!(batch.text(at), &text[..]);
                prop_assert_eq!(batch.example_ids[at], 1000 + u64::from(batch.labels[at]));
            }
        }

        #[test]
        fn evaluation_sees_every_text_once_within_its_budget(
            lengths in prop::collection::vec(1usize..50, 0..60), max_tokens in 1usize..200, max_texts in 1usize..10,
        ) {
            let batches = length_batches(lengths.iter().copied(), max_tokens, max_texts);
            let mut seen = vec![0; lengths.len()];
            let mut before = usize::MAX;
            for batch in batches.iter() {
                let tokens: usize = batch.clone().map(|at| lengths[at]).sum();
                let texts = batch.clone().count();
                prop_assert!((1..=max_texts).contains(&texts) && (texts == 1 || tokens <= max_tokens));
                for at in batch {
                    seen[at] += 1;
                    prop_assert!(lengths[at] <= before, "the longest first");
                    before = lengths[at];
                }
            }
            prop_assert!(seen.iter().all(|&times| times == 1));
        }
    }
}
