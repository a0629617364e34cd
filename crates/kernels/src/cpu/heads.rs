//! The tasks of attention: one for each head of each text.

use super::Cpu;
use super::profile::Kind;
use crate::dropout::RowKey;
use crate::{Dropout, Heads, Layout, Queries};

/// One head of one text, and where its rows and results stand.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) heads: Heads,
    pub(super) number: usize,
    /// Rows of the text, all of which are keys.
    pub(super) tokens: usize,
    /// Rows that ask: all, or the first alone.
    pub(super) queries: usize,
    pub(super) first_row: usize,
    /// Where the results of the text start.
    pub(super) first_result: usize,
    example: u64,
    dropout: Option<&'a Dropout>,
}

impl Head<'_> {
    /// What scores are multiplied by: 1/√D.
    pub(super) fn scale(&self) -> f32 {
        1.0 / (self.heads.width as f32).sqrt()
    }

    /// Where the query (0), key (1) or value (2) of this head begins in a row of `qkv`.
    pub(super) fn column(&self, part: usize) -> usize {
        part * self.heads.hidden() + self.number * self.heads.width
    }

    /// What drops the probabilities of a query.
    pub(super) fn dropout_of(&self, query: usize) -> Option<(&Dropout, RowKey)> {
        let query = u32::try_from(query).expect("a text has fewer than 2^32 tokens");
        self.dropout.map(|dropout| (dropout, dropout.attention_row(self.example, self.number, query)))
    }
}

/// Runs `work` for every head of every text that has rows, with memory that a thread uses for one after another.
pub(super) fn for_each_head<'a, Scratch: Default>(
    cpu: &Cpu,
    heads: Heads,
    layout: &Layout,
    queries: Queries,
    dropout: Option<&'a Dropout>,
    work: impl Fn(Head<'a>, &mut Scratch) + Sync,
) {
    cpu.tasks_with(Kind::Attention, layout.texts() * heads.count, Scratch::default, |scratch, task| {
        let (text, number) = (task / heads.count, task % heads.count);
        let rows = layout.range(text);
        let (queries, first_result) = match queries {
            Queries::All => (rows.len(), rows.start),
            Queries::First => (1, text),
        };
        if !rows.is_empty() {
            let (tokens, first_row, example) = (rows.len(), rows.start, layout.example(text));
            work(Head { heads, number, tokens, queries, first_row, first_result, example, dropout }, scratch);
        }
    });
}
