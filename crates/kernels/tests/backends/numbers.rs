//! Numbers that are the same in every run, and depend on the example and not on its place in a batch.

use kernels::Layout;

/// A small deterministic stream of numbers in [-1, 1).
pub(crate) struct Numbers(u64);

impl Numbers {
    /// The stream that belongs to `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        let mut numbers = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        // Neighbouring seeds start alike; a few steps drive them apart.
        numbers.take(4);
        numbers
    }

    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32) / (1 << 23) as f32 - 1.0
    }

    /// The next `len` numbers.
    pub(crate) fn take(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.next()).collect()
    }
}

/// Rows of `width` for every text, drawn from its example; `salt` tells operands apart.
pub(crate) fn rows_of(layout: &Layout, width: usize, salt: u64) -> Vec<f32> {
    let rows_of_text =
        |text: usize| Numbers::new(layout.example(text) * 1000 + salt).take(layout.range(text).len() * width);
    (0..layout.texts()).flat_map(rows_of_text).collect()
}

/// A token id below `vocabulary` for each row, drawn as [`rows_of`] draws.
pub(crate) fn ids_of(layout: &Layout, vocabulary: u32) -> Vec<u32> {
    rows_of(layout, 1, 99).iter().map(|x| ((x + 1.0) * 0.5 * vocabulary as f32) as u32 % vocabulary).collect()
}

/// A batch of texts, each an example and its number of rows.
pub(crate) fn pack(texts: &[(u64, usize)]) -> Layout {
    let mut ends = vec![0_u32];
    for (_, rows) in texts {
        ends.push(ends[ends.len() - 1] + *rows as u32);
    }
    Layout::new(&ends, &texts.iter().map(|(example, _)| *example).collect::<Vec<_>>())
}

/// Texts of these lengths, numbered in order.
pub(crate) fn numbered(lengths: &[usize]) -> Vec<(u64, usize)> {
    (0..).zip(lengths.iter().copied()).collect()
}
