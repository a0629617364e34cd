//! Which rows have the same text: to the letter, and when normalised.
//!
//! Both are numberings of rows: equal numbers, equal texts. Everything that follows works on the numbers.

use rayon::prelude::*;

use super::finding::{EXAMPLES, Example, Finding, Severity, plural, share};
use super::rows::{Role, Rows};
use crate::same_text::{fingerprint, normalise, number};

/// Rows numbered by their texts.
pub(super) struct Repeats {
    /// To the letter.
    pub(super) exact: Numbering,
    /// But for case, blanks and Unicode form.
    pub(super) normalised: Numbering,
}

/// Rows of equal text have equal numbers, which are given in the order of first occurrence.
pub(super) struct Numbering {
    /// The number of each row.
    pub(super) of: Vec<u32>,
    /// For each number the first row of each role that has it, or [`NONE`].
    firsts: Vec<[u32; 3]>,
}

/// No row: half of what an `Option` takes, of which there may be millions.
const NONE: u32 = u32::MAX;

impl Numbering {
    fn new(rows: &Rows<'_>, print: impl Fn(&str) -> u128 + Sync) -> Self {
        let prints = (0..rows.len()).into_par_iter().map(|row| print(rows.text(row)));
        let (of, count) = number(prints.collect());
        let mut firsts = vec![[NONE; 3]; count];
        for (row, &number) in (0..).zip(&of) {
            let first = &mut firsts[number as usize][rows.place(row as usize).0 as usize];
            *first = row.min(*first);
        }
        Self { of, firsts }
    }

    /// How many different texts there are.
    pub(super) fn len(&self) -> usize {
        self.firsts.len()
    }

    /// The first row of a role that has this text.
    pub(super) fn first_in(&self, number: u32, role: Role) -> Option<usize> {
        let first = self.firsts[number as usize][role as usize];
        (first != NONE).then_some(first as usize)
    }

    /// The first row of all that has this text.
    pub(super) fn first(&self, number: u32) -> usize {
        // A number has a row in one of the splits.
        let [train, validation, test] = self.firsts[number as usize];
        train.min(validation).min(test) as usize
    }

    /// How many rows have each text.
    fn sizes(&self) -> Vec<u32> {
        let mut sizes = vec![0; self.len()];
        self.of.iter().for_each(|&number| sizes[number as usize] += 1);
        sizes
    }
}

impl Repeats {
    pub(super) fn new(rows: &Rows<'_>) -> Self {
        Self {
            exact: Numbering::new(rows, fingerprint),
            normalised: Numbering::new(rows, |text| fingerprint(&normalise(text))),
        }
    }

    /// Rows whose text an earlier row has to the letter.
    pub(super) fn duplicates(&self) -> usize {
        self.exact.of.len() - self.exact.len()
    }

    /// Texts that differ from an earlier one only in case, blanks or Unicode form.
    pub(super) fn normalised_duplicates(&self) -> usize {
        self.exact.len() - self.normalised.len()
    }

    pub(super) fn findings(&self, rows: &Rows<'_>, findings: &mut Vec<Finding>) {
        if self.duplicates() > 0 {
            findings.push(self.exact_finding(rows));
        }
        if self.normalised_duplicates() > 0 {
            findings.push(self.normalised_finding(rows));
        }
    }

    fn exact_finding(&self, rows: &Rows<'_>) -> Finding {
        let count = self.duplicates();
        let sizes = self.exact.sizes();
        let mut repeated: Vec<u32> = (0..sizes.len() as u32).filter(|&number| sizes[number as usize] > 1).collect();
        repeated.sort_by_key(|&number| (std::cmp::Reverse(sizes[number as usize]), number));
        let example = |&number: &u32| {
            Example::new(rows, &[self.exact.first(number)], plural(sizes[number as usize] as usize, "time", "times"))
        };
        let parted = self.parted();
        let where_they_are = match (rows.splits().count(), parted) {
            (1, _) => String::new(),
            (_, 0) => ", and no text stands in two splits: duplicates are kept together".to_owned(),
            (_, parted) => format!(", and {} in more than one split", plural(parted, "text stands", "texts stand")),
        };
        Finding {
            name: "duplicates",
            severity: Severity::by_share(Severity::Note, Severity::Warning, count, rows.len(), 20),
            count,
            message: format!("{} repeat the text of an earlier row{where_they_are}", share(count, rows.len(), "rows")),
            advice: "Keep equal texts in one split (a FILE is split so by default); remove repeats that should not count twice.",
            examples: repeated.iter().take(EXAMPLES).map(example).collect(),
        }
    }

    /// How many texts, normalised, stand in more than one split.
    fn parted(&self) -> usize {
        let splits = |firsts: &&[u32; 3]| firsts.iter().filter(|&&first| first != NONE).count();
        self.normalised.firsts.iter().filter(|firsts| splits(firsts) > 1).count()
    }

    fn normalised_finding(&self, rows: &Rows<'_>) -> Finding {
        let count = self.normalised_duplicates();
        let spellings = (0..self.exact.len() as u32).filter_map(|number| {
            let row = self.exact.first(number);
            let earlier = self.normalised.first(self.normalised.of[row]);
            (self.exact.of[earlier] != number).then(|| Example::new(rows, &[earlier, row], ""))
        });
        Finding {
            name: "normalised_duplicates",
            severity: Severity::by_share(Severity::Note, Severity::Warning, count, rows.len(), 20),
            count,
            message: format!(
                "{} an earlier one but for case, blanks or Unicode form",
                plural(count, "further text is", "further texts are")
            ),
            advice: "Treat them as the duplicates they are; a FILE is split so by default.",
            examples: spellings.take(EXAMPLES).collect(),
        }
    }
}
