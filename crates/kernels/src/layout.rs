//! Where each text of a packed batch stands.

use std::ops::Range;

/// Rows whose share of a weight's gradient one product of the f32 path adds up.
pub(crate) const GROUP_ROWS: usize = 256;

/// A batch of B texts whose tokens stand one after another in N rows, without padding.
///
/// Text `b` owns the rows `cu_seqlens[b]..cu_seqlens[b + 1]`. Each text carries the identity of its example, so that
/// dropout depends on the example and not on where it was packed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    cu_seqlens: Vec<usize>,
    examples: Vec<u64>,
    text_of_row: Vec<u32>,
    /// Where the batch is the first rows of another: the texts of that one's groups.
    groups_of_texts: Option<Vec<Range<usize>>>,
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
        Self { cu_seqlens, examples: examples.to_vec(), text_of_row, groups_of_texts: None }
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
    pub fn range(&self, text: usize) -> Range<usize> {
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

    /// The rows of each text in runs of at most `limit`. What is added up run by run does not depend on how the texts
    /// were cut into batches.
    pub(crate) fn runs(&self, limit: usize) -> Vec<Range<usize>> {
        let cut = |text: Range<usize>| {
            text.clone().step_by(limit).map(move |first| first..text.end.min(first + limit)).collect::<Vec<_>>()
        };
        (0..self.texts()).flat_map(|text| cut(self.range(text))).collect()
    }

    /// The rows in groups of at most `limit`, each of whole texts; a longer text stands in groups of its own. A batch
    /// cut where a group ends has the same groups.
    pub(crate) fn groups(&self, limit: usize) -> Vec<Range<usize>> {
        if let Some(groups) = &self.groups_of_texts {
            // A row is a text here.
            return groups.clone();
        }
        let mut groups: Vec<Range<usize>> = Vec::new();
        let mut open = false;
        for text in (0..self.texts()).map(|text| self.range(text)).filter(|text| !text.is_empty()) {
            match groups.last_mut() {
                Some(group) if open && text.end - group.start <= limit => group.end = text.end,
                _ => {
                    open = text.len() <= limit;
                    groups.extend(text.clone().step_by(limit).map(|first| first..text.end.min(first + limit)));
                }
            }
        }
        groups
    }

    /// The batch in pieces of at most `limit` rows where texts allow it: ranges of texts. Pieces end where groups of
    /// 256 rows end, so that computing piece by piece changes no bit.
    #[must_use]
    pub fn pieces(&self, limit: usize) -> Vec<Range<usize>> {
        let mut pieces: Vec<Range<usize>> = Vec::new();
        let mut first_row = 0;
        for unit in self.whole_groups() {
            match pieces.last_mut() {
                Some(piece) if self.cu_seqlens[unit.end] - first_row <= limit => piece.end = unit.end,
                _ => {
                    first_row = self.cu_seqlens[unit.start];
                    pieces.push(pieces.last().map_or(0, |piece| piece.end)..unit.end);
                }
            }
        }
        if let Some(last) = pieces.last_mut() {
            last.end = self.texts();
        }
        pieces
    }

    /// The texts of each group of [`GROUP_ROWS`] rows; the groups of a long text together are one.
    fn whole_groups(&self) -> Vec<Range<usize>> {
        let mut units: Vec<Range<usize>> = Vec::new();
        for group in self.groups(GROUP_ROWS) {
            let (first, last) = (self.text_of_row[group.start] as usize, self.text_of_row[group.end - 1] as usize + 1);
            if units.last().is_none_or(|unit| unit.end <= first) {
                units.push(first..last);
            }
        }
        units
    }

    /// The layout of the first row of each text: B texts of one row each. Its groups are those that the texts stand in
    /// here, so that sums over first rows do not depend on how a batch was cut either.
    ///
    /// # Panics
    /// If a text has no rows.
    #[must_use]
    pub fn first_rows(&self) -> Self {
        assert!((0..self.texts()).all(|text| !self.range(text).is_empty()), "a text without rows has no first one");
        Self { groups_of_texts: Some(self.whole_groups()), ..Self::one_row_each(&self.examples) }
    }

    /// The batch of a range of its texts alone.
    #[must_use]
    pub fn slice(&self, texts: Range<usize>) -> Self {
        let start = self.cu_seqlens[texts.start];
        let ends = &self.cu_seqlens[texts.start..=texts.end];
        let text_of_row = self.text_of_row[start..ends[texts.len()]].iter();
        let first = u32::try_from(texts.start).expect("fewer than 2^32 texts in a batch");
        Self {
            cu_seqlens: ends.iter().map(|end| end - start).collect(),
            text_of_row: text_of_row.map(|text| text - first).collect(),
            examples: self.examples[texts].to_vec(),
            groups_of_texts: None,
        }
    }

    /// Example identity and position within its text of row `row`.
    #[must_use]
    pub fn example_and_position(&self, row: usize) -> (u64, u32) {
        let text = self.text_of_row[row] as usize;
        (self.examples[text], u32::try_from(row - self.cu_seqlens[text]).expect("a text has fewer than 2^32 tokens"))
    }
}
