//! What was found in the data: `check.json`, as the check of data sets writes it.

use std::collections::HashSet;

use serde::Deserialize;

/// What was found in a data set. Fields that the report does not use are passed over.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Check {
    /// Rows whose text an earlier row has to the letter.
    #[serde(default)]
    pub duplicates: u64,
    /// The rows of validation and test that were seen before.
    #[serde(default)]
    pub leaks: Vec<Leaks>,
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
}

/// What of one split was seen before.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Leaks {
    /// `validation` or `test`.
    pub split: String,
    /// In which earlier splits.
    #[serde(default)]
    pub seen: Vec<SeenIn>,
    /// The rows' numbers in their file.
    #[serde(default)]
    pub rows: Vec<u64>,
}

/// How many rows of a split stand in an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct SeenIn {
    /// The earlier one.
    pub r#in: String,
    /// To the letter.
    pub exact: u64,
    /// Of the others, but for case, blanks and Unicode form.
    pub normalised: u64,
    /// Of the others, nearly.
    pub near: u64,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Worth a look before the scores are believed.
    Warning,
    /// Scores will mislead.
    Problem,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Finding {
    /// What programs know it by.
    pub name: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, in a sentence.
    pub message: String,
    /// What to do about it, in a sentence.
    #[serde(default)]
    pub advice: String,
    /// A few of them.
    #[serde(default)]
    pub examples: Vec<FindingRows>,
}

/// Rows that show one case of a finding.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct FindingRows {
    /// What the rows do not say themselves.
    #[serde(default)]
    pub note: String,
    /// The rows.
    pub rows: Vec<FindingRow>,
}

/// A row that shows a finding.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct FindingRow {
    /// Its split.
    pub split: String,
    /// Its number in its file.
    pub row: u64,
    /// Its label.
    #[serde(default)]
    pub label: String,
    /// The beginning of its text.
    #[serde(default)]
    pub text: String,
}

impl Check {
    /// Numbers of the rows of a split that were seen before.
    pub(super) fn leaked(&self, split: &str) -> HashSet<u64> {
        let of_split = self.leaks.iter().filter(|leaks| leaks.split == split);
        of_split.flat_map(|leaks| leaks.rows.iter().copied()).collect()
    }
}
