//! Curves of several runs over each other, as inline SVG that takes its colours from the page.

use std::fmt::Write;

use crate::number;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 30.0;

/// Points of a curve that are drawn; more than there are pixels would be seen by nobody.
const MOST_POINTS: usize = 600;

/// The points of one run.
pub(crate) struct Curve {
    /// The run's place in the comparison, which gives it its colour.
    pub(crate) run: usize,
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Draws curves over passes through the training rows; nothing where no run has a point.
pub(crate) fn svg(title: &str, curves: &[Curve]) -> Option<String> {
    let points = || curves.iter().flat_map(|curve| &curve.points).filter(|(x, y)| x.is_finite() && y.is_finite());
    points().next()?;
    let x = Axis::over(points().map(|point| point.0), LEFT, WIDTH - RIGHT);
    let y = Axis::over(points().map(|point| point.1), HEIGHT - BOTTOM, TOP);

    let mut svg = String::new();
    _ = write!(svg, "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">", escape(title));
    for tick in y.ticks() {
        let at = y.place(tick);
        _ = write!(svg, "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{}\"/>", WIDTH - RIGHT);
        _ = write!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", LEFT - 6.0, at + 4.0, y.told(tick));
    }
    for tick in x.ticks() {
        let at = x.place(tick);
        _ = write!(svg, "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>", HEIGHT - 12.0, x.told(tick));
    }
    _ = write!(svg, "<path class=\"axis\" d=\"M{LEFT} {TOP}V{}H{}\"/>", HEIGHT - BOTTOM, WIDTH - RIGHT);
    for curve in curves {
        let finite: Vec<_> = curve.points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
        let shown = thinned(&finite);
        let Some(last) = shown.last() else { continue };
        let places: Vec<_> =
            shown.iter().map(|point| format!("{:.1} {:.1}", x.place(point.0), y.place(point.1))).collect();
        let told = format!("{}: {} at {}", curve.name, number(last.1), number(last.0));
        _ = write!(svg, "<g class=\"run{}\"><title>{}</title>", curve.run, escape(&told));
        _ = write!(svg, "<path class=\"curve\" d=\"M{}\"/>", places.join("L"));
        // Few points are evaluations, and each counts; one alone would make no line at all.
        if shown.len() <= 40 {
            for point in &shown {
                _ = write!(svg, "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\"/>", x.place(point.0), y.place(point.1));
            }
        }
        svg += "</g>";
    }
    svg += "</svg>";
    Some(svg)
}

/// Text between tags or quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}

/// From figures to pixels.
struct Axis {
    low: f64,
    high: f64,
    step: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// An axis on which all `values` find room, from one pixel to another.
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        // Figures at the edge of what a number can be leave no room for ticks beside them.
        let (low, high) = (low.clamp(-1e300, 1e300), high.clamp(-1e300, 1e300));
        let span = if high > low { high - low } else { low.abs().max(1.0) };
        let step = round_step(span / 5.0);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        let high = if high > low { high } else { low + step };
        Self { low, high, step, from, to }
    }

    fn place(&self, value: f64) -> f64 {
        self.from + (value.clamp(self.low, self.high) - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let count = ((self.high - self.low) / self.step).round().clamp(1.0, 20.0) as u32;
        (0..=count).map(|tick| self.low + f64::from(tick) * self.step)
    }

    /// A tick in the digits that tell it from its neighbours.
    fn told(&self, tick: f64) -> String {
        let digits = -self.step.log10().floor();
        let tick = if tick.abs() < self.step / 2.0 { 0.0 } else { tick };
        match digits {
            ..=-6.0 | 5.0.. if tick != 0.0 => format!("{tick:.1e}"),
            1.0..5.0 => format!("{tick:.*}", digits as usize),
            _ => format!("{tick:.0}"),
        }
    }
}

/// 1, 2 or 5 times a power of ten, not less than `wanted`.
fn round_step(wanted: f64) -> f64 {
    let power = 10_f64.powf(wanted.log10().floor());
    let steps = [1.0, 2.0, 5.0].map(|step| step * power);
    steps.into_iter().find(|step| *step >= wanted).unwrap_or(10.0 * power)
}

/// The lowest and the highest of neighbours, where there are too many points: peaks stay.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let neighbours = points.chunks(points.len().div_ceil(MOST_POINTS / 2));
    let extremes = neighbours.flat_map(|points| {
        let by_height = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let mut two: Vec<_> =
            points.iter().min_by(by_height).into_iter().chain(points.iter().max_by(by_height)).collect();
        two.sort_by(|a, b| a.0.total_cmp(&b.0));
        two
    });
    extremes.copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)]) -> Curve {
        Curve { run: 1, name: "a <b>".to_owned(), points: points.to_vec() }
    }

    #[test]
    fn ticks_are_round_and_hold_all_points() {
        for (values, first, last) in [(vec![0.0, 1.0], 0.0, 1.0), (vec![0.13, 0.87], 0.0, 1.0), (vec![3.0], 3.0, 4.0)] {
            let axis = Axis::over(values.clone().into_iter(), 0.0, 100.0);
            let ticks: Vec<f64> = axis.ticks().collect();
            assert!(
                (ticks[0] - first).abs() < 1e-9 && (ticks[ticks.len() - 1] - last).abs() < 1.0,
                "{values:?}: {ticks:?}"
            );
            assert!(values.iter().all(|value| (0.0..=100.0).contains(&axis.place(*value))));
        }
        let axis = Axis::over([1e-5, 2e-5].into_iter(), 0.0, 1.0);
        assert_eq!(axis.told(1.2e-5), "1.2e-5");
    }

    #[test]
    fn any_figures_are_drawn() {
        assert_eq!(svg("loss", &[]), None);
        assert_eq!(svg("loss", &[curve(&[(0.0, f64::NAN), (f64::INFINITY, 1.0)])]), None);
        for extreme in [0.0, 1e308, -1e308, 1e-308, 5e-324] {
            let drawn = svg("loss", &[curve(&[(1.0, extreme), (2.0, 0.5)]), curve(&[(1.0, extreme)])]).unwrap();
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{extreme}: {drawn}");
            assert!(drawn.contains("a &lt;b&gt;"));
        }
    }

    #[test]
    fn peaks_outlive_thinning() {
        let mut points: Vec<_> = (0..10_000).map(|at| (f64::from(at), 1.0)).collect();
        points[4321].1 = 9.0;
        let thin = thinned(&points);
        assert!(thin.len() <= MOST_POINTS && thin.contains(&(4321.0, 9.0)));
        assert!(thin.is_sorted_by(|a, b| a.0 <= b.0));
    }
}
