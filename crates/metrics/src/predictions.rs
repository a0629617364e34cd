//! Labelled rows and what a classifier said of them: checked once, so that what is computed from them cannot fail.

use super::{MetricError, loss};

/// N labelled rows with their probabilities of C classes.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    labels: Vec<u32>,
    predicted: Vec<u32>,
    probabilities: Vec<f64>,
    /// Cross-entropy of each row's logits.
    losses: Option<Vec<f64>>,
    n_classes: usize,
}

impl Predictions {
    /// Takes logits. A row's prediction is its largest logit, of equal ones the first.
    ///
    /// # Shapes
    /// `labels`: `[N]`, `logits`: `[N, C]` row-major
    ///
    /// # Errors
    /// Where there is no row, the shapes disagree, a label has no class, or a logit is not finite.
    pub fn from_logits(labels: &[u32], logits: &[f32], n_classes: usize) -> Result<Self, MetricError> {
        let losses = loss::cross_entropies(labels, logits, n_classes)?;
        Ok(Self {
            labels: labels.to_vec(),
            predicted: logits.chunks_exact(n_classes).map(first_largest).collect(),
            probabilities: loss::softmax(logits, n_classes),
            losses: Some(losses),
            n_classes,
        })
    }

    /// Takes probabilities, as they come from a file of predictions.
    ///
    /// # Shapes
    /// `labels`: `[N]`, `probabilities`: `[N, C]` row-major
    ///
    /// # Errors
    /// Where there is no row, the shapes disagree, a label has no class, or a row is not a distribution.
    pub fn from_probabilities(labels: &[u32], probabilities: &[f64], n_classes: usize) -> Result<Self, MetricError> {
        loss::check_shape(labels, probabilities.len(), n_classes)?;
        loss::check_probabilities(probabilities, n_classes)?;
        Ok(Self {
            labels: labels.to_vec(),
            predicted: probabilities.chunks_exact(n_classes).map(first_largest).collect(),
            probabilities: probabilities.to_vec(),
            losses: None,
            n_classes,
        })
    }

    /// Number of rows, at least one.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// Number of classes, at least one.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// The true class of each row.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The predicted class of each row.
    pub fn predicted(&self) -> &[u32] {
        &self.predicted
    }

    /// The probabilities.
    ///
    /// # Shapes
    /// `[N, C]` row-major
    pub fn probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// Cross-entropy of each row's logits; `None` where only probabilities were given.
    pub fn losses(&self) -> Option<&[f64]> {
        self.losses.as_deref()
    }

    /// For each row, the probability of the class that was predicted, and whether that class is right.
    pub fn answers(&self) -> impl Iterator<Item = (f64, bool)> {
        let rows = self.labels.iter().zip(&self.predicted).zip(self.probabilities.chunks_exact(self.n_classes));
        rows.map(|((&label, &predicted), row)| (row[predicted as usize], label == predicted))
    }

    /// For each row, the probability of `class`, and whether the row truly is of it. Classes that are not there have no
    /// rows.
    pub fn one_against_rest(&self, class: usize) -> impl Iterator<Item = (f64, bool)> {
        let rows = self.labels.iter().zip(self.probabilities.chunks_exact(self.n_classes));
        rows.filter_map(move |(&label, row)| Some((*row.get(class)?, label as usize == class)))
    }
}

/// The index of the largest value, of equal ones the first, as `numpy.argmax` has it.
fn first_largest<T: PartialOrd + Copy>(row: &[T]) -> u32 {
    let mut best = 0;
    for (index, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = index;
        }
    }
    best as u32
}
