//! What a share of right answers among few rows says of the share among all.

use super::MetricError;
use super::distributions::{beta_quantile, normal_quantile};
use super::resampling::check_confidence;

/// The two-sided interval of a proportion that is never too narrow (Clopper and Pearson 1934), as
/// `statsmodels.stats.proportion.proportion_confint(method="beta")` has it. Its lower end alone holds with the
/// confidence `1 - (1 - confidence) / 2`.
///
/// # Errors
/// Where there are no rows, fewer rows than successes, or the confidence is not between 0 and 1.
pub fn clopper_pearson(successes: u64, rows: u64, confidence: f64) -> Result<(f64, f64), MetricError> {
    check(successes, rows, confidence)?;
    let tail = (1.0 - confidence) / 2.0;
    let (right, wrong) = (successes as f64, (rows - successes) as f64);
    let low = if successes == 0 { 0.0 } else { beta_quantile(tail, right, wrong + 1.0) };
    let high = if successes == rows { 1.0 } else { beta_quantile(1.0 - tail, right + 1.0, wrong) };
    Ok((low, high))
}

/// The share that is surpassed with this confidence: the one-sided bound of Clopper and Pearson.
///
/// # Errors
/// As [`clopper_pearson`].
pub fn at_least(successes: u64, rows: u64, confidence: f64) -> Result<f64, MetricError> {
    check(successes, rows, confidence)?;
    let wrong = (rows - successes) as f64;
    Ok(if successes == 0 { 0.0 } else { beta_quantile(1.0 - confidence, successes as f64, wrong + 1.0) })
}

/// The two-sided interval of a proportion that is right on average (Wilson 1927), as
/// `statsmodels.stats.proportion.proportion_confint(method="wilson")` has it.
///
/// # Errors
/// As [`clopper_pearson`].
pub fn wilson(successes: u64, rows: u64, confidence: f64) -> Result<(f64, f64), MetricError> {
    check(successes, rows, confidence)?;
    let n = rows as f64;
    let share = successes as f64 / n;
    let z = normal_quantile(1.0 - (1.0 - confidence) / 2.0);
    let spread = z * z / n;
    let centre = (share + spread / 2.0) / (1.0 + spread);
    let half = z / (1.0 + spread) * (share * (1.0 - share) / n + spread / (4.0 * n)).sqrt();
    Ok(((centre - half).max(0.0), (centre + half).min(1.0)))
}

fn check(successes: u64, rows: u64, confidence: f64) -> Result<(), MetricError> {
    if rows == 0 || successes > rows {
        return Err(MetricError::Proportion { successes, rows });
    }
    check_confidence(confidence)
}
