//! Batches without padding: the rows of all texts stand one after another.
//!
//! Which examples go together is the caller's order in training ([`crate::Permutation`]) and [`length_batches`] in
//! evaluation.

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
        batch.push(encoded.input_ids(index), example_ids[index], labels.get(index).copied());
    }
    batch
}

/// Batches for evaluation: the longest texts first, each batch within `max_tokens` and `max_texts`.
///
/// Every position occurs once; a text longer than `max_tokens` is alone. [`scatter`] puts results back in order.
pub fn length_batches(lengths: &[usize], max_tokens: usize, max_texts: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(lengths[at]));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut tokens = 0;
    for at in order {
        match batches.last_mut() {
            Some(batch) if tokens + lengths[at] <= max_tokens && batch.len() < max_texts => {
                batch.push(at);
                tokens += lengths[at];
            }
            _ => {
                batches.push(vec![at]);
                tokens = lengths[at];
            }
        }
    }
    batches
}

/// Results in the order of `batches`, back in the order of the input.
///
/// # Panics
/// When there are not as many results as positions: they would be given to the wrong texts.
pub fn scatter<T>(batches: &[Vec<usize>], results: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut placed: Vec<(usize, T)> = batches.iter().flatten().copied().zip(results).collect();
    assert_eq!(placed.len(), batches.iter().map(Vec::len).sum::<usize>(), "one result per text");
    placed.sort_by_key(|(position, _)| *position);
    placed.into_iter().map(|(_, result)| result).collect()
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
            let batches = length_batches(&lengths, max_tokens, max_texts);
            for batch in &batches {
                let tokens: usize = batch.iter().map(|&at| lengths[at]).sum();
                prop_assert!(batch.len() == 1 || tokens <= max_tokens);
                prop_assert!(batch.len() <= max_texts);
            }
            let results = batches.iter().flatten().map(|&at| at * 7).collect::<Vec<_>>();
            prop_assert_eq!(scatter(&batches, results), (0..lengths.len()).map(|at| at * 7).collect::<Vec<_>>());
        }
    }
}
