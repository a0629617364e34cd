//! Against scipy, statsmodels and scikit-learn (`golden/honest_numbers.py`).

use metrics::{
    Binning, Bootstrap, CurvePoint, Intervals, McNemar, Metric, Predictions, Reliability, SelectiveCurve, Spread,
    Temperature, average_precision, best_f1_thresholds, brier_score, precision_recall_curve, proportion, roc_curve,
};
use serde_json::Value;

use crate::fixtures::{fixture, float, list, predictions};

/// Ratios of the same whole numbers and sums of at most 120 of them in another order.
const TOLERANCE: f64 = 1e-12;

/// What two implementations of the same special function may differ by, relative to the result.
const SPECIAL: f64 = 1e-9;

fn golden() -> Value {
    fixture("honest_numbers.json")
}

fn assert_close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found}, expected {expected}");
}

fn assert_points(found: &[CurvePoint], expected: Vec<(f64, f64, Option<f64>)>, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (point, (x, y, threshold)) in found.iter().zip(expected) {
        assert_close(point.x, x, TOLERANCE, what);
        assert_close(point.y, y, TOLERANCE, what);
        assert_eq!(Some(point.threshold).filter(|threshold| threshold.is_finite()), threshold, "{what}");
    }
}

/// Three lists of a fixture as points.
fn points(lists: &Value) -> Vec<(f64, f64, Option<f64>)> {
    let (x, y, thresholds): (Vec<f64>, Vec<f64>, Vec<Option<f64>>) =
        (list(&lists[0]), list(&lists[1]), list(&lists[2]));
    x.into_iter().zip(y).zip(thresholds).map(|((x, y), threshold)| (x, y, threshold)).collect()
}

#[test]
fn curves_are_scikit_learns() {
    for case in golden()["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let predictions = predictions(name);
        let thresholds = best_f1_thresholds(&predictions);
        for (class, expected) in case["curves"].as_array().unwrap().iter().enumerate() {
            let what = format!("{name}, class {class}");
            let roc = roc_curve(&predictions, class, usize::MAX);
            if expected.is_null() {
                assert_eq!(roc, None, "{what}");
                continue;
            }
            assert_points(&roc.unwrap(), points(&expected["roc"]), &what);
            // scikit-learn's begins with the lowest threshold.
            let backwards = points(&expected["precision_recall"]).into_iter().rev().collect();
            assert_points(&precision_recall_curve(&predictions, class, usize::MAX).unwrap(), backwards, &what);
            let average = average_precision(&predictions, class).unwrap();
            assert_close(average, float(&expected["average_precision"]), TOLERANCE, &what);
            assert_close(thresholds[class].unwrap().f1, float(&expected["best_f1"]), TOLERANCE, &what);
        }
    }
}

#[test]
fn calibration_is_scikit_learns() {
    for case in golden()["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let predictions = predictions(name);
        assert_close(brier_score(&predictions), float(&case["brier_score"]), TOLERANCE, name);
        for (binning, expected) in
            [(Binning::EqualWidth, &case["equal_width"]), (Binning::EqualMass, &case["equal_mass"])]
        {
            let found = Reliability::of(&predictions, binning, Reliability::USUAL_BINS).unwrap();
            let rows: Vec<u64> = found.bins().iter().map(|bin| bin.rows).collect();
            assert_eq!(rows, list::<u64>(&expected["rows"]), "{name}, {binning:?}");
            for ((bin, accuracy), confidence) in
                found.bins().iter().zip(list::<f64>(&expected["accuracy"])).zip(list::<f64>(&expected["confidence"]))
            {
                assert_close(bin.accuracy, accuracy, TOLERANCE, name);
                assert_close(bin.confidence, confidence, TOLERANCE, name);
            }
            assert_close(found.expected_error(), float(&expected["expected_error"]), TOLERANCE, name);
            assert_close(found.largest_error(), float(&expected["largest_error"]), TOLERANCE, name);
        }
    }
}

#[test]
fn answering_only_some_rows_is_as_counted() {
    for case in golden()["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let curve = SelectiveCurve::of(&predictions(name));
        for expected in case["selective"]["levels"].as_array().unwrap() {
            let found = curve.level_for(float(&expected[0]));
            assert_eq!(found.map(|level| level.answered), expected[1].as_u64(), "{name}");
            assert_eq!(found.map(|level| level.right), expected[2].as_u64(), "{name}");
        }
        assert_close(curve.mean_risk(), float(&case["selective"]["mean_risk"]), TOLERANCE, name);
    }
}

/// Two bootstraps of 10,000 resamples each differ in a bound by about 0.04 standard errors (the deviation of a quantile,
/// for a normal distribution); four times as much is allowed, and one step of a figure that moves in steps of a row.
fn assert_intervals(found: &Intervals, expected: &Value, rows: usize) {
    for (name, expected) in expected.as_object().unwrap() {
        let metric: Metric = name.parse().unwrap();
        let interval = found.get(metric).unwrap();
        let deviation = float(&expected["standard_error"]);
        let allowed = 0.16 * deviation + if metric == Metric::Accuracy { 1.0 / rows as f64 } else { 0.0 };
        println!("{name}: {interval:?} beside {expected}");
        assert_close(interval.low, float(&expected["low"]), allowed, name);
        assert_close(interval.high, float(&expected["high"]), allowed, name);
        // Its own relative deviation is 1 / sqrt(2 * 10,000) = 0.7% each.
        assert_close(interval.standard_error, deviation, 0.04 * deviation, name);
    }
}

const MANY: Bootstrap = Bootstrap { resamples: 10_000, confidence: 0.95, seed: 1, stratified: false };

#[test]
fn intervals_are_those_of_scipy() {
    for (name, expected) in golden()["intervals"].as_object().unwrap() {
        let predictions = predictions(name);
        assert_intervals(&Intervals::of(&predictions, &MANY).unwrap(), expected, predictions.rows());
    }
}

#[test]
fn intervals_of_a_difference_are_those_of_scipy() {
    let golden = golden();
    let ours = predictions("binary");
    let theirs: Vec<Vec<f64>> = list(&golden["differences"]["other_probabilities"]);
    let theirs = Predictions::from_probabilities(ours.labels(), &theirs.concat(), 2).unwrap();
    let found = Intervals::of_difference(&ours, &theirs, &MANY).unwrap();
    assert_intervals(&found, &golden["differences"]["binary"], ours.rows());
}

#[test]
fn mcnemar_is_that_of_statsmodels() {
    for case in golden()["mcnemar"].as_array().unwrap() {
        let [first, second] = list::<u64>(&case["counts"])[..] else { panic!("two counts") };
        let found = McNemar::from_counts(first, second);
        assert_eq!(found.exact, case["exact"].as_bool().unwrap(), "{case}");
        if first == second && !found.exact {
            // statsmodels corrects a difference of 0 to -1, and squares that.
            assert_eq!((found.statistic, found.p_value), (0.0, 1.0), "{case}");
            continue;
        }
        assert_close(found.statistic, float(&case["statistic"]), TOLERANCE, &case.to_string());
        let p_value = float(&case["p_value"]);
        assert_close(found.p_value, p_value, SPECIAL * p_value, &case.to_string());
    }
}

#[test]
fn bounds_of_a_proportion_are_those_of_statsmodels() {
    for case in golden()["proportions"].as_array().unwrap() {
        let (successes, rows) = (case["successes"].as_u64().unwrap(), case["rows"].as_u64().unwrap());
        let confidence = float(&case["confidence"]);
        let exact = proportion::clopper_pearson(successes, rows, confidence).unwrap();
        let wilson = proportion::wilson(successes, rows, confidence).unwrap();
        for (found, expected) in [(exact, &case["beta"]), (wilson, &case["wilson"])] {
            assert_close(found.0, float(&expected[0]), SPECIAL, &case.to_string());
            assert_close(found.1, float(&expected[1]), SPECIAL, &case.to_string());
        }
        let one_sided = proportion::at_least(successes, rows, 0.5 + 0.5 * confidence).unwrap();
        assert_close(one_sided, exact.0, TOLERANCE, &case.to_string());
    }
}

#[test]
fn spreads_are_those_of_scipy() {
    for case in golden()["spreads"].as_array().unwrap() {
        let spread = Spread::of(&list::<f64>(&case["figures"])).unwrap();
        assert_close(spread.mean, float(&case["mean"]), TOLERANCE, "mean");
        assert_close(spread.standard_deviation.unwrap(), float(&case["standard_deviation"]), TOLERANCE, "deviation");
        for (confidence, expected) in case["intervals"].as_object().unwrap() {
            let (low, high) = spread.interval(confidence.parse().unwrap()).unwrap().unwrap();
            assert_close(low, float(&expected[0]), SPECIAL, confidence);
            assert_close(high, float(&expected[1]), SPECIAL, confidence);
        }
    }
}

#[test]
fn temperatures_are_the_minima_that_scipy_finds() {
    for case in golden()["temperatures"].as_array().unwrap() {
        let logits: Vec<Vec<f32>> = list(&case["logits"]);
        let n_classes = case["classes"].as_u64().unwrap() as usize;
        let found = Temperature::fit(&list::<u32>(&case["y_true"]), &logits.concat(), n_classes).unwrap();
        println!("{found:?}");
        // scipy compares losses, which are flat at the minimum: half of the digits are left.
        assert_close(found.temperature, float(&case["temperature"]), 1e-6, "temperature");
        assert_close(found.loss_before, float(&case["loss_before"]), TOLERANCE, "loss before");
        assert_close(found.loss_after, float(&case["loss_after"]), TOLERANCE, "loss after");
    }
}
