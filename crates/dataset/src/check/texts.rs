//! What is odd about texts by themselves: empty ones, very long or short ones, damaged characters, markup.

use rayon::prelude::*;

use super::damage;
use super::finding::{EXAMPLES, Example, Finding, Severity, plural, share, thousands};
use super::rows::Rows;

pub(super) fn findings(rows: &Rows<'_>, findings: &mut Vec<Finding>) {
    let seen: Vec<Seen> = rows.texts().par_iter().map(|text| Seen::of(text)).collect();
    findings.extend(empty(rows, &seen));
    findings.extend(outliers(rows, &seen));
    for (at, kind) in KINDS.iter().enumerate() {
        let signs: Vec<(usize, usize)> =
            seen.iter().enumerate().filter_map(|(row, seen)| Some((row, seen.signs[at]?))).collect();
        findings.extend(kind.finding(rows, &signs));
    }
}

/// What one look at a text tells.
struct Seen {
    characters: usize,
    blank: bool,
    /// Where the first sign of each of [`KINDS`] stands, in bytes.
    signs: [Option<usize>; KINDS.len()],
}

impl Seen {
    fn of(text: &str) -> Self {
        Self {
            characters: text.chars().count(),
            blank: text.trim().is_empty(),
            signs: KINDS.each_ref().map(|kind| (kind.find)(text)),
        }
    }
}

fn empty(rows: &Rows<'_>, seen: &[Seen]) -> Option<Finding> {
    let blank: Vec<usize> = (0..seen.len()).filter(|&row| seen[row].blank).collect();
    (!blank.is_empty()).then(|| Finding {
        name: "empty_texts",
        severity: Severity::by_share(Severity::Note, Severity::Warning, blank.len(), rows.len(), 1),
        count: blank.len(),
        message: format!("{} have no text", share(blank.len(), rows.len(), "rows")),
        advice: "Remove them: nothing can be learnt from them but how often each label has no text.",
        examples: Example::singles(rows, &blank),
    })
}

/// Texts far longer or shorter than most, by Tukey's outer fences on the logarithm of the length.
fn outliers(rows: &Rows<'_>, seen: &[Seen]) -> Option<Finding> {
    let written: Vec<usize> = (0..seen.len()).filter(|&row| !seen[row].blank).collect();
    let length = |row: usize| (seen[row].characters as f64).ln();
    let mut lengths: Vec<f64> = written.iter().map(|&row| length(row)).collect();
    lengths.sort_unstable_by(f64::total_cmp);
    let quartile = |quarter: usize| lengths.get(lengths.len() * quarter / 4).copied();
    let (first, third) = (quartile(1)?, quartile(3)?);
    // Where nearly all texts are of one length, half as long again is nothing odd.
    let fence = 3.0 * (third - first).max(0.5);
    let mut outliers: Vec<usize> =
        written.into_iter().filter(|&row| length(row) < first - fence || length(row) > third + fence).collect();
    let middle = f64::midpoint(first, third);
    outliers.sort_by(|&a, &b| (length(b) - middle).abs().total_cmp(&(length(a) - middle).abs()));
    let count = outliers.len();
    let example = |&row: &usize| Example::new(rows, &[row], plural(seen[row].characters, "character", "characters"));
    (count > 0).then(|| Finding {
        name: "length_outliers",
        severity: Severity::Note,
        count,
        message: format!(
            "{} far longer or shorter than the others, half of which have {} to {} characters",
            plural(count, "text is", "texts are"),
            thousands(first.exp().round() as usize),
            thousands(third.exp().round() as usize),
        ),
        advice: "See whether they are single texts: a record that swallowed others, or a piece of one, teaches nothing.",
        examples: outliers.iter().take(EXAMPLES).map(example).collect(),
    })
}

/// A kind of damage or foreign matter in texts.
struct Kind {
    name: &'static str,
    /// Below one row in a hundred, and from there on.
    severities: [Severity; 2],
    what: &'static str,
    advice: &'static str,
    /// Where its first sign stands in a text, in bytes.
    find: fn(&str) -> Option<usize>,
}

const KINDS: [Kind; 5] = [
    Kind {
        name: "mojibake",
        severities: [Severity::Warning, Severity::Problem],
        what: "UTF-8 that was read as another encoding, such as \"Ã©\" for \"é\"",
        advice: "Write the file anew from its source as UTF-8; texts to be predicted will not have this damage.",
        find: damage::mojibake,
    },
    Kind {
        name: "replacement_characters",
        severities: [Severity::Warning, Severity::Problem],
        what: "the character U+FFFD, where a program could not decode what was there",
        advice: "Read the source again in its true encoding: what stood there is lost in this file.",
        find: |text| text.find(char::REPLACEMENT_CHARACTER),
    },
    Kind {
        name: "misread_quotes",
        severities: [Severity::Note, Severity::Warning],
        what: "the characters U+0080 to U+009F: quotes and dashes of Windows-1252 that were read as Latin-1",
        advice: "Decode the source as Windows-1252, or texts to be predicted will have other quotes and dashes than these.",
        find: |text| text.find(damage::is_misread_quote),
    },
    Kind {
        name: "control_characters",
        severities: [Severity::Note, Severity::Warning],
        what: "control characters",
        advice: "Remove them: they mean nothing in a text.",
        find: |text| text.find(damage::is_stray_control),
    },
    Kind {
        name: "markup",
        severities: [Severity::Note, Severity::Note],
        what: "HTML tags or entities, such as \"<br />\" or \"&amp;\"",
        advice: "Nothing, if the texts to be predicted have them too; otherwise take them out.",
        find: damage::markup,
    },
];

impl Kind {
    fn finding(&self, rows: &Rows<'_>, signs: &[(usize, usize)]) -> Option<Finding> {
        let [low, high] = self.severities;
        let count = signs.len();
        (count > 0).then(|| Finding {
            name: self.name,
            severity: Severity::by_share(low, high, count, rows.len(), 1),
            count,
            message: format!("{} hold {}", share(count, rows.len(), "texts"), self.what),
            advice: self.advice,
            examples: signs.iter().take(EXAMPLES).map(|&(row, sign)| Example::around(rows, row, sign)).collect(),
        })
    }
}
