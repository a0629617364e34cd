//! Which labels to look at again: rows in the order in which what was seen of them speaks against their labels.
//!
//! Two witnesses are heard: the network, by what training saw of a row before it learnt from it (`dynamics.rs`) or by its
//! answer to a row that it never learnt from; and a linear model that was fitted without the row. Nothing is computed for
//! it. Why in this way: `docs/design/suspect-labels.md`.

use std::cmp::Ordering;
use std::fmt;

use crate::dynamics::{Dynamics, Margin, RowDynamics};

/// One row in so many is listed.
const ONE_IN: usize = 20;

/// And never more: nobody reads on.
const AT_MOST: usize = 10_000;

/// Labelled rows with what is known of them.
#[derive(Clone, Copy, Debug)]
pub struct LabelledRows<'a> {
    /// Class ids.
    pub labels: &'a [u32],
    /// What the network knows of them.
    pub network: Network<'a>,
    /// What a linear model says of them that has learnt none of their labels, rows×C, where there is one.
    pub linear: Option<&'a [f32]>,
}

/// What a network knows of rows.
#[derive(Clone, Copy, Debug)]
pub enum Network<'a> {
    /// It learnt from them, and this is what was seen of that.
    Learnt(&'a Dynamics),
    /// It only answered them: the logits, rows×C.
    Asked(&'a [f32]),
}

/// What speaks for or against a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// What the network has to say.
    pub network: Testimony,
    /// The label's probability by the linear model.
    pub linear: Option<f64>,
}

/// What a network has to say of a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Testimony {
    /// What was seen while it learnt the row.
    Learnt(RowDynamics),
    /// The label's probability by a network that never saw the label.
    Asked(f64),
}

/// A row whose label may be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Suspect {
    /// Which of the lists of rows it is in.
    pub part: usize,
    /// Its position in that list.
    pub row: usize,
    /// From 0 to 1: above one half where the evidence is for another class.
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
        judged.extend((0..rows.labels.len()).filter_map(|row| Some((rows.judge(row, classes)?.value, part, row))));
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
    let suspect = |(_, part, row): (f32, usize, usize)| parts[part].suspect(part, row, classes);
    Suspects { listed: judged.into_iter().filter_map(suspect).collect(), judged: count, doubted }
}

impl LabelledRows<'_> {
    /// How far the label of a row is ahead of the other classes, to both witnesses together: log-odds of what knows nothing
    /// of each other add up.
    fn judge(&self, row: usize, classes: usize) -> Option<Margin> {
        let label = *self.labels.get(row)?;
        let network = match self.network {
            Network::Learnt(dynamics) => {
                let seen = dynamics.rows().get(row).filter(|row| row.seen > 0)?;
                Margin { value: seen.last_margin, rival: seen.rival }
            }
            Network::Asked(logits) => Margin::of(label, of_row(logits, row, classes)?)?,
        };
        let linear = self.linear.and_then(|logits| Margin::of(label, of_row(logits, row, classes)?));
        Some(linear.map_or(network, |linear| Margin {
            value: network.value + linear.value,
            // The one who speaks louder against the label names the other class.
            rival: if linear.value < network.value { linear.rival } else { network.rival },
        }))
    }

    fn suspect(&self, part: usize, row: usize, classes: usize) -> Option<Suspect> {
        let Margin { value, rival } = self.judge(row, classes)?;
        let label = self.labels[row];
        let network = match self.network {
            Network::Learnt(dynamics) => Testimony::Learnt(dynamics.rows()[row]),
            Network::Asked(logits) => Testimony::Asked(probability(label, of_row(logits, row, classes)?)),
        };
        let linear = self.linear.and_then(|logits| Some(probability(label, of_row(logits, row, classes)?)));
        let score = 1.0 / (1.0 + f64::from(value).exp());
        Some(Suspect { part, row, score, suggested: rival, evidence: Evidence { network, linear } })
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
        self.network.fmt(f)?;
        match self.linear {
            Some(probability) => write!(f, "; linear model: p(label) = {probability:.3}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Testimony {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Asked(probability) => write!(f, "out of sample: p(label) = {probability:.3}"),
            Self::Learnt(RowDynamics { seen: 1, right: 0, .. }) => f.write_str("not predicted in its one pass"),
            Self::Learnt(RowDynamics { seen: 1, .. }) => f.write_str("predicted in its one pass"),
            Self::Learnt(RowDynamics { seen, right: 0, .. }) => write!(f, "never learnt in {seen} passes"),
            Self::Learnt(RowDynamics { seen, right, forgotten: 0, .. }) if right == seen => {
                write!(f, "right in all {seen} passes")
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

    /// Rows of class 1.
    fn of_ones(dynamics: &Dynamics) -> LabelledRows<'_> {
        static ONES: [u32; 300_000] = [1; 300_000];
        LabelledRows { labels: &ONES[..dynamics.rows().len()], network: Network::Learnt(dynamics), linear: None }
    }

    fn asked<'a>(labels: &'a [u32], logits: &'a [f32]) -> LabelledRows<'a> {
        LabelledRows { labels, network: Network::Asked(logits), linear: None }
    }

    fn order(suspects: &Suspects) -> Vec<(usize, usize)> {
        suspects.listed.iter().map(|suspect| (suspect.part, suspect.row)).collect()
    }

    fn sigmoid(x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
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
        let found = suspects(&[of_ones(&dynamics), asked(&labels, &logits)], 2);
        assert_eq!(order(&found), [(1, 3), (0, 9), (0, 7)]);
        assert_eq!((found.judged, found.doubted), (60, 3));
        assert_eq!(found.listed.iter().map(|suspect| suspect.suggested).collect::<Vec<_>>(), [0, 0, 0]);
        for (suspect, expected) in found.listed.iter().zip([2.0, 1.5, 1.0]) {
            assert!((suspect.score - sigmoid(expected)).abs() < 1e-12, "{suspect:?}");
        }
        let Testimony::Asked(probability) = found.listed[0].evidence.network else { panic!("{:?}", found.listed[0]) };
        assert!((probability + found.listed[0].score - 1.0).abs() < 1e-12, "with two classes they say the same");
    }

    #[test]
    fn the_linear_model_has_as_much_to_say() {
        let dynamics = learnt(&[&[2.0], &[-1.0], &[2.0], &[0.5]]);
        // Of class 1: it is for the label of the second row and against those of the third and the last.
        let linear = [0.0, 1.0, 0.0, 2.0, 3.0, 0.0, 1.0, 0.0];
        let learning = LabelledRows { linear: Some(&linear), ..of_ones(&dynamics) };
        let (labels, logits) = ([1], [0.0, 1.0]);
        let asked = LabelledRows { linear: Some(&[4.0, 0.0]), ..asked(&labels, &logits) };
        let found = suspects(&[learning, asked], 2);
        assert_eq!((order(&found), found.judged, found.doubted), (vec![(1, 0)], 5, 3));
        let first = found.listed[0];
        assert!((first.score - sigmoid(3.0)).abs() < 1e-12);
        let said = first.evidence.to_string();
        assert_eq!(said, "out of sample: p(label) = 0.731; linear model: p(label) = 0.018");
        let last = learning.suspect(0, 3, 2).unwrap();
        assert!((last.score - sigmoid(0.5)).abs() < 1e-12, "{last:?}");
        assert_eq!(last.evidence.to_string(), "predicted in its one pass; linear model: p(label) = 0.269");
    }

    #[test]
    fn the_louder_one_names_the_other_class() {
        let (labels, network, linear) = ([0], [2.0, 0.0, 3.0], [0.0, 5.0, 1.0]);
        let suggested = |linear: &[f32]| {
            LabelledRows { linear: Some(linear), ..asked(&labels, &network) }.suspect(0, 0, 3).unwrap().suggested
        };
        assert_eq!(suggested(&linear), 1);
        assert_eq!(suggested(&linear.map(|logit| logit / 10.0)), 2);
    }

    #[test]
    fn equals_stand_in_the_order_of_their_rows() {
        let dynamics = learnt(&[&[0.5_f32][..]; 50]);
        let found = suspects(&[of_ones(&dynamics), of_ones(&dynamics)], 2);
        assert_eq!(order(&found), [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)]);
        assert_eq!(found.doubted, 0);
    }

    #[test]
    fn the_list_is_a_twentieth_and_no_book() {
        let count = |rows: usize| suspects(&[of_ones(&learnt(&vec![&[1.0_f32][..]; rows]))], 2).listed.len();
        assert_eq!([0, 1, 20, 21].map(count), [0, 1, 1, 2]);
        assert_eq!(count(300_000), AT_MOST);
    }

    #[test]
    fn rows_that_were_never_read_are_not_judged() {
        let found = suspects(&[of_ones(&learnt(&[&[], &[1.0], &[]]))], 2);
        assert_eq!((found.judged, order(&found)), (1, vec![(0, 1)]));
        assert_eq!(suspects(&[], 2), Suspects::default());
    }

    #[test]
    fn hostile_numbers_do_no_harm() {
        let labels = [0, 1, 1, 0];
        let logits = [f32::NAN, 1.0, f32::INFINITY, f32::INFINITY, f32::MAX, f32::MIN, 0.0];
        let found = suspects(&[asked(&labels, &logits)], 2);
        assert_eq!((found.judged, found.listed.len()), (3, 1), "the last row has no logits");
        let linear = LabelledRows { linear: Some(&logits[2..5]), ..asked(&labels, &logits) };
        assert_eq!(suspects(&[linear], 2).judged, 3, "where the linear model says nothing, the network does");
    }

    #[test]
    fn of_many_classes_the_closest_is_suggested() {
        let logits = [0.0, 5.0, 1.0, 4.0];
        let found = suspects(&[asked(&[2], &logits)], 4);
        assert_eq!(found.listed[0].suggested, 1);
        let Testimony::Asked(probability) = found.listed[0].evidence.network else { panic!("{:?}", found.listed[0]) };
        let expected = 1_f64.exp() / logits.iter().map(|&x| f64::from(x).exp()).sum::<f64>();
        assert!((probability - expected).abs() < 1e-12);
    }

    #[test]
    fn the_reason_says_what_was_seen() {
        let said = |margins: &[f32]| Testimony::Learnt(learnt(&[margins]).rows()[0]).to_string();
        assert_eq!(said(&[-1.0, -1.0, -2.0]), "never learnt in 3 passes");
        assert_eq!(said(&[-1.0, -1.0, 0.5]), "learnt late: right in 1 of 3 passes");
        assert_eq!(said(&[1.0, -1.0, 0.5]), "learnt and forgotten: right in 2 of 3 passes");
        assert_eq!(said(&[0.1, 0.1]), "right in all 2 passes");
        assert_eq!(said(&[-0.1]), "not predicted in its one pass");
        assert_eq!(Testimony::Asked(0.0214).to_string(), "out of sample: p(label) = 0.021");
    }
}
