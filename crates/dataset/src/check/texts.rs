//! What is odd about texts by themselves: empty ones, very long or short ones, damaged characters, markup.

use rayon::prelude::*;

use super::damage;
use super::finding::{EXAMPLES, Example, Finding, Severity, plural, share, thousands};
use super::rows::Rows;

pub(super) fn findings(rows: &Rows<'_>, findings: &mut Vec<Finding>) {
    let mut lengths = vec![0; rows.len()];
    let seen = lengths
        .par_chunks_mut(AT_ONCE)
        .enumerate()
        .map(|(chunk, lengths)| Seen::of(rows, chunk * AT_ONCE, lengths))
        .reduce(Seen::default, Seen::and);
    findings.extend(empty(rows, &seen.blank));
    findings.extend(outliers(rows, &lengths));
    for (kind, signs) in KINDS.iter().zip(&seen.signs) {
        findings.extend(kind.finding(rows, signs));
    }
}

/// How many rows are looked at by one thread before it takes the next ones.
const AT_ONCE: usize = 1024;

/// How many rows have something, and the first few of them.
struct Tally<T> {
    count: usize,
    first: Vec<T>,
}

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Self { count: 0, first: Vec::new() }
    }
}

impl<T> Tally<T> {
    fn push(&mut self, found: T) {
        self.count += 1;
        if self.first.len() < EXAMPLES {
            self.first.push(found);
        }
    }

    /// With that of later rows.
    fn and(mut self, later: Self) -> Self {
        self.count += later.count;
        self.first.extend(later.first.into_iter().take(EXAMPLES.saturating_sub(self.first.len())));
        self
    }
}

/// What one look at the texts of some rows tells.
#[derive(Default)]
struct Seen {
    blank: Tally<usize>,
    /// For each of [`KINDS`] rows and where its first sign stands, in bytes.
    signs: [Tally<(usize, usize)>; KINDS.len()],
}

impl Seen {
    /// Of the rows from `first` on. `lengths` gets the characters of each text, 0 for one that is blank.
    fn of(rows: &Rows<'_>, first: usize, lengths: &mut [u32]) -> Self {
        let mut seen = Self::default();
        for (row, length) in (first..).zip(lengths) {
            let text = rows.text(row);
            if text.trim().is_empty() {
                seen.blank.push(row);
            } else {
                *length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
            }
            for (kind, signs) in KINDS.iter().zip(&mut seen.signs) {
                if let Some(sign) = (kind.find)(text) {
                    signs.push((row, sign));
                }
            }
        }
        seen
    }

    fn and(self, later: Self) -> Self {
        let mut of_later = later.signs.into_iter();
        let signs = self.signs.map(|signs| signs.and(of_later.next().unwrap_or_default()));
        Self { blank: self.blank.and(later.blank), signs }
    }
}

fn empty(rows: &Rows<'_>, blank: &Tally<usize>) -> Option<Finding> {
    let count = blank.count;
    (count > 0).then(|| Finding {
        name: "empty_texts",
        severity: Severity::by_share(Severity::Note, Severity::Warning, count, rows.len(), 1),
        count,
        message: format!("{} have no text", share(count, rows.len(), "rows")),
        advice: "Remove them: nothing can be learnt from them but how often each label has no text.",
        examples: Example::singles(rows, &blank.first),
    })
}

/// Texts far longer or shorter than most, by Tukey's outer fences on the logarithm of the length.
fn outliers(rows: &Rows<'_>, lengths: &[u32]) -> Option<Finding> {
    let logarithm = |length: u32| f64::from(length).ln();
    let mut sorted: Vec<u32> = lengths.iter().copied().filter(|&length| length > 0).collect();
    sorted.par_sort_unstable();
    let quartile = |quarter: usize| sorted.get(sorted.len() * quarter / 4).copied().map(logarithm);
    let (first, third) = (quartile(1)?, quartile(3)?);
    // Where nearly all texts are of one length, half as long again is nothing odd.
    let fence = 3.0 * (third - first).max(0.5);
    let is_odd = |length: u32| length > 0 && (logarithm(length) < first - fence || logarithm(length) > third + fence);
    let mut outliers: Vec<usize> = (0..lengths.len()).filter(|&row| is_odd(lengths[row])).collect();
    let middle = f64::midpoint(first, third);
    let distance = |row: usize| (logarithm(lengths[row]) - middle).abs();
    outliers.sort_by(|&a, &b| distance(b).total_cmp(&distance(a)));
    let count = outliers.len();
    let example = |&row: &usize| Example::new(rows, &[row], plural(lengths[row] as usize, "character", "characters"));
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
    fn finding(&self, rows: &Rows<'_>, signs: &Tally<(usize, usize)>) -> Option<Finding> {
        let [low, high] = self.severities;
        let count = signs.count;
        (count > 0).then(|| Finding {
            name: self.name,
            severity: Severity::by_share(low, high, count, rows.len(), 1),
            count,
            message: format!("{} hold {}", share(count, rows.len(), "texts"), self.what),
            advice: self.advice,
            examples: signs.first.iter().map(|&(row, sign)| Example::around(rows, row, sign)).collect(),
        })
    }
}
