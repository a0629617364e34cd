//! Rows that are ready for the network.

use dataset::{Encoded, PackedBatch};

/// Tokenised rows with their labels. All lists are of one length.
pub struct Examples {
    /// Token ids.
    pub encoded: Encoded,
    /// Class ids.
    pub labels: Vec<u32>,
    /// What dropout knows each row by.
    pub example_ids: Vec<u64>,
}

impl Examples {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The batch of these rows, in this order.
    #[must_use]
    pub fn pack(&self, rows: &[usize]) -> PackedBatch {
        dataset::pack(&self.encoded, &self.labels, &self.example_ids, rows.iter().copied())
    }

    /// How many rows each of `classes` classes has.
    #[must_use]
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        self.labels.iter().for_each(|&label| counts[label as usize] += 1);
        counts
    }
}
