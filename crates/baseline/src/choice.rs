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

/// The candidate of the smallest loss on rows that were left out, of equally good ones the smallest. Where rows are too
/// few to leave any out, the smallest.
pub(crate) fn choose_c(matrix: &Matrix, texts: &[String], labels: &[u32], n_classes: usize) -> f64 {
    let folds: Vec<u64> = texts.par_iter().map(|text| fold(text)).collect();
    let of_folds: Vec<Option<[f64; CANDIDATES.len()]>> = (0..FOLDS)
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
            let held_out = Softmax { labels: &held_out, n_classes };
            let mut point = Point::zero(labels.len(), n_classes);
            Some(CANDIDATES.map(|c| {
                point = solve(matrix, &learnt, n_classes, c, point.clone(), SMALL_GRADIENT);
                held_out.loss(&point.scores())
            }))
        })
        .collect();

    let mut best = (CANDIDATES[0], f64::INFINITY);
    for (at, c) in CANDIDATES.into_iter().enumerate() {
        let loss: f64 = of_folds.iter().flatten().map(|losses| losses[at]).sum();
        if loss < best.1 {
            best = (c, loss);
        }
    }
    best.0
}

/// Where a text is left out: by its content (FNV-1a), so that equal texts are never on both sides.
fn fold(text: &str) -> u64 {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    (hash ^ (hash >> 32)) % FOLDS
}
