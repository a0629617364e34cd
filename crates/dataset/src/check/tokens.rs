//! What a model's tokeniser makes of the texts: how many are cut, how much of them it does not know.

use super::finding::{EXAMPLES, Example, Finding, Severity, share, thousands};
use super::rows::{Role, Rows};
use crate::{Encoded, Tokenizer};

/// The tokens of a data set's splits.
pub struct Tokens<'a> {
    /// What made them.
    pub tokenizer: &'a Tokenizer,
    /// How many of a text are read.
    pub max_length: usize,
    /// The splits, each of as many texts as the data set has.
    pub splits: Vec<(Role, &'a Encoded)>,
}

/// From this share of unknown tokens on, a tokeniser is not made for the texts.
const UNKNOWN_PERCENT: usize = 1;

pub(super) fn findings(rows: &Rows<'_>, tokens: &Tokens<'_>, findings: &mut Vec<Finding>) {
    findings.extend(truncated(rows, tokens));
    findings.extend(unknown(tokens));
}

fn truncated(rows: &Rows<'_>, tokens: &Tokens<'_>) -> Option<Finding> {
    let encoded = || tokens.splits.iter().map(|(_, encoded)| encoded);
    let count: usize = encoded().map(|encoded| encoded.truncated()).sum();
    let of = encoded().map(|encoded| encoded.len()).sum();
    let (read, full) = encoded().fold((0, 0), |sum, e| (sum.0 + e.total_tokens(), sum.1 + e.full_tokens()));
    // How long a text was is not kept, but those that were cut have the full length, and the longest were.
    let mut full_length: Vec<usize> = tokens
        .splits
        .iter()
        .flat_map(|(role, encoded)| rows.range(*role).zip(encoded.lengths()))
        .filter(|(_, length)| *length == tokens.max_length)
        .map(|(row, _)| row)
        .collect();
    full_length.sort_by_key(|&row| std::cmp::Reverse(rows.size(row)));
    full_length.truncate(count.min(EXAMPLES));
    (count > 0).then(|| Finding {
        name: "truncated",
        severity: Severity::by_share(Severity::Note, Severity::Warning, count, of, 25),
        count,
        message: format!(
            "{} are longer than {} tokens and cut there, {:.1}% of all tokens; the longest has {}",
            share(count, of, "rows"),
            thousands(tokens.max_length),
            100.0 * (full - read) as f64 / full.max(1) as f64,
            thousands(encoded().map(|encoded| encoded.full_longest()).max().unwrap_or_default()),
        ),
        advice: "Raise --max-length if what counts may stand at the end, and the model takes more.",
        examples: full_length.iter().map(|&row| Example::new(rows, &[row], "")).collect(),
    })
}

fn unknown(tokens: &Tokens<'_>) -> Option<Finding> {
    let unknown = ["[UNK]", "<unk>"].iter().find_map(|token| tokens.tokenizer.token_to_id(token))?;
    let mut count = 0;
    let mut of = 0;
    for (_, encoded) in &tokens.splits {
        for text in 0..encoded.len() {
            let ids = encoded.input_ids(text);
            count += ids.iter().filter(|id| **id == unknown).count();
            of += ids.len();
        }
    }
    (100 * count >= UNKNOWN_PERCENT * of && count > 0).then(|| Finding {
        name: "unknown_tokens",
        severity: Severity::Warning,
        count,
        message: format!("{} are unknown to the model's vocabulary", share(count, of, "tokens")),
        advice: "Take a model that was trained on this language or kind of text.",
        examples: Vec::new(),
    })
}
