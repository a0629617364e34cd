//! From labelled texts to something that gives logits.

use rayon::prelude::*;

use crate::Error;
use crate::choice::{Choice, choose_c};
use crate::features::Vocabulary;
use crate::matrix::Matrix;
use crate::softmax::Softmax;
use crate::solver::{Point, Problem};

/// Weights of the largest model: half a gigabyte.
const MOST_WEIGHTS: usize = 1 << 27;

/// The logit of a class without a training row lies this far below the lowest of its row: a probability of e^-30 at most.
const NEVER_SEEN: f32 = 30.0;

/// Where the fit ends: the fourth digit of a logit no longer moves.
const SMALL_GRADIENT: f64 = 1e-6;

/// How a baseline is fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The inverse strength of the penalty, as `LogisticRegression(C=...)`; `None` to choose it among 1, 10, 100 and 1000
    /// by cross-validation on the training rows.
    pub c: Option<f64>,
    /// Whether the tenth occurrence of a word in a text counts less than the first: `TfidfVectorizer(sublinear_tf=...)`.
    pub sublinear: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { c: None, sublinear: true }
    }
}

/// A linear model of words and pairs of words.
#[derive(Debug)]
pub struct Model {
    vocabulary: Vocabulary,
    /// Shape `[F, K]`, K being the classes that have training rows.
    weights: Vec<f32>,
    /// Shape `[K]`.
    bias: Vec<f64>,
    present: Vec<u32>,
    n_classes: usize,
    n_rows: usize,
    c: f64,
    /// Shape `[N, K]`.
    held_out: Option<Vec<f32>>,
}

/// Fits a model.
///
/// # Shapes
/// `texts`, `labels`: `[N]`
///
/// # Errors
/// Where there is nothing to learn from, labels and texts do not match, a setting cannot be, or the weights would be too
/// many. Texts without a word are no error: for those the model goes by how frequent the classes are.
pub fn fit(texts: &[String], labels: &[u32], n_classes: usize, settings: &Settings) -> Result<Model, Error> {
    check(texts, labels, n_classes, settings)?;
    let (vocabulary, rows) = Vocabulary::learn(texts, settings.sublinear);
    let n_features = vocabulary.n_features();
    let (present, labels) = rename(labels, n_classes);
    if n_features.saturating_mul(present.len()) > MOST_WEIGHTS {
        return Err(Error::TooLarge { features: n_features, classes: present.len(), most: MOST_WEIGHTS });
    }
    let matrix = Matrix::new(rows, n_features);
    let Choice { c, held_out } = match settings.c {
        Some(c) => Choice { c, held_out: None },
        None => choose_c(&matrix, texts, &labels, present.len()),
    };
    let labels: Vec<Option<u32>> = labels.into_iter().map(Some).collect();
    let start = Point::zero(matrix.n_rows(), present.len());
    let point = solve(&matrix, &labels, present.len(), c, start, SMALL_GRADIENT);
    let weights = matrix.weights(&point.rows, present.len()).into_iter().map(|weight| weight as f32).collect();
    Ok(Model { vocabulary, weights, bias: point.bias, present, n_classes, n_rows: texts.len(), c, held_out })
}

/// The solution for one C, looked for from `start`.
///
/// scikit-learn fits a single vector of weights for two classes, and here each has its own; as one is always the opposite
/// of the other, the penalty counts half and has to be twice as strong for the same solution.
pub(crate) fn solve(
    matrix: &Matrix,
    labels: &[Option<u32>],
    n_classes: usize,
    c: f64,
    start: Point,
    small_gradient: f64,
) -> Point {
    let penalty = if n_classes == 2 { 2.0 / c } else { 1.0 / c };
    Problem { matrix, softmax: Softmax { labels, n_classes }, penalty, small_gradient }.solve(start)
}

impl Model {
    /// The logits of texts. A class without a training row has one that never wins.
    ///
    /// # Shapes
    /// `[N, C]` row-major
    pub fn logits(&self, texts: &[String]) -> Vec<f32> {
        texts.par_iter().flat_map_iter(|text| self.logits_of(text)).collect()
    }

    fn logits_of(&self, text: &str) -> Vec<f32> {
        let mut sums = self.bias.clone();
        for entry in self.vocabulary.of(text) {
            let weights = &self.weights[entry.at as usize * sums.len()..][..sums.len()];
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += f64::from(entry.value) * f64::from(*weight);
            }
        }
        self.of_all_classes(sums.into_iter().map(|sum| sum as f32))
    }

    /// The logits of all classes, from those of the classes that have training rows.
    fn of_all_classes(&self, present: impl Iterator<Item = f32> + Clone) -> Vec<f32> {
        let lowest = present.clone().fold(f32::INFINITY, f32::min);
        let mut logits = vec![lowest - NEVER_SEEN; self.n_classes];
        for (&class, logit) in self.present.iter().zip(present) {
            logits[class as usize] = logit;
        }
        logits
    }

    /// The logits of the texts that it was fitted to, each by a fit to other texts: those with which C was chosen. They are
    /// honest of labels, where [`Model::logits`] repeats what it was told. `None` where C was given, or texts are too few.
    ///
    /// # Shapes
    /// `[N, C]` row-major
    pub fn held_out_logits(&self) -> Option<Vec<f32>> {
        let rows = self.held_out.as_ref()?.chunks_exact(self.present.len());
        Some(rows.flat_map(|row| self.of_all_classes(row.iter().copied())).collect())
    }

    /// Rows that it was fitted to.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Words and pairs of words that the model knows.
    pub fn n_features(&self) -> usize {
        self.vocabulary.n_features()
    }

    /// The inverse strength of the penalty that it was fitted with.
    pub fn c(&self) -> f64 {
        self.c
    }
}

/// The classes that occur, and the labels as positions among them.
fn rename(labels: &[u32], n_classes: usize) -> (Vec<u32>, Vec<u32>) {
    let mut occurs = vec![false; n_classes];
    labels.iter().for_each(|&label| occurs[label as usize] = true);
    let present: Vec<u32> = (0..n_classes as u32).filter(|&class| occurs[class as usize]).collect();
    let mut position = vec![0; n_classes];
    (0..).zip(&present).for_each(|(at, &class)| position[class as usize] = at);
    (present, labels.iter().map(|&label| position[label as usize]).collect())
}

fn check(texts: &[String], labels: &[u32], n_classes: usize, settings: &Settings) -> Result<(), Error> {
    if texts.is_empty() || n_classes == 0 {
        return Err(Error::Empty { texts: texts.len(), classes: n_classes });
    }
    if texts.len() != labels.len() {
        return Err(Error::LabelCount { texts: texts.len(), labels: labels.len() });
    }
    if let Some(row) = labels.iter().position(|&label| label as usize >= n_classes) {
        return Err(Error::LabelOutOfRange { row: row + 1, label: labels[row], classes: n_classes });
    }
    match settings.c {
        Some(c) if !(c > 0.0 && c.is_finite()) => Err(Error::BadC { c }),
        _ => Ok(()),
    }
}
