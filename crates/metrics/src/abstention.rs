//! When to say nothing: answering only the rows of enough confidence, so that those answers are right often enough.

use super::proportion::at_least;
use super::thinning::thin;
use super::thresholds::midway;
use super::{CurvePoint, Cuts, MetricError, Predictions};

/// The shares of rows among which [`SelectiveCurve::level_with_bound`] looks, fixed before any row is seen.
const CANDIDATES: u64 = 20;

/// What is right among the rows that are answered, for each level of confidence at which that may begin (El-Yaniv and
/// Wiener 2010; Geifman and El-Yaniv 2017, "Selective classification for deep neural networks").
#[derive(Debug, Clone, PartialEq)]
pub struct SelectiveCurve {
    rows: u64,
    /// A "positive" is a row that is predicted right, its score the confidence in it.
    cuts: Cuts,
}

/// A level of confidence and what it gives on the rows that it was found on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AbstainLevel {
    /// Rows whose largest probability is at least this are answered; midway between the last that is and the first that
    /// is not.
    pub level: f64,
    /// Rows that are answered.
    pub answered: u64,
    /// Those of them that are answered right.
    pub right: u64,
    /// All rows.
    pub rows: u64,
}

impl AbstainLevel {
    /// Share of the rows that are answered.
    pub fn coverage(&self) -> f64 {
        self.answered as f64 / self.rows as f64
    }

    /// Share of the answers that are right.
    pub fn precision(&self) -> f64 {
        self.right as f64 / self.answered as f64
    }

    /// The precision that is surpassed with this confidence, by the number of rows that were answered (Clopper and
    /// Pearson). It holds for a level that was fixed before looking at these rows; one that was chosen on them for its
    /// precision is a little worse than that.
    ///
    /// # Errors
    /// Where the confidence is not between 0 and 1.
    pub fn precision_at_least(&self, confidence: f64) -> Result<f64, MetricError> {
        at_least(self.right, self.answered, confidence)
    }
}

impl SelectiveCurve {
    /// Orders the rows by the probability of their predicted class.
    pub fn of(predictions: &Predictions) -> Self {
        Self { rows: predictions.rows() as u64, cuts: Cuts::of_scored(predictions.answers()) }
    }

    /// Every level, highest confidence and fewest answers first.
    pub fn levels(&self) -> impl ExactSizeIterator<Item = AbstainLevel> {
        (0..self.cuts.cuts.len()).map(|at| self.level(at))
    }

    fn level(&self, at: usize) -> AbstainLevel {
        let cut = self.cuts.cuts[at];
        AbstainLevel {
            level: midway(cut.threshold, self.cuts.cuts.get(at + 1).map(|next| next.threshold)),
            answered: cut.true_positives + cut.false_positives,
            right: cut.true_positives,
            rows: self.rows,
        }
    }

    /// The lowest level at which the answers are right as often as `precision`: the one that answers most. `None` where
    /// there is none.
    ///
    /// This is what the rows show, and rests on as many as are answered and wrong: of 100 answers all right, up to 3% may
    /// be wrong among other rows. [`AbstainLevel::precision_at_least`] says how sure it is.
    pub fn level_for(&self, precision: f64) -> Option<AbstainLevel> {
        self.levels().filter(|level| level.precision() >= precision).last()
    }

    /// The lowest of 20 levels whose answers are right as often as `precision` with this confidence on other rows of the
    /// same kind. `None` where these rows do not prove it for any.
    ///
    /// The levels are those that answer 5%, 10%, ... of the rows. Each has to hold with a twentieth of the doubt, so that
    /// all hold together, whichever is chosen (Bonferroni, as in Geifman and El-Yaniv 2017).
    ///
    /// # Errors
    /// Where the confidence is not between 0 and 1.
    pub fn level_with_bound(&self, precision: f64, confidence: f64) -> Result<Option<AbstainLevel>, MetricError> {
        let strict = 1.0 - (1.0 - confidence) / CANDIDATES as f64;
        let mut found = None;
        for candidate in 1..=CANDIDATES {
            let wanted = (self.rows * candidate).div_ceil(CANDIDATES);
            let at = self.cuts.cuts.partition_point(|cut| cut.true_positives + cut.false_positives < wanted);
            let level = self.level(at);
            if level.precision_at_least(strict)? >= precision {
                found = Some(level);
            }
        }
        Ok(found)
    }

    /// Share of wrong answers (`y`) against the share of rows answered (`x`), thinned to at most so many points.
    pub fn risk_curve(&self, most_points: usize) -> Vec<CurvePoint> {
        let point = |level: AbstainLevel| CurvePoint {
            x: level.coverage(),
            y: 1.0 - level.precision(),
            threshold: level.level,
        };
        thin(self.levels().map(point).collect(), most_points)
    }

    /// Mean share of wrong answers over all coverages: the area under the risk-coverage curve (AURC). 0 is perfect.
    pub fn mean_risk(&self) -> f64 {
        let mut answered_before = 0;
        let areas = self.levels().map(|level| {
            let added = level.answered - std::mem::replace(&mut answered_before, level.answered);
            (1.0 - level.precision()) * added as f64
        });
        areas.sum::<f64>() / self.rows as f64
    }
}
