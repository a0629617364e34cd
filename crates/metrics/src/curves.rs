//! ROC and precision-recall curves, as points to draw.

use super::thinning::thin;
use super::{Cuts, Predictions};

/// A point of a curve, with the threshold that leads there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// False positive rate of a ROC curve, recall of a precision-recall curve.
    pub x: f64,
    /// True positive rate of a ROC curve, precision of a precision-recall curve.
    pub y: f64,
    /// Rows of at least this probability are taken for the class; infinite where none is.
    pub threshold: f64,
}

/// The ROC curve of one class against the rest, from (0, 0) to (1, 1): what `sklearn.metrics.roc_curve` gives with
/// `drop_intermediate=False`. `None` where the class has no row, or no other class has one.
///
/// A curve of more than `most_points` is drawn with so many, those that change its line least left out; at least the two
/// ends stay.
pub fn roc_curve(predictions: &Predictions, class: usize, most_points: usize) -> Option<Vec<CurvePoint>> {
    let Cuts { positives, negatives, cuts } = Cuts::of(predictions, class);
    if positives == 0 || negatives == 0 {
        return None;
    }
    let start = CurvePoint { x: 0.0, y: 0.0, threshold: f64::INFINITY };
    let points = cuts.iter().map(|cut| CurvePoint {
        x: cut.false_positives as f64 / negatives as f64,
        y: cut.true_positives as f64 / positives as f64,
        threshold: cut.threshold,
    });
    Some(thin(std::iter::once(start).chain(points).collect(), most_points))
}

/// The precision-recall curve of one class against the rest, from recall 0 to recall 1. Its points are those of
/// `sklearn.metrics.precision_recall_curve`, in the opposite order: first (0, 1), where no row is taken for the class.
/// `None` where the class has no row.
///
/// Thinned as [`roc_curve`] is. Between two points, precision does not follow the straight line (Davis and Goadrich 2006):
/// draw steps.
pub fn precision_recall_curve(predictions: &Predictions, class: usize, most_points: usize) -> Option<Vec<CurvePoint>> {
    let Cuts { positives, cuts, .. } = Cuts::of(predictions, class);
    if positives == 0 {
        return None;
    }
    let start = CurvePoint { x: 0.0, y: 1.0, threshold: f64::INFINITY };
    let points = cuts.iter().map(|cut| CurvePoint {
        x: cut.true_positives as f64 / positives as f64,
        y: cut.true_positives as f64 / (cut.true_positives + cut.false_positives) as f64,
        threshold: cut.threshold,
    });
    Some(thin(std::iter::once(start).chain(points).collect(), most_points))
}

/// Average precision of one class against the rest: the mean of the precisions at each threshold, each weighted by the
/// recall that it adds, as `sklearn.metrics.average_precision_score` has it. `None` where the class has no row.
pub fn average_precision(predictions: &Predictions, class: usize) -> Option<f64> {
    let curve = precision_recall_curve(predictions, class, usize::MAX)?;
    Some(curve.windows(2).map(|ends| (ends[1].x - ends[0].x) * ends[1].y).sum())
}
