//! Where each text of a packed batch stands.

/// A batch of B texts whose tokens stand one after another in N rows, without padding.
///
/// Text `b` owns the rows `cu_seqlens[b]..cu_seqlens[b + 1]`. Each text carries the identity of its example, so that
/// dropout depends on the example and not on where it was packed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    cu_seqlens: Vec<usize>,
    examples: Vec<u64>,
    text_of_row: Vec<u32>,
}

impl Layout {
    /// The layout of texts with these cumulative lengths and example identities.
    ///
    /// # Shapes
    /// `cu_seqlens`: B + 1, starting at 0, not decreasing; `examples`: B.
    ///
    /// # Panics
    /// If the shapes do not agree; batches are built by code, never read from input.
    #[must_use]
    pub fn new(cu_seqlens: &[u32], examples: &[u64]) -> Self {
        assert_eq!(cu_seqlens.len(), examples.len() + 1, "cu_seqlens must have one entry more than there are texts");
        assert_eq!(cu_seqlens[0], 0, "cu_seqlens must start at 0");
        let cu_seqlens: Vec<usize> = cu_seqlens.iter().map(|&n| n as usize).collect();
        let mut text_of_row = Vec::with_capacity(cu_seqlens[examples.len()]);
        for (text, ends) in cu_seqlens.windows(2).enumerate() {
            assert!(ends[0] <= ends[1], "cu_seqlens must not decrease");
            text_of_row.resize(ends[1], u32::try_from(text).expect("fewer than 2^32 texts in a batch"));
        }
        Self { cu_seqlens, examples: examples.to_vec(), text_of_row }
    }

    /// A layout of B texts of one row each: what the head sees.
    #[must_use]
    pub fn one_row_each(examples: &[u64]) -> Self {
        let ends: Vec<u32> = (0..=u32::try_from(examples.len()).expect("fewer than 2^32 texts in a batch")).collect();
        Self::new(&ends, examples)
    }

    /// N, the number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.text_of_row.len()
    }

    /// B, the number of texts.
    #[must_use]
    pub fn texts(&self) -> usize {
        self.examples.len()
    }

    /// The rows of text `text`.
    #[must_use]
    pub fn range(&self, text: usize) -> std::ops::Range<usize> {
        self.cu_seqlens[text]..self.cu_seqlens[text + 1]
    }

    /// The longest text, in rows.
    #[must_use]
    pub fn longest(&self) -> usize {
        (0..self.texts()).map(|text| self.range(text).len()).max().unwrap_or(0)
    }

    /// The identity of the example that text `text` is.
    #[must_use]
    pub fn example(&self, text: usize) -> u64 {
        self.examples[text]
    }

    /// All example identities, in the order of the texts.
    #[must_use]
    pub fn examples(&self) -> &[u64] {
        &self.examples
    }

    /// Example identity and position within its text of row `row`.
    #[must_use]
    pub fn example_and_position(&self, row: usize) -> (u64, u32) {
        let text = self.text_of_row[row] as usize;
        (self.examples[text], u32::try_from(row - self.cu_seqlens[text]).expect("a text has fewer than 2^32 tokens"))
    }
}
