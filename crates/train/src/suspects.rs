//! Which labels to look at again: rows in the order in which what was seen of them speaks against their labels.
//!
//! Nothing is computed for it: training rows are judged by what training saw of them (`dynamics.rs`), all others by the
//! answers of the final model, which never saw their labels. Why in this way: `docs/design/suspect-labels.md`.

use std::cmp::Ordering;
use std::fmt;

use crate::dynamics::{Dynamics, Margin, RowDynamics};

/// One row in so many is listed.
const ONE_IN: usize = 20;

/// And never more: nobody reads on.
const AT_MOST: usize = 10_000;

/// Labelled rows with what is known of them.
#[derive(Clone, Copy, Debug)]
pub enum LabelledRows<'a> {
    /// Rows that were learnt from.
    Learnt(&'a Dynamics),
    /// Rows that were only measured.
    Measured {
        /// Class ids.
        labels: &'a [u32],
        /// Answers to them, rows×C.
        logits: &'a [f32],
    },
}

/// What speaks for or against a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Evidence {
    /// What training saw of the row.
    Learnt(RowDynamics),
    /// What a model that never saw the label says.
    Measured {
        /// The label's probability.
        probability: f64,
    },
}

/// A row whose label may be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suspect {
    /// Which of the lists of rows it is in.
    pub part: usize,
    /// Its position in that list.
    pub row: usize,
    /// From 0 to 1: above one half where the model leans to another class.
    pub score: f64,
    /// The class that stands most against the label.
    pub suggested: u32,
    /// What the score is made of.
    pub evidence: Evidence,
}

/// The rows to look at, and how many there were.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suspects {
    /// The most suspect first: one row in twenty, at most 10,000.
    pub listed: Vec<Suspect>,
    /// Rows that were judged. A row that training never came to is not.
    pub judged: usize,
    /// Those of them with a score above one half.
    pub doubted: usize,
}

/// Ranks the rows of all `parts` together. Equal scores stand in the order of the rows.
#[must_use]
pub fn suspects(parts: &[LabelledRows<'_>], classes: usize) -> Suspects {
    let mut judged: Vec<(f32, usize, usize)> = Vec::new();
    for (part, rows) in parts.iter().enumerate() {
        judged.extend((0..rows.len()).filter_map(|row| Some((rows.margin(row, classes)?, part, row))));
    }
    let doubted = judged.iter().filter(|(margin, ..)| *margin < 0.0).count();
    let count = judged.len();
    let listed = count.div_ceil(ONE_IN).min(AT_MOST);
    let order = |one: &(f32, usize, usize), other: &(f32, usize, usize)| -> Ordering {
        one.0.total_cmp(&other.0).then((one.1, one.2).cmp(&(other.1, other.2)))
    };
    if listed < count {
        judged.select_nth_unstable_by(listed, order);
        judged.truncate(listed);
    }
    judged.sort_unstable_by(order);
    let listed = judged.into_iter().filter_map(|(margin, part, row)| parts[part].suspect((margin, part, row), classes));
    Suspects { listed: listed.collect(), judged: count, doubted }
}

impl LabelledRows<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Learnt(dynamics) => dynamics.rows().len(),
            Self::Measured { labels, .. } => labels.len(),
        }
    }

    /// What a row is ranked by: how far its label was ahead of the other classes.
    fn margin(&self, row: usize, classes: usize) -> Option<f32> {
        match self {
            Self::Learnt(dynamics) => {
                let row = dynamics.rows().get(row).filter(|row| row.seen > 0)?;
                Some(row.last_margin)
            }
            Self::Measured { labels, logits } => Some(Margin::of(labels[row], of_row(logits, row, classes)?)?.value),
        }
    }

    fn suspect(&self, (margin, part, row): (f32, usize, usize), classes: usize) -> Option<Suspect> {
        let (suggested, evidence) = match self {
            Self::Learnt(dynamics) => {
                let row = dynamics.rows()[row];
                (row.rival, Evidence::Learnt(row))
            }
            Self::Measured { labels, logits } => {
                let logits = of_row(logits, row, classes)?;
                let evidence = Evidence::Measured { probability: probability(labels[row], logits) };
                (Margin::of(labels[row], logits)?.rival, evidence)
            }
        };
        // The probability of the other class where there are two, and where only these two are asked about.
        let score = 1.0 / (1.0 + f64::from(margin).exp());
        Some(Suspect { part, row, score, suggested, evidence })
    }
}

fn of_row(logits: &[f32], row: usize, classes: usize) -> Option<&[f32]> {
    logits.get(row * classes..(row + 1) * classes)
}

/// Softmax at one class.
fn probability(label: u32, logits: &[f32]) -> f64 {
    let own = f64::from(logits[label as usize]);
    1.0 / logits.iter().map(|&logit| (f64::from(logit) - own).exp()).sum::<f64>()
}

/// In words, as a list of suspects shows it.
impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Measured { probability } => write!(f, "out of sample: p(label) = {probability:.3}"),
            Self::Learnt(RowDynamics { seen: 1, right: 0, .. }) => f.write_str("not predicted in its one pass"),
            Self::Learnt(RowDynamics { seen: 1, .. }) => f.write_str("predicted in its one pass, but hardly"),
            Self::Learnt(RowDynamics { seen, right: 0, .. }) => write!(f, "never learnt in {seen} passes"),
            Self::Learnt(RowDynamics { seen, right, forgotten: 0, .. }) if right == seen => {
                write!(f, "right in all {seen} passes, but hardly")
            }
            Self::Learnt(RowDynamics { seen, right, forgotten: 0, .. }) => {
                write!(f, "learnt late: right in {right} of {seen} passes")
            }
            Self::Learnt(RowDynamics { seen, right, .. }) => {
                write!(f, "learnt and forgotten: right in {right} of {seen} passes")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dynamics of rows of class 1 of 2 with these margins in their passes.
    fn learnt(rows: &[&[f32]]) -> Dynamics {
        let mut dynamics = Dynamics::new(rows.len());
        for (row, margins) in rows.iter().enumerate() {
            margins.iter().for_each(|&margin| dynamics.note(row, 1, &[-margin, 0.0]));
        }
        dynamics
    }

    fn order(suspects: &Suspects) -> Vec<(usize, usize)> {
        suspects.listed.iter().map(|suspect| (suspect.part, suspect.row)).collect()
    }

    #[test]
    fn parts_are_ranked_together_by_how_far_the_label_is_behind() {
        // Twenty rows are one in the list; these are repeated to make room for three.
        let clean = [3.0_f32; 2];
        let mut rows = vec![&clean[..]; 40];
        // What an earlier pass saw does not count: the model knew less then.
        rows[7] = &[4.0, -1.0];
        rows[9] = &[1.0, -1.5];
        let dynamics = learnt(&rows);
        let (labels, mut logits) = ([0, 1].repeat(10), [2.0, -2.0, -2.0, 2.0].repeat(10));
        logits[6..8].copy_from_slice(&[3.5, 1.5]);
        let parts = [LabelledRows::Learnt(&dynamics), LabelledRows::Measured { labels: &labels, logits: &logits }];
        let found = suspects(&parts, 2);
        assert_eq!(order(&found), [(1, 3), (0, 9), (0, 7)]);
        assert_eq!((found.judged, found.doubted), (60, 3));
        assert_eq!(found.listed.iter().map(|suspect| suspect.suggested).collect::<Vec<_>>(), [0, 0, 0]);
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        for (suspect, expected) in found.listed.iter().zip([2.0, 1.5, 1.0]) {
            assert!((suspect.score - sigmoid(expected)).abs() < 1e-12, "{suspect:?}");
        }
        let Evidence::Measured { probability } = found.listed[0].evidence else { panic!("{:?}", found.listed[0]) };
        assert!((probability + found.listed[0].score - 1.0).abs() < 1e-12, "with two classes they say the same");
    }

    #[test]
    fn equals_stand_in_the_order_of_their_rows() {
        let dynamics = learnt(&[&[0.5_f32][..]; 50]);
        let found = suspects(&[LabelledRows::Learnt(&dynamics), LabelledRows::Learnt(&dynamics)], 2);
        assert_eq!(order(&found), [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)]);
        assert_eq!(found.doubted, 0);
    }

    #[test]
    fn the_list_is_a_twentieth_and_no_book() {
        let count =
            |rows: usize| suspects(&[LabelledRows::Learnt(&learnt(&vec![&[1.0_f32][..]; rows]))], 2).listed.len();
        assert_eq!([0, 1, 20, 21].map(count), [0, 1, 1, 2]);
        assert_eq!(count(300_000), AT_MOST);
    }

    #[test]
    fn rows_that_were_never_read_are_not_judged() {
        let found = suspects(&[LabelledRows::Learnt(&learnt(&[&[], &[1.0], &[]]))], 2);
        assert_eq!((found.judged, order(&found)), (1, vec![(0, 1)]));
        assert_eq!(suspects(&[], 2), Suspects::default());
    }

    #[test]
    fn hostile_numbers_do_no_harm() {
        let labels = [0, 1, 1, 0];
        let logits = [f32::NAN, 1.0, f32::INFINITY, f32::INFINITY, f32::MAX, f32::MIN, 0.0];
        let found = suspects(&[LabelledRows::Measured { labels: &labels, logits: &logits }], 2);
        assert_eq!(found.judged, 3, "the last row has no logits");
        assert_eq!(found.listed.len(), 1);
    }

    #[test]
    fn of_many_classes_the_closest_is_suggested() {
        let logits = [0.0, 5.0, 1.0, 4.0];
        let found = suspects(&[LabelledRows::Measured { labels: &[2], logits: &logits }], 4);
        assert_eq!(found.listed[0].suggested, 1);
        let Evidence::Measured { probability } = found.listed[0].evidence else { panic!("{:?}", found.listed[0]) };
        let expected = 1_f64.exp() / logits.iter().map(|&x| f64::from(x).exp()).sum::<f64>();
        assert!((probability - expected).abs() < 1e-12);
    }

    #[test]
    fn the_reason_says_what_was_seen() {
        let said = |margins: &[f32]| Evidence::Learnt(learnt(&[margins]).rows()[0]).to_string();
        assert_eq!(said(&[-1.0, -1.0, -2.0]), "never learnt in 3 passes");
        assert_eq!(said(&[-1.0, -1.0, 0.5]), "learnt late: right in 1 of 3 passes");
        assert_eq!(said(&[1.0, -1.0, 0.5]), "learnt and forgotten: right in 2 of 3 passes");
        assert_eq!(said(&[0.1, 0.1]), "right in all 2 passes, but hardly");
        assert_eq!(said(&[-0.1]), "not predicted in its one pass");
        assert_eq!(said(&[0.1]), "predicted in its one pass, but hardly");
        assert_eq!(Evidence::Measured { probability: 0.0214 }.to_string(), "out of sample: p(label) = 0.021");
    }
}
