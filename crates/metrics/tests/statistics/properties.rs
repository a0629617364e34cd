//! What holds for any rows.

use metrics::{
    Binning, Bootstrap, ClassificationMetrics, CurvePoint, Intervals, McNemar, Metric, Predictions, Reliability,
    SelectiveCurve, Temperature, average_precision, best_f1_thresholds, brier_score, precision_recall_curve, roc_auc,
    roc_curve,
};
use proptest::prelude::*;

use crate::fixtures::made;

/// Sums of a few hundred terms.
const TOLERANCE: f64 = 1e-10;

const FEW: Bootstrap = Bootstrap { resamples: 60, confidence: 0.9, seed: 3, stratified: false };

prop_compose! {
    /// Labels and logits; logits are coarse, so that ties are common.
    fn split()(classes in 1usize..6, rows in 1usize..40)(
        labels in prop::collection::vec(0..classes as u32, rows),
        logits in prop::collection::vec((-8i8..8).prop_map(|step| f32::from(step) / 2.0), rows * classes),
        others in prop::collection::vec((-8i8..8).prop_map(|step| f32::from(step) / 2.0), rows * classes),
        classes in Just(classes),
    ) -> (Vec<u32>, Vec<f32>, Vec<f32>, usize) {
        (labels, logits, others, classes)
    }
}

fn of((labels, logits, _, classes): &(Vec<u32>, Vec<f32>, Vec<f32>, usize)) -> Predictions {
    Predictions::from_logits(labels, logits, *classes).unwrap()
}

fn area(curve: &[CurvePoint]) -> f64 {
    curve.windows(2).map(|ends| (ends[1].x - ends[0].x) * (ends[0].y + ends[1].y) / 2.0).sum()
}

proptest! {
    #[test]
    fn intervals_are_in_order_and_within_what_is_possible(split in split(), stratified: bool) {
        let predictions = of(&split);
        let metrics = ClassificationMetrics::of(&predictions);
        let intervals = Intervals::of(&predictions, &Bootstrap { stratified, ..FEW }).unwrap();
        for (metric, interval) in intervals.iter() {
            prop_assert_eq!(Some(interval.value), metrics.value(metric));
            prop_assert!(interval.low <= interval.high && interval.standard_error >= 0.0, "{:?}", interval);
            if !matches!(metric, Metric::Loss | Metric::LogLoss | Metric::MatthewsCorrelation) {
                prop_assert!(interval.low >= 0.0 && interval.high <= 1.0 + TOLERANCE, "{:?}", interval);
            }
        }
        if let (true, Some(recall)) = (stratified && split.3 == 1, intervals.get(Metric::Recall)) {
            prop_assert_eq!((recall.low, recall.high), (1.0, 1.0));
        }
    }

    #[test]
    fn a_model_does_not_differ_from_itself(split in split()) {
        let predictions = of(&split);
        for (_, interval) in Intervals::of_difference(&predictions, &predictions, &FEW).unwrap().iter() {
            prop_assert_eq!((interval.low, interval.value, interval.high), (0.0, 0.0, 0.0));
        }
        prop_assert_eq!(McNemar::of(&predictions, &predictions).unwrap().p_value, 1.0);
    }

    #[test]
    fn a_difference_has_two_sides(split in split()) {
        let (labels, _, others, classes) = &split;
        let (ours, theirs) = (of(&split), Predictions::from_logits(labels, others, *classes).unwrap());
        let one = Intervals::of_difference(&ours, &theirs, &FEW).unwrap();
        let other = Intervals::of_difference(&theirs, &ours, &FEW).unwrap();
        for ((metric, one), (_, other)) in one.iter().zip(other.iter()) {
            prop_assert!((one.low + other.high).abs() <= TOLERANCE, "{metric:?}: {one:?} {other:?}");
            prop_assert!((one.high + other.low).abs() <= TOLERANCE, "{metric:?}: {one:?} {other:?}");
        }
        let (one, other) = (McNemar::of(&ours, &theirs).unwrap(), McNemar::of(&theirs, &ours).unwrap());
        prop_assert_eq!((one.only_first, one.p_value), (other.only_second, other.p_value));
        let by_accuracy = (one.only_first as f64 - one.only_second as f64) / labels.len() as f64;
        let accuracy = ClassificationMetrics::of(&ours).accuracy - ClassificationMetrics::of(&theirs).accuracy;
        prop_assert!((by_accuracy - accuracy).abs() <= TOLERANCE);
    }

    #[test]
    fn mcnemar_finds_nothing_between_equals(count in 0u64..2000) {
        prop_assert!(McNemar::from_counts(count, count).p_value > 1.0 - TOLERANCE);
    }

    #[test]
    fn mcnemar_gives_a_probability(first in 0u64..2000, second in 0u64..2000) {
        let found = McNemar::from_counts(first, second);
        prop_assert!((0.0..=1.0).contains(&found.p_value), "{found:?}");
        let clearer = McNemar::from_counts(first.max(second) + 2, first.min(second));
        if clearer.exact == found.exact {
            prop_assert!(clearer.p_value <= found.p_value + TOLERANCE, "{found:?} {clearer:?}");
        }
    }

    #[test]
    fn the_area_under_the_roc_curve_is_roc_auc(split in split()) {
        let predictions = of(&split);
        let curves: Option<Vec<_>> = (0..split.3).map(|class| roc_curve(&predictions, class, usize::MAX)).collect();
        if let Some(auc) = roc_auc(&predictions) {
            let curves = curves.unwrap();
            let areas: Vec<f64> = curves.iter().map(|curve| area(curve)).collect();
            let expected = if split.3 == 2 { areas[1] } else { areas.iter().sum::<f64>() / areas.len() as f64 };
            prop_assert!((auc - expected).abs() <= TOLERANCE);
        }
        for class in 0..split.3 {
            prop_assert!(average_precision(&predictions, class).is_none_or(|it| (0.0..=1.0 + TOLERANCE).contains(&it)));
        }
    }

    #[test]
    fn every_bin_is_between_its_ends(split in split(), n_bins in 1usize..20, equal_mass: bool) {
        let binning = if equal_mass { Binning::EqualMass } else { Binning::EqualWidth };
        let predictions = of(&split);
        let found = Reliability::of(&predictions, binning, n_bins).unwrap();
        prop_assert!(found.bins().len() <= n_bins);
        prop_assert_eq!(found.bins().iter().map(|bin| bin.rows).sum::<u64>(), predictions.rows() as u64);
        for bin in found.bins() {
            prop_assert!(bin.confidence >= bin.lower - TOLERANCE && bin.confidence <= bin.upper + TOLERANCE, "{bin:?}");
        }
        let error = found.expected_error();
        prop_assert!(0.0 <= error && error <= found.largest_error() + TOLERANCE && error <= 1.0);
        prop_assert!((0.0..=2.0).contains(&brier_score(&predictions)));
    }

    #[test]
    fn a_temperature_never_makes_the_loss_worse(split in split(), factor in 0.5f32..2.0) {
        let (labels, logits, _, classes) = &split;
        if let Ok(found) = Temperature::fit(labels, logits, *classes) {
            prop_assert!(found.loss_after <= found.loss_before, "{found:?}");
            prop_assert!((0.1..=10.0).contains(&found.temperature) && found.standard_error > 0.0, "{found:?}");
            let scaled: Vec<f32> = logits.iter().map(|logit| logit * factor).collect();
            if let Ok(again) = Temperature::fit(labels, &scaled, *classes) {
                let expected = found.temperature * f64::from(factor);
                // Logits that are multiplied are rounded to single precision.
                prop_assert!((again.temperature - expected).abs() <= 1e-4 * expected, "{again:?} {expected}");
            }
            let already = Temperature::fit(labels, &found.scale(logits), *classes).unwrap();
            prop_assert!((already.temperature - 1.0).abs() <= 1e-4, "{already:?}");
        }
    }

    #[test]
    fn a_threshold_gives_what_it_promises(split in split()) {
        let predictions = of(&split);
        for (class, found) in best_f1_thresholds(&predictions).into_iter().enumerate() {
            let Some(found) = found else { continue };
            let taken = |(probability, _): &(f64, bool)| *probability >= found.threshold;
            let rows: Vec<(f64, bool)> = predictions.one_against_rest(class).collect();
            let right = rows.iter().filter(|row| taken(row) && row.1).count() as f64;
            prop_assert!((found.recall - right / found.support as f64).abs() <= TOLERANCE);
            prop_assert!((found.precision - right / rows.iter().filter(|row| taken(row)).count() as f64).abs() <= TOLERANCE);
            prop_assert!((found.f1 - 2.0 / (1.0 / found.precision + 1.0 / found.recall)).abs() <= TOLERANCE);
        }
    }

    #[test]
    fn a_level_answers_what_it_promises(split in split(), wanted in 0.0f64..=1.0) {
        let predictions = of(&split);
        let curve = SelectiveCurve::of(&predictions);
        for level in curve.levels() {
            let answered: Vec<_> = predictions.answers().filter(|(confidence, _)| *confidence >= level.level).collect();
            prop_assert_eq!(answered.len() as u64, level.answered);
            prop_assert_eq!(answered.iter().filter(|(_, right)| *right).count() as u64, level.right);
            prop_assert!(level.precision_at_least(0.95).unwrap() <= level.precision() + TOLERANCE);
        }
        let accuracy = ClassificationMetrics::of(&predictions).accuracy;
        match curve.level_for(wanted) {
            Some(level) => prop_assert!(level.precision() >= wanted),
            None => prop_assert!(accuracy < wanted),
        }
        if let Some(sure) = curve.level_with_bound(wanted, 0.9).unwrap() {
            prop_assert!(sure.answered <= curve.level_for(wanted).unwrap().answered);
        }
        prop_assert!((0.0..=1.0).contains(&curve.mean_risk()));
    }
}

/// The accuracy of resamples is a binomial variable, whose quantiles are known.
#[test]
fn the_interval_of_accuracy_is_binomial() {
    let predictions = made(400);
    let right = predictions.answers().filter(|(_, right)| *right).count();
    let share = right as f64 / 400.0;
    let mut probability = (1.0 - share).powi(400);
    let (mut below, mut quantiles) = (0.0, Vec::new());
    for successes in 0..=400 {
        for wanted in [0.025, 0.975] {
            if below < wanted && below + probability >= wanted {
                quantiles.push(f64::from(successes) / 400.0);
            }
        }
        below += probability;
        probability *= f64::from(400 - successes) / f64::from(successes + 1) * share / (1.0 - share);
    }
    let interval = Intervals::of(&predictions, &Bootstrap::default()).unwrap().get(Metric::Accuracy).unwrap();
    // A quantile of 1,000 resamples deviates by 0.08 standard errors, here half a row; one and a half are allowed.
    assert!((interval.low - quantiles[0]).abs() <= 1.5 / 400.0, "{interval:?} {quantiles:?}");
    assert!((interval.high - quantiles[1]).abs() <= 1.5 / 400.0, "{interval:?} {quantiles:?}");
    let error = (share * (1.0 - share) / 400.0).sqrt();
    assert!((interval.standard_error / error - 1.0).abs() < 0.1, "{interval:?}, expected {error}");
}

#[test]
fn intervals_depend_on_the_seed_and_on_nothing_else() {
    let predictions = made(300);
    let of = |seed, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Intervals::of(&predictions, &Bootstrap { seed, ..Bootstrap::default() }).unwrap())
    };
    assert_eq!(of(1, 1), of(1, 3));
    let accuracy = |seed| of(seed, 1).get(Metric::LogLoss).unwrap();
    assert_ne!(accuracy(1), accuracy(2));
}

#[test]
fn a_thinned_curve_is_the_same_picture() {
    let predictions = made(5000);
    for (whole, thinned) in [
        (roc_curve(&predictions, 1, usize::MAX), roc_curve(&predictions, 1, 100)),
        (precision_recall_curve(&predictions, 1, usize::MAX), precision_recall_curve(&predictions, 1, 100)),
    ] {
        let (whole, thinned) = (whole.unwrap(), thinned.unwrap());
        assert!(whole.len() > 3000 && thinned.len() == 100, "{} {}", whole.len(), thinned.len());
        assert_eq!((whole[0], whole[whole.len() - 1]), (thinned[0], thinned[99]));
        let farthest = whole.iter().map(|point| distance(*point, &thinned)).fold(0.0, f64::max);
        println!("farthest point is {farthest} away, areas {} and {}", area(&whole), area(&thinned));
        // A pixel of a diagram of 200 pixels, but where precision begins to jump between its first few rows.
        let behind_the_first = whole.iter().filter(|point| point.x > 0.02);
        let farthest = behind_the_first.map(|point| distance(*point, &thinned)).fold(0.0, f64::max);
        assert!(farthest < 0.005, "{farthest}");
        assert!((area(&whole) - area(&thinned)).abs() < 0.001);
    }
    let risk = SelectiveCurve::of(&predictions).risk_curve(50);
    assert_eq!((risk.len(), risk[49].x), (50, 1.0));
}

/// From a point to a line of points.
fn distance(point: CurvePoint, line: &[CurvePoint]) -> f64 {
    let to_piece = |ends: &[CurvePoint]| {
        let (dx, dy) = (ends[1].x - ends[0].x, ends[1].y - ends[0].y);
        let along = ((point.x - ends[0].x) * dx + (point.y - ends[0].y) * dy) / (dx * dx + dy * dy);
        let along = along.clamp(0.0, 1.0);
        (ends[0].x + along * dx - point.x).hypot(ends[0].y + along * dy - point.y)
    };
    line.windows(2).map(to_piece).fold(f64::INFINITY, f64::min)
}
