//! Against scikit-learn's own figures and text (`golden/fixtures/metrics.json`), and properties that hold for any input.

use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use super::{ClassScores, ClassificationMetrics, Metric, MetricError, Predictions, mean_cross_entropy};

/// Figures are ratios of the same whole numbers as scikit-learn's; log loss and AUC sum up to 120 terms in another
/// order, and the fixture's decimals may be read one bit off.
const TOLERANCE: f64 = 1e-12;

#[test]
fn agrees_with_scikit_learn() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/fixtures/metrics.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let fixture: Value = serde_json::from_str(&text).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    assert!(cases.len() >= 5, "only {} cases", cases.len());

    let mut largest_difference = 0f64;
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let class_names: Vec<String> = serde_json::from_value(case["labels"].clone()).unwrap();
        let labels: Vec<u32> = serde_json::from_value(case["y_true"].clone()).unwrap();
        let rows: Vec<Vec<f64>> = serde_json::from_value(case["probabilities"].clone()).unwrap();
        let metrics = ClassificationMetrics::from_probabilities(&labels, &rows.concat(), class_names.len()).unwrap();
        let expected = &case["expected"];

        let mut compare = |what: &str, found: Option<f64>, expected: &Value| {
            assert_eq!(found.is_some(), expected.is_number(), "{name}: {what} is {found:?}, expected {expected}");
            if let (Some(found), Some(expected)) = (found, expected.as_f64()) {
                let difference = (found - expected).abs();
                assert!(difference <= TOLERANCE, "{name}: {what} is {found}, expected {expected}");
                largest_difference = largest_difference.max(difference);
            }
        };
        for what in [
            "accuracy",
            "precision_macro",
            "recall_macro",
            "f1_macro",
            "precision_weighted",
            "recall_weighted",
            "f1_weighted",
            "matthews_corrcoef",
            "log_loss",
            "roc_auc",
        ] {
            compare(what, metrics.get(what).unwrap(), &expected[what]);
        }
        for (class, scores) in metrics.per_class.iter().enumerate() {
            let ClassScores { precision, recall, f1, support } = *scores;
            compare("precision", Some(precision), &expected["precision_per_class"][class]);
            compare("recall", Some(recall), &expected["recall_per_class"][class]);
            compare("f1", Some(f1), &expected["f1_per_class"][class]);
            compare("support", Some(support as f64), &expected["support_per_class"][class]);
        }
        assert_eq!(Value::from(metrics.confusion.counts().to_vec()), expected["confusion_matrix"], "{name}");
        for digits in [2, 4] {
            let report = metrics.classification_report(&class_names, digits).unwrap();
            let expected = expected[format!("classification_report_digits_{digits}")].as_str().unwrap();
            assert_eq!(report, expected, "{name}");
        }
    }
    println!("largest difference from scikit-learn: {largest_difference:e}");
}

/// The weighted F1 is 0.78125 but for its last bit, which decides how it prints; the figures are scikit-learn 1.9.1's.
#[test]
fn averages_of_many_classes_round_as_scikit_learn_rounds_them() {
    let labels = [1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 5, 6, 6, 7, 8, 8];
    let predicted = [1, 1, 0, 2, 2, 3, 4, 3, 3, 4, 5, 6, 6, 7, 8, 4];
    let logits: Vec<f32> =
        predicted.iter().flat_map(|&best| (0..9).map(move |class| f32::from(u8::from(class == best)))).collect();
    let metrics = ClassificationMetrics::compute(&labels, &logits, 9).unwrap();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let report = metrics.classification_report(&names, 4).unwrap();
    let expected = "
    accuracy                         0.7500        16
   macro avg     0.7778    0.7407    0.7148        16
weighted avg     0.9167    0.7500    0.7813        16
";
    assert!(report.ends_with(expected), "{report}");
}

#[test]
fn logits_give_the_figures_of_their_softmax() {
    let metrics = ClassificationMetrics::compute(&[0, 1, 1], &[2.0, 0.0, 0.0, 0.0, 0.0, 1.0], 2).unwrap();
    let by_hand = ((1.0 + (-2f64).exp()).ln() + 2f64.ln() + (1.0 + (-1f64).exp()).ln()) / 3.0;
    assert!((metrics.loss.unwrap() - by_hand).abs() < 1e-15);
    assert!((metrics.log_loss - by_hand).abs() < 1e-15);
    assert_eq!(metrics.confusion.counts(), [[1, 0], [1, 1]], "of equal logits the first wins");
    assert_eq!(metrics.roc_auc, Some(1.0));
}

#[test]
fn huge_logits_keep_the_loss_finite() {
    let loss = mean_cross_entropy(&[0], &[f32::MIN, f32::MAX], 2).unwrap();
    assert_eq!(loss, 2.0 * f64::from(f32::MAX));
    let metrics = ClassificationMetrics::compute(&[0], &[f32::MIN, f32::MAX], 2).unwrap();
    assert_eq!(metrics.log_loss, -f64::EPSILON.ln());
}

fn roc_auc(labels: &[u32], probabilities: &[f64], n_classes: usize) -> Option<f64> {
    super::roc_auc(&Predictions::from_probabilities(labels, probabilities, n_classes).unwrap())
}

#[test]
fn roc_auc_is_undefined_without_both_sides() {
    assert_eq!(roc_auc(&[0, 0], &[0.5, 0.5, 0.1, 0.9], 2), None);
    assert_eq!(roc_auc(&[0, 1], &[0.5, 0.3, 0.2, 0.1, 0.8, 0.1], 3), None, "class 2 has no row");
    assert_eq!(roc_auc(&[0], &[1.0], 1), None);
    assert_eq!(ClassificationMetrics::compute(&[0], &[1.0, 0.0], 2).unwrap().to_json("")["roc_auc"], Value::Null);
}

#[test]
fn bad_input_is_named_by_row_and_class() {
    let of_logits = |labels: &[u32], logits: &[f32]| ClassificationMetrics::compute(labels, logits, 2).unwrap_err();
    assert_eq!(of_logits(&[], &[]), MetricError::Empty { rows: 0, classes: 2 });
    assert_eq!(of_logits(&[0], &[0.0; 3]), MetricError::ScoreCount { rows: 1, classes: 2, found: 3 });
    assert_eq!(of_logits(&[0, 2], &[0.0; 4]), MetricError::LabelOutOfRange { row: 2, label: 2, classes: 2 });
    let infinite = of_logits(&[0, 1], &[0.0, 0.0, 0.0, f32::INFINITY]);
    assert_eq!(infinite, MetricError::NonFiniteLogit { row: 2, class: 1, value: f32::INFINITY });
    let not_a_number = of_logits(&[0, 1], &[f32::NAN, 0.0, 0.0, 0.0]).to_string();
    assert!(not_a_number.contains("row 1 for class 0 is NaN"), "{not_a_number}");

    let of_probabilities = |row: &[f64]| ClassificationMetrics::from_probabilities(&[0], row, 2).unwrap_err();
    assert_eq!(of_probabilities(&[0.5, 1.5]), MetricError::NotAProbability { row: 1, class: 1, value: 1.5 });
    assert_eq!(of_probabilities(&[0.5, 0.25]), MetricError::ProbabilitySum { row: 1, sum: 0.75 });

    let metrics = ClassificationMetrics::compute(&[0], &[1.0, 0.0], 2).unwrap();
    let expected = MetricError::NameCount { classes: 2, found: 1 };
    assert_eq!(metrics.classification_report(&["ham"], 2).unwrap_err(), expected);
    assert_eq!(metrics.confusion_table(&["ham"]).unwrap_err(), expected);
}

#[test]
fn every_metric_is_found_by_its_names() {
    for metric in Metric::all() {
        assert_eq!(metric.name().parse(), Ok(metric));
        assert_eq!(format!("eval_{}", metric.name()).parse(), Ok(metric));
        assert_eq!(metric.greater_is_better(), !metric.name().ends_with("loss"));
    }
    assert_eq!("macro_f1".parse(), Ok(Metric::F1));
    assert_eq!("eval_f1_macro".parse(), Ok(Metric::F1));
    assert_eq!("weighted_f1".parse(), Ok(Metric::F1Weighted));
    assert_eq!("precision_macro".parse(), Ok(Metric::Precision));
    assert_eq!("mcc".parse(), Ok(Metric::MatthewsCorrelation));
    let error = "eval_bleu".parse::<Metric>().unwrap_err().to_string();
    assert!(error.starts_with("find metric `eval_bleu`: expected one of accuracy, f1, macro_f1"), "{error}");
    assert!(error.ends_with("loss (each also with the prefix `eval_`)"), "{error}");
}

#[test]
fn json_keeps_the_order_and_the_prefix() {
    let json = ClassificationMetrics::compute(&[0, 1], &[1.0, 0.0, 0.0, 1.0], 2).unwrap().to_json("test_");
    let names: Vec<&str> = json.keys().map(String::as_str).collect();
    assert_eq!(names[..4], ["test_accuracy", "test_f1", "test_precision", "test_recall"]);
    assert_eq!(names.len(), Metric::all().count());
    assert_eq!(json["test_f1"], 1.0);
}

#[test]
fn confusion_table_is_aligned_by_characters() {
    let logits = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]].concat();
    let metrics = ClassificationMetrics::compute(&[0, 1, 2, 1], &logits, 3).unwrap();
    let table = metrics.confusion_table(&["ja", "größer", "x"]).unwrap();
    let expected = "\
true \\ predicted  ja  größer  x
              ja   1       0  0
          größer   1       1  0
               x   0       0  1
";
    assert_eq!(table, expected);
}

prop_compose! {
    /// Labels and logits; logits are coarse, so that ties are common.
    fn split()(classes in 1usize..12, rows in 1usize..40)(
        labels in prop::collection::vec(0..classes as u32, rows),
        logits in prop::collection::vec((-8i8..8).prop_map(|step| f32::from(step) / 2.0), rows * classes),
        shift in 0..rows,
        classes in Just(classes),
    ) -> (Vec<u32>, Vec<f32>, usize, usize) {
        (labels, logits, classes, shift)
    }
}

proptest! {
    #[test]
    fn figures_stay_in_their_bounds((labels, logits, classes, _) in split()) {
        let metrics = ClassificationMetrics::compute(&labels, &logits, classes).unwrap();
        for metric in Metric::all() {
            let Some(value) = metrics.value(metric) else {
                prop_assert_eq!(metric, Metric::RocAuc);
                continue;
            };
            let (low, high) = match metric {
                Metric::Loss | Metric::LogLoss => (0.0, f64::MAX),
                Metric::MatthewsCorrelation => (-1.0 - TOLERANCE, 1.0 + TOLERANCE),
                _ => (0.0, 1.0 + TOLERANCE),
            };
            prop_assert!((low..=high).contains(&value), "{metric:?} is {value}");
        }
        prop_assert!((metrics.accuracy - metrics.weighted_average.recall).abs() <= TOLERANCE);
        // Logits that differ by less than 8 leave no probability to clip.
        prop_assert!((metrics.log_loss - metrics.loss.unwrap()).abs() <= TOLERANCE);
    }

    #[test]
    fn the_order_of_rows_does_not_matter((mut labels, mut logits, classes, shift) in split()) {
        let before = ClassificationMetrics::compute(&labels, &logits, classes).unwrap();
        labels.rotate_left(shift);
        logits.rotate_left(shift * classes);
        let after = ClassificationMetrics::compute(&labels, &logits, classes).unwrap();
        prop_assert_eq!(&before.confusion, &after.confusion);
        for metric in Metric::all() {
            match metric {
                Metric::Loss | Metric::LogLoss => {
                    let difference = before.value(metric).unwrap() - after.value(metric).unwrap();
                    prop_assert!(difference.abs() <= TOLERANCE, "{metric:?} moved by {difference}");
                }
                _ => prop_assert_eq!(before.value(metric), after.value(metric)),
            }
        }
    }

    #[test]
    fn the_confusion_matrix_accounts_for_every_row((labels, logits, classes, _) in split()) {
        let metrics = ClassificationMetrics::compute(&labels, &logits, classes).unwrap();
        let confusion = &metrics.confusion;
        prop_assert_eq!(confusion.total(), labels.len() as u64);
        prop_assert_eq!(metrics.rows(), confusion.predicted_totals().iter().sum::<u64>());
        for (class, &support) in confusion.true_totals().iter().enumerate() {
            prop_assert_eq!(support, labels.iter().filter(|&&label| label as usize == class).count() as u64);
            prop_assert_eq!(support, metrics.per_class[class].support);
        }
        prop_assert_eq!(metrics.accuracy, confusion.correct() as f64 / labels.len() as f64);
    }

    #[test]
    fn swapping_two_classes_keeps_the_area((labels, logits) in (2usize..30).prop_flat_map(|rows| (
        prop::collection::vec(0u32..2, rows),
        prop::collection::vec((0u8..=8).prop_map(|step| f64::from(step) / 8.0), rows),
    ))) {
        let rows: Vec<f64> = logits.iter().flat_map(|&p| [1.0 - p, p]).collect();
        let swapped_rows: Vec<f64> = logits.iter().flat_map(|&p| [p, 1.0 - p]).collect();
        let swapped_labels: Vec<u32> = labels.iter().map(|label| 1 - label).collect();
        prop_assert_eq!(roc_auc(&labels, &rows, 2), roc_auc(&swapped_labels, &swapped_rows, 2));
        let reversed = roc_auc(&swapped_labels, &rows, 2).map(|area| 1.0 - area);
        match (roc_auc(&labels, &rows, 2), reversed) {
            (Some(area), Some(reversed)) => prop_assert!((area - reversed).abs() <= TOLERANCE),
            (area, reversed) => prop_assert_eq!(area, reversed),
        }
    }
}
