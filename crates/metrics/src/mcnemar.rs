//! Whether two models that answered the same rows differ by more than chance.

use super::distributions::{chi_square_1_above, fair_binomial_cdf};
use super::intervals::check_same_rows;
use super::{MetricError, Predictions};

/// Below so many rows on which just one model is right, the approximation by chi-square is too coarse.
const EXACT_BELOW: u64 = 25;

/// McNemar's test (McNemar 1947, "Note on the sampling error of the difference between correlated proportions"): of the
/// rows on which just one of two models is right, are there about as many for each?
///
/// Figures are those of `statsmodels.stats.contingency_tables.mcnemar` (0.14): exact where such rows are fewer than 25,
/// otherwise chi-square with the continuity correction (Edwards 1948). Where both counts are equal the correction has nothing to
/// take away and p is 1; `statsmodels` squares the -1 that is left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// Rows on which only the first model is right.
    pub only_first: u64,
    /// Rows on which only the second model is right.
    pub only_second: u64,
    /// The smaller of the two counts where the test is exact, otherwise chi-square.
    pub statistic: f64,
    /// How probable a difference at least as large is where both models are equally good.
    pub p_value: f64,
    /// Whether the p-value is exact.
    pub exact: bool,
}

impl McNemar {
    /// Compares what two models predicted.
    ///
    /// # Errors
    /// Where the two did not answer the same rows.
    pub fn of(first: &Predictions, second: &Predictions) -> Result<Self, MetricError> {
        check_same_rows(first.labels(), second.labels())?;
        let (mut only_first, mut only_second) = (0, 0);
        for ((_, first), (_, second)) in first.answers().zip(second.answers()) {
            only_first += u64::from(first && !second);
            only_second += u64::from(second && !first);
        }
        Ok(Self::from_counts(only_first, only_second))
    }

    /// Compares the counts of rows on which just one of two models is right.
    pub fn from_counts(only_first: u64, only_second: u64) -> Self {
        let discordant = only_first.saturating_add(only_second);
        if discordant < EXACT_BELOW {
            let smaller = only_first.min(only_second);
            let p_value = (2.0 * fair_binomial_cdf(smaller, discordant)).min(1.0);
            return Self { only_first, only_second, statistic: smaller as f64, p_value, exact: true };
        }
        let corrected = only_first.abs_diff(only_second).saturating_sub(1) as f64;
        let statistic = corrected * corrected / discordant as f64;
        Self { only_first, only_second, statistic, p_value: chi_square_1_above(statistic), exact: false }
    }
}
