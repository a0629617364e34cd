//! Where a value stands on an axis, and which values are written beside it.

use crate::numbers::short;

/// An axis from `low` to `high`, both round numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    ticks: Vec<f64>,
}

impl Scale {
    /// A scale that holds all the values, with about so many ticks at multiples of 1, 2 or 5 (the "nice numbers" of
    /// Heckbert 1990). Values that are not finite are passed over.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>, ticks: usize) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter(|value| value.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        match () {
            () if low > high => (low, high) = (0.0, 1.0),
            () if low == high => {
                let room = if low == 0.0 { 1.0 } else { low.abs() / 2.0 };
                (low, high) = (low - room, high + room);
            }
            () => {}
        }
        let step = nice((high - low) / ticks.max(1) as f64);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        // A value so large that a step is lost in it has no round neighbours.
        let count = (last - first).clamp(1.0, 50.0) as usize;
        let ticks: Vec<f64> = (0..=count).map(|tick| (first + tick as f64) * step).collect();
        Self { low: first * step, high: (first + count as f64) * step, ticks }
    }

    /// The same, never above `most`: a share has no room above 1.
    pub(crate) fn up_to(mut self, most: f64) -> Self {
        if self.high > most && most > self.low {
            self.high = most;
            self.ticks.retain(|tick| *tick <= most + 1e-12);
        }
        self
    }

    /// From 0 to 1.
    pub(crate) fn share() -> Self {
        Self { low: 0.0, high: 1.0, ticks: vec![0.0, 0.25, 0.5, 0.75, 1.0] }
    }

    /// From exactly `low` to exactly `high`, with round ticks between.
    pub(crate) fn exactly(low: f64, high: f64, ticks: usize) -> Self {
        if !(low.is_finite() && high.is_finite() && low < high) {
            return Self::of([low, high], ticks);
        }
        let within = Self::of([low, high], ticks).ticks;
        let ticks = within.into_iter().filter(|tick| (low..=high).contains(tick)).collect();
        Self { low, high, ticks }
    }

    pub(crate) fn ticks(&self) -> &[f64] {
        &self.ticks
    }

    /// The place of a value between `from`, where the axis begins, and `to`, where it ends. What is outside stays at the
    /// edge.
    pub(crate) fn place(&self, value: f64, from: f64, to: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        from + if share.is_nan() { 0.0 } else { share } * (to - from)
    }
}

/// The round number nearest above.
fn nice(step: f64) -> f64 {
    if !(step.is_finite() && step > 0.0) {
        return 1.0;
    }
    let power = 10f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0].into_iter().find(|factor| factor * power >= step * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// A tick as it is written: thousands and millions by their letters.
pub(crate) fn tick_label(value: f64) -> String {
    let value = if value.abs() < 1e-12 { 0.0 } else { value };
    match value.abs() {
        size if (1e6..1e12).contains(&size) => format!("{}M", short(value / 1e6)),
        size if (1e4..1e6).contains(&size) => format!("{}k", short(value / 1e3)),
        _ => short(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_everything() {
        let ticks =
            |low, high| Scale::of([low, high], 4).ticks.iter().map(|tick| tick_label(*tick)).collect::<Vec<_>>();
        assert_eq!(ticks(0.0, 0.7), ["0", "0.2", "0.4", "0.6", "0.8"]);
        assert_eq!(ticks(0.0, 150.0), ["0", "50", "100", "150"]);
        assert_eq!(ticks(0.0, 5e-5), ["0", "2e-5", "4e-5", "6e-5"]);
        assert_eq!(ticks(0.0, 12_000.0), ["0", "5,000", "10k", "15k"]);
    }

    #[test]
    fn no_values_are_too_odd() {
        let odd = [
            vec![],
            vec![f64::NAN, f64::INFINITY],
            vec![0.0],
            vec![-3.0, -3.0],
            vec![1e300, -1e300],
            vec![1e16, 1e16 + 2.0],
            vec![f64::MAX, f64::MIN],
            vec![5e-324],
        ];
        for values in odd {
            let scale = Scale::of(values.iter().copied(), 4);
            assert!(scale.ticks.len() <= 51, "{values:?}");
            for value in [0.0, 1.0, f64::NAN, f64::INFINITY] {
                assert!((0.0..=100.0).contains(&scale.place(value, 0.0, 100.0)), "{values:?} {value}");
            }
        }
    }

    #[test]
    fn a_value_stands_where_it_belongs() {
        assert_eq!(Scale::share().place(0.25, 200.0, 0.0), 150.0);
        assert_eq!(Scale::of([0.91, 0.99], 4).up_to(1.0).place(1.0, 0.0, 10.0), 10.0);
        let exact = Scale::exactly(1.0, 9.0, 4);
        assert_eq!((exact.place(1.0, 0.0, 8.0), exact.place(9.0, 0.0, 8.0)), (0.0, 8.0));
    }
}
