//! What a finding is: a name for programs, words for people, and rows to look at.

use std::fmt;

use serde::Serialize;

use super::rows::{Role, Rows};

/// How many examples a finding shows.
pub(super) const EXAMPLES: usize = 5;

/// How many characters of a text an example shows.
const EXCERPT: usize = 90;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know; nothing needs to be done.
    Note,
    /// Worth a look before the scores are believed.
    Warning,
    /// Scores will mislead, or the model will learn something wrong.
    Problem,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        })
    }
}

impl Severity {
    /// The higher one from a share of `percent` on.
    pub(super) fn by_share(low: Self, high: Self, count: usize, of: usize, percent: usize) -> Self {
        if 100 * count >= percent * of { high } else { low }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What programs know it by; it does not change between versions.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How many rows, texts or classes it is about; the message says which.
    pub count: usize,
    /// What was found, in a sentence.
    pub message: String,
    /// What to do about it, in a sentence.
    pub advice: &'static str,
    /// A few of them.
    pub examples: Vec<Example>,
}

/// Rows that show one case of a finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Example {
    /// What the rows do not say themselves.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// One row, or several that belong together.
    pub rows: Vec<Spot>,
}

/// A row to look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spot {
    /// What its split is for.
    pub split: Role,
    /// Its file.
    pub file: String,
    /// Its number there, from 1, the header not counted.
    pub row: u64,
    /// Its label.
    pub label: String,
    /// The beginning of its text, or the part that the finding is about, on one line.
    pub text: String,
}

impl Example {
    pub(super) fn new(rows: &Rows<'_>, numbers: &[usize], note: impl Into<String>) -> Self {
        Self { note: note.into(), rows: numbers.iter().map(|&row| rows.spot(row)).collect() }
    }

    /// A row with the part of its text that has the byte `at`.
    pub(super) fn around(rows: &Rows<'_>, row: usize, at: usize) -> Self {
        let text = rows.text(row);
        let before = text[..at].char_indices().rev().take(EXCERPT / 3).last().map_or(at, |(start, _)| start);
        let mut spot = rows.spot(row);
        if before > 0 {
            spot.text = format!("…{}", excerpt(&text[before..]));
        }
        Self { note: String::new(), rows: vec![spot] }
    }

    /// Each row by itself.
    pub(super) fn singles(rows: &Rows<'_>, numbers: &[usize]) -> Vec<Self> {
        numbers.iter().take(EXAMPLES).map(|&row| Self::new(rows, &[row], "")).collect()
    }
}

/// The beginning of a text, with what would break the line or not be seen written as Rust writes it.
pub(super) fn excerpt(text: &str) -> String {
    let mut short = String::new();
    for (at, character) in text.chars().enumerate() {
        if at == EXCERPT {
            short.push('…');
            break;
        }
        match character {
            '"' | '\'' | '\\' => short.push(character),
            _ => short.extend(character.escape_debug()),
        }
    }
    short
}

/// `12,345`.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// `83 of 1,114 test rows (7.5%)`.
pub(super) fn share(count: usize, of: usize, what: &str) -> String {
    let percent = 100.0 * count as f64 / of.max(1) as f64;
    let percent = match percent {
        percent if percent > 0.0 && percent < 0.05 => "<0.1%".to_owned(),
        percent => format!("{percent:.1}%"),
    };
    format!("{} of {} {what} ({percent})", thousands(count), thousands(of))
}

/// `1 row`, `2 rows`.
pub(super) fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(count), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_as_people_read_them() {
        assert_eq!([0, 12, 999, 1000, 1_234_567].map(thousands), ["0", "12", "999", "1,000", "1,234,567"]);
        assert_eq!(share(83, 1114, "test rows"), "83 of 1,114 test rows (7.5%)");
        assert_eq!(share(1, 100_000, "rows"), "1 of 100,000 rows (<0.1%)");
        assert_eq!(share(0, 0, "rows"), "0 of 0 rows (0.0%)");
    }

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        assert_eq!(excerpt("a\nb\t\"c\" 'd' \u{7}é\u{200b}"), "a\\nb\\t\"c\" 'd' \\u{7}é\\u{200b}");
        let long = excerpt(&"ä".repeat(200));
        assert_eq!(long.chars().count(), EXCERPT + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn severities_are_ordered() {
        assert!(Severity::Note < Severity::Warning && Severity::Warning < Severity::Problem);
        let by_share = |count| Severity::by_share(Severity::Note, Severity::Warning, count, 200, 1);
        assert_eq!((by_share(1), by_share(2)), (Severity::Note, Severity::Warning));
    }
}
