//! Figures of a run by name, and what is known of a name.

use journal::Metrics;
use serde::Serialize;

/// A figure and, where the run has it, its 95% interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The figure.
    pub value: f64,
    /// `NAME_low` and `NAME_high`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<(f64, f64)>,
}

/// The figure `name` with its interval.
pub fn interval(figures: &Metrics, name: &str) -> Option<Interval> {
    let bound = |which| figures.get(&format!("{name}_{which}")).copied();
    Some(Interval { value: *figures.get(name)?, bounds: bound("low").zip(bound("high")) })
}

/// Whether more of a figure is better, as far as its name tells: less is better of losses, errors and times.
pub fn greater_is_better(name: &str) -> bool {
    let less = ["loss", "runtime", "ece", "brier", "nll", "error", "seconds"];
    !less.iter().any(|end| name.ends_with(end))
}

/// A figure in as many digits as people read.
pub fn number(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if value.fract() == 0.0 && size < 1e15 => format!("{value:.0}"),
        100.0.. => format!("{value:.1}"),
        0.001..100.0 => format!("{value:.4}"),
        _ => format!("{value:.2e}"),
    }
}

/// Whether `name` is a bound of another figure.
pub(crate) fn is_bound(figures: &Metrics, name: &str) -> bool {
    let of = name.strip_suffix("_low").or_else(|| name.strip_suffix("_high"));
    of.is_some_and(|of| figures.contains_key(of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_belong_to_their_figure() {
        let named = [("f1", 0.9), ("f1_low", 0.8), ("f1_high", 0.95), ("yield_low", 1.0)];
        let figures: Metrics = named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(interval(&figures, "f1"), Some(Interval { value: 0.9, bounds: Some((0.8, 0.95)) }));
        assert_eq!(interval(&figures, "yield_low"), Some(Interval { value: 1.0, bounds: None }));
        assert_eq!(interval(&figures, "accuracy"), None);
        assert!(is_bound(&figures, "f1_low") && !is_bound(&figures, "yield_low") && !is_bound(&figures, "f1"));
    }

    #[test]
    fn numbers_are_as_long_as_they_need_to_be() {
        let cases = [
            (0.98765, "0.9877"),
            (1.0, "1"),
            (1234.56, "1234.6"),
            (2e-5, "2.00e-5"),
            (-0.5, "-0.5000"),
            (f64::NAN, "NaN"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn less_of_a_loss_is_better() {
        assert!(greater_is_better("eval_f1") && !greater_is_better("eval_loss") && !greater_is_better("test_ece"));
    }
}
