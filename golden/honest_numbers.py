"""What scipy, statsmodels and scikit-learn say of how sure one can be of a figure: intervals, tests, curves, calibration.

    python golden/honest_numbers.py         (in an environment with golden/honest-numbers-requirements.txt)

Apart from make.py because it alone needs statsmodels, with all that this brings. Predictions are those of fixtures/metrics.json.
"""

import json
import os
import warnings

import numpy
import scipy.optimize
import scipy.special
import scipy.stats
from sklearn import calibration, metrics
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures")
BINS = 15
RESAMPLES = 10_000


def macro_f1(truth: numpy.ndarray, predicted: numpy.ndarray, classes: int) -> float:
    """scikit-learn's, but a hundred times as fast, which 10,000 resamples need."""
    counts = numpy.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)
    return float(numpy.mean(2 * counts.diagonal() / numpy.maximum(counts.sum(0) + counts.sum(1), 1)))


def figures(truth: numpy.ndarray, probabilities: numpy.ndarray) -> dict[str, float]:
    predicted = probabilities.argmax(axis=1)
    classes = probabilities.shape[1]
    chosen = numpy.clip(probabilities[numpy.arange(len(truth)), truth], numpy.finfo(float).eps, 1 - numpy.finfo(float).eps)
    result = {
        "accuracy": float(numpy.mean(truth == predicted)),
        "f1": macro_f1(truth, predicted, classes),
        "log_loss": float(-numpy.log(chosen).mean()),
    }
    if classes == 2 and len(numpy.unique(truth)) == 2:
        ranks = scipy.stats.rankdata(probabilities[:, 1])
        positives = int(truth.sum())
        below = ranks[truth == 1].sum() - positives * (positives + 1) / 2
        result["roc_auc"] = float(below / (positives * (len(truth) - positives)))
    return result


def bootstrap(truth: numpy.ndarray, statistic) -> dict:
    """scipy's percentile bootstrap of a statistic of row numbers, with its standard error."""
    made = scipy.stats.bootstrap(
        (numpy.arange(len(truth)),), statistic, n_resamples=RESAMPLES, method="percentile", vectorized=False, rng=7
    )
    low, high = made.confidence_interval
    return {"low": float(low), "high": float(high), "standard_error": float(made.standard_error)}


def intervals(truth: numpy.ndarray, probabilities: numpy.ndarray) -> dict:
    return {
        name: bootstrap(truth, lambda rows, name=name: figures(truth[rows], probabilities[rows])[name])
        for name in figures(truth, probabilities)
    }


def differences(truth: numpy.ndarray, ours: numpy.ndarray, theirs: numpy.ndarray) -> dict:
    def difference(rows: numpy.ndarray, name: str) -> float:
        return figures(truth[rows], ours[rows])[name] - figures(truth[rows], theirs[rows])[name]

    return {name: bootstrap(truth, lambda rows, name=name: difference(rows, name)) for name in figures(truth, ours)}


def curves(truth: numpy.ndarray, scores: numpy.ndarray) -> dict:
    """One class against the rest; thresholds that nothing reaches are null."""
    false_rate, true_rate, roc_thresholds = metrics.roc_curve(truth, scores, drop_intermediate=False)
    precision, recall, thresholds = metrics.precision_recall_curve(truth, scores)
    f1 = 2 * precision * recall / numpy.maximum(precision + recall, 1e-300)
    return {
        "roc": [false_rate.tolist(), true_rate.tolist(), [None, *roc_thresholds[1:].tolist()]],
        "precision_recall": [recall.tolist(), precision.tolist(), [*thresholds.tolist(), None]],
        "average_precision": float(metrics.average_precision_score(truth, scores)),
        "best_f1": float(f1.max()),
    }


def reliability(right: numpy.ndarray, confidence: numpy.ndarray, strategy: str) -> dict:
    accuracy, mean_confidence = calibration.calibration_curve(right, confidence, n_bins=BINS, strategy=strategy)
    ends = numpy.linspace(0, 1, BINS + 1)
    if strategy == "quantile":
        ends = numpy.percentile(confidence, ends * 100)
    bins = numpy.searchsorted(ends[1:-1], confidence)
    rows = numpy.bincount(bins, minlength=BINS)
    rows = rows[rows > 0]
    gaps = numpy.abs(accuracy - mean_confidence)
    return {
        "accuracy": accuracy.tolist(),
        "confidence": mean_confidence.tolist(),
        "rows": rows.tolist(),
        "expected_error": float((rows / len(right) * gaps).sum()),
        "largest_error": float(gaps.max()),
    }


def selective(right: numpy.ndarray, confidence: numpy.ndarray, wanted: list[float]) -> dict:
    """By trying every level."""
    levels = numpy.unique(confidence)[::-1]
    answered = numpy.array([(confidence >= level).sum() for level in levels])
    correct = numpy.array([right[confidence >= level].sum() for level in levels])
    precision = correct / answered
    chosen = []
    for least in wanted:
        fit = numpy.flatnonzero(precision >= least)
        chosen.append([least, int(answered[fit[-1]]), int(correct[fit[-1]])] if len(fit) else [least, None, None])
    added = numpy.diff(answered, prepend=0)
    return {"levels": chosen, "mean_risk": float(((1 - precision) * added).sum() / len(right))}


def of_case(case: dict) -> dict:
    truth, probabilities = numpy.array(case["y_true"]), numpy.array(case["probabilities"])
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    right, confidence = predicted == truth, probabilities.max(axis=1)
    return {
        "name": case["name"],
        "curves": [curves(truth == each, probabilities[:, each]) if 0 < (truth == each).sum() < len(truth) else None for each in range(classes)],
        "equal_width": reliability(right, confidence, "uniform"),
        "equal_mass": reliability(right, confidence, "quantile"),
        "brier_score": float(metrics.brier_score_loss(truth, probabilities, labels=list(range(classes)))),
        "selective": selective(right, confidence, [0.5, 0.7, 0.9, 0.99, 1.0]),
    }


def temperature(name: str, classes: int, rows: int, scale: float, seed: int) -> dict:
    random = numpy.random.default_rng(seed)
    honest = random.normal(0.0, 1.5, size=(rows, classes))
    truth = [int(random.choice(classes, p=scipy.special.softmax(row))) for row in honest]
    logits = numpy.round(honest * scale, 3).astype(numpy.float32).astype(float)

    def loss(inverse: float) -> float:
        return float(-scipy.special.log_softmax(logits * inverse, axis=1)[numpy.arange(rows), truth].mean())

    best = scipy.optimize.minimize_scalar(loss, bounds=(0.05, 20.0), method="bounded", options={"xatol": 1e-12})
    return {
        "name": name,
        "classes": classes,
        "y_true": truth,
        "logits": numpy.round(logits, 3).tolist(),
        "temperature": 1 / best.x,
        "loss_before": loss(1.0),
        "loss_after": loss(best.x),
    }


def tests() -> list[dict]:
    made = []
    for first, second in [(0, 0), (1, 0), (5, 3), (0, 9), (12, 12), (20, 4), (13, 12), (25, 25), (40, 22), (301, 250), (0, 600)]:
        exact = first + second < 25
        result = mcnemar([[0, first], [second, 0]], exact=exact, correction=True)
        made.append({"counts": [first, second], "exact": exact, "statistic": float(result.statistic), "p_value": float(result.pvalue)})
    return made


def proportions() -> list[dict]:
    made = []
    for successes, rows in [(0, 1), (1, 1), (0, 30), (30, 30), (7, 20), (99, 100), (9_950, 10_000), (123_456, 200_000)]:
        for confidence in [0.8, 0.95, 0.999]:
            ends = {method: proportion_confint(successes, rows, alpha=1 - confidence, method=method) for method in ["beta", "wilson"]}
            bounds = {method: [float(numpy.clip(numpy.nan_to_num(end, nan=nan), 0, 1)) for end, nan in zip(both, [0, 1])] for method, both in ends.items()}
            made.append({"successes": successes, "rows": rows, "confidence": confidence, **bounds})
    return made


def spreads() -> list[dict]:
    made = []
    for figures_of_runs in [[0.91, 0.93], [0.9, 0.92, 0.91], [0.5, 0.5, 0.5], [0.81, 0.79, 0.84, 0.8, 0.82, 0.78, 0.8, 0.81, 0.83, 0.8]]:
        mean, deviation = numpy.mean(figures_of_runs), numpy.std(figures_of_runs, ddof=1)
        error = deviation / numpy.sqrt(len(figures_of_runs))
        ends = {
            str(confidence): [float(mean + sign * scipy.stats.t.ppf((1 + confidence) / 2, len(figures_of_runs) - 1) * error) for sign in (-1, 1)]
            for confidence in [0.5, 0.95, 0.999]
        }
        made.append({"figures": figures_of_runs, "mean": float(mean), "standard_deviation": float(deviation), "intervals": ends})
    return made


def main() -> None:
    with open(os.path.join(FIXTURES, "metrics.json"), encoding="utf-8") as file:
        cases = {case["name"]: case for case in json.load(file)["cases"]}
    binary, other = cases["binary"], cases["four_classes"]
    truth = numpy.array(binary["y_true"])
    ours = numpy.array(binary["probabilities"])
    # Another model on the same rows: less sure of itself, and led astray on every fifth.
    theirs = numpy.round(0.25 + 0.5 * ours, 6)
    theirs[::5] = theirs[::5, ::-1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = {
            "cases": [of_case(case) for case in cases.values()],
            "intervals": {
                "binary": intervals(truth, ours),
                "four_classes": intervals(numpy.array(other["y_true"]), numpy.array(other["probabilities"])),
            },
            "differences": {"other_probabilities": theirs.tolist(), "binary": differences(truth, ours, theirs)},
            "mcnemar": tests(),
            "proportions": proportions(),
            "spreads": spreads(),
            "temperatures": [
                temperature("too sure", 3, 60, 3.0, seed=11),
                temperature("not sure enough", 2, 50, 0.4, seed=12),
                temperature("right", 5, 80, 1.0, seed=13),
            ],
        }
    with open(os.path.join(FIXTURES, "honest_numbers.json"), "w", encoding="utf-8") as file:
        file.write("{" + ",\n".join(f"{json.dumps(name)}: {json.dumps(part)}" for name, part in made.items()) + "}\n")


if __name__ == "__main__":
    main()
