//! How strong the penalty should be: cross-validation on the training rows.

use rayon::prelude::*;

use crate::matrix::Matrix;
use crate::model::solve;
use crate::softmax::Softmax;
use crate::solver::Point;

/// The values of C that are tried. With TF-IDF rows of length 1, scikit-learn's default of 1 is too strong a penalty for
/// anything but long texts, and a baseline that was held back would flatter the model beside it.
const CANDIDATES: [f64; 4] = [1.0, 10.0, 100.0, 1000.0];
const FOLDS: u64 = 3;

/// Where a fit ends that is only to tell powers of ten apart.
const SMALL_GRADIENT: f64 = 1e-4;

/// What cross-validation found.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) c: f64,
    /// What each row scores in the fit that left it out; `None` where rows are too few to leave any out. Shape `[N, C]`.
    pub(crate) held_out: Option<Vec<f32>>,
}

/// One candidate on the rows that a fit left out.
struct Tried {
    loss: f64,
    /// Shape `[rows of the fold, C]`.
    scores: Vec<f32>,
}

/// The candidate of the smallest loss on rows that were left out, of equally good ones the smallest. Where rows are too
/// few to leave any out, the smallest.
pub(crate) fn choose_c(matrix: &Matrix, texts: &[String], labels: &[u32], n_classes: usize) -> Choice {
    let folds: Vec<u64> = texts.par_iter().map(|text| fold(text)).collect();
    let of_folds: Vec<Option<[Tried; CANDIDATES.len()]>> = (0..FOLDS)
        .into_par_iter()
        .map(|left_out| {
            let pick = |chosen: &dyn Fn(u64) -> bool| -> Vec<Option<u32>> {
                folds.iter().zip(labels).map(|(&fold, &label)| chosen(fold).then_some(label)).collect()
            };
            let (learnt, held_out) = (pick(&|fold| fold != left_out), pick(&|fold| fold == left_out));
            let is_empty = |labels: &[Option<u32>]| labels.iter().flatten().next().is_none();
            if is_empty(&learnt) || is_empty(&held_out) {
                return None;
            }
            let softmax = Softmax { labels: &held_out, n_classes };
            let mut point = Point::zero(labels.len(), n_classes);
            Some(CANDIDATES.map(|c| {
                point = solve(matrix, &learnt, n_classes, c, point.clone(), SMALL_GRADIENT);
                let scores = point.scores();
                let of_fold = scores.chunks_exact(n_classes).zip(&held_out).filter(|(_, label)| label.is_some());
                Tried {
                    loss: softmax.loss(&scores),
                    scores: of_fold.flat_map(|(row, _)| row).map(|&score| score as f32).collect(),
                }
            }))
        })
        .collect();

    let mut best = (0, f64::INFINITY);
    for at in 0..CANDIDATES.len() {
        let loss: f64 = of_folds.iter().flatten().map(|tried| tried[at].loss).sum();
        if loss < best.1 {
            best = (at, loss);
        }
    }
    let scores = of_folds.iter().map(|fold| fold.as_ref().map_or(&[][..], |tried| &tried[best.0].scores));
    Choice { c: CANDIDATES[best.0], held_out: in_order(scores.collect(), &folds, n_classes) }
}

/// The scores of all rows in their order, from those of each fold; `None` where a row has none.
fn in_order(mut of_folds: Vec<&[f32]>, folds: &[u64], n_classes: usize) -> Option<Vec<f32>> {
    let mut scores = Vec::with_capacity(folds.len() * n_classes);
    for &fold in folds {
        let (row, rest) = of_folds[fold as usize].split_at_checked(n_classes)?;
        scores.extend(row);
        of_folds[fold as usize] = rest;
    }
    Some(scores)
}

/// Where a text is left out: by its content (FNV-1a), so that equal texts are never on both sides.
fn fold(text: &str) -> u64 {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    (hash ^ (hash >> 32)) % FOLDS
}
