//! Mean, spread and quantiles of a sample, summed in its order, so that one input always gives the same bits.

/// Mean of at least one figure.
pub(crate) fn mean(figures: &[f64]) -> f64 {
    figures.iter().sum::<f64>() / figures.len() as f64
}

/// Standard deviation of a sample: of at least two figures, their squares divided by their number less one.
pub(crate) fn standard_deviation(figures: &[f64]) -> f64 {
    let mean = mean(figures);
    let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
    (squares / (figures.len() - 1) as f64).sqrt()
}

/// The quantile of at least one sorted figure, between two of them on the straight line, as `numpy.quantile` has it by
/// default (Hyndman and Fan 1996, definition 7).
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let below = (at as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64)
}
