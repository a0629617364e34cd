//! Precision, recall and F1: of each class, and averaged over classes.

/// Precision, recall and F1 of one class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScores {
    /// Share of the rows predicted as this class that are of it; 0 where none is predicted.
    pub precision: f64,
    /// Share of the rows of this class that are predicted as it; 0 where there is none.
    pub recall: f64,
    /// Harmonic mean of precision and recall; 0 where the class is neither true nor predicted anywhere.
    pub f1: f64,
    /// Rows that truly are of this class.
    pub support: u64,
}

/// Precision, recall and F1 averaged over all classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Averages {
    /// Average precision of the classes.
    pub precision: f64,
    /// Average recall of the classes.
    pub recall: f64,
    /// Average F1 of the classes; not the harmonic mean of the two above.
    pub f1: f64,
}

/// Every class counts the same.
pub(super) fn macro_average(classes: &[ClassScores]) -> Averages {
    average(classes, |_| 1.0)
}

/// Every class counts by its support.
pub(super) fn weighted_average(classes: &[ClassScores]) -> Averages {
    average(classes, |class| class.support as f64)
}

fn average(classes: &[ClassScores], weight: impl Fn(&ClassScores) -> f64) -> Averages {
    let sum = |value: &dyn Fn(&ClassScores) -> f64| pairwise_sum(&classes.iter().map(value).collect::<Vec<_>>());
    let weights = sum(&|class| weight(class));
    let mean = |score: fn(&ClassScores) -> f64| sum(&|class| score(class) * weight(class)) / weights;
    Averages {
        precision: mean(|class| class.precision),
        recall: mean(|class| class.recall),
        f1: mean(|class| class.f1),
    }
}

/// Sums in the order in which NumPy does (2.4, `loops_utils.h.src`): eight running sums in blocks of up to 128. With
/// another order the last bit differs from scikit-learn's, and a mean like 0.78125 then prints as another figure.
fn pairwise_sum(values: &[f64]) -> f64 {
    const LANES: usize = 8;
    const BLOCK: usize = 128;
    if values.len() > BLOCK {
        let half = values.len() / 2;
        let (left, right) = values.split_at(half - half % LANES);
        return pairwise_sum(left) + pairwise_sum(right);
    }
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    let blocks = ((a + b) + (c + d)) + ((e + f) + (g + h));
    rest.iter().fold(blocks, |sum, value| sum + value)
}

/// `part / whole`, and 0 for an empty whole.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
