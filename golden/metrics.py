"""What scikit-learn says of a few predictions: every measure that a test report shows."""

import json
import warnings

import numpy
from sklearn import metrics

UNDEFINED_IS = {"zero_division": 0}


def softmax(scores: numpy.ndarray) -> numpy.ndarray:
    powers = numpy.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def drawn(rows: int, classes: list[int], total: int, seed: int, never_predicted: int | None = None) -> tuple[list[int], list]:
    """Labels out of `classes` and probabilities that lean towards them, rounded so that JSON holds them exactly."""
    random = numpy.random.default_rng(seed)
    truth = random.choice(classes, size=rows)
    scores = random.normal(0.0, 1.0, size=(rows, total))
    scores[numpy.arange(rows), truth] += 1.2
    if never_predicted is not None:
        scores[:, never_predicted] -= 8.0
    probabilities = numpy.round(softmax(scores), 6)
    # Rounding moves the sums; the first class takes up the difference, so that each row sums to one again.
    probabilities[:, 0] = numpy.round(1.0 - probabilities[:, 1:].sum(axis=1), 6)
    return truth.tolist(), probabilities.tolist()


def cases() -> list[dict]:
    made = []

    def add(name: str, labels: list[str], truth: list[int], probabilities: list) -> None:
        made.append({"name": name, "labels": labels, "y_true": truth, "probabilities": probabilities})

    add("binary", ["ham", "spam"], *drawn(60, [0, 0, 0, 1], 2, seed=1))
    add("binary_ties", ["no", "yes"], [0, 1, 0, 1, 1, 0], [[0.5, 0.5], [0.5, 0.5], [0.7, 0.3], [0.3, 0.7], [0.7, 0.3], [0.3, 0.7]])
    add("binary_perfect", ["no", "yes"], [0, 1, 1, 0], [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [1.0, 0.0]])
    add("binary_certain_and_wrong", ["no", "yes"], [0, 1, 1, 0], [[0.0, 1.0], [0.2, 0.8], [1.0, 0.0], [1.0, 0.0]])
    add("binary_one_class_in_truth", ["no", "yes"], [1, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    add("four_classes", ["business", "sport", "world", "a rather long label name"], *drawn(120, [0, 1, 2, 3], 4, seed=2))
    add("four_classes_one_never_predicted", ["a", "b", "c", "d"], *drawn(80, [0, 1, 2, 3], 4, seed=3, never_predicted=2))
    add("four_classes_one_absent_from_truth", ["a", "b", "c", "d"], *drawn(80, [0, 1, 3], 4, seed=4))
    return made


def expected(case: dict) -> dict:
    names, truth = case["labels"], numpy.array(case["y_true"])
    probabilities = numpy.array(case["probabilities"])
    every = list(range(len(names)))
    predicted = probabilities.argmax(axis=1)
    result: dict = {"y_pred": predicted.tolist(), "accuracy": metrics.accuracy_score(truth, predicted)}
    for average in ["macro", "weighted"]:
        scores = metrics.precision_recall_fscore_support(truth, predicted, labels=every, average=average, **UNDEFINED_IS)
        for measure, value in zip(["precision", "recall", "f1"], scores):
            result[f"{measure}_{average}"] = float(value)
    scores = metrics.precision_recall_fscore_support(truth, predicted, labels=every, average=None, **UNDEFINED_IS)
    for measure, values in zip(["precision", "recall", "f1", "support"], scores):
        result[f"{measure}_per_class"] = values.tolist()
    result["matthews_corrcoef"] = float(metrics.matthews_corrcoef(truth, predicted))
    result["log_loss"] = float(metrics.log_loss(truth, probabilities, labels=every))
    result["roc_auc"] = roc_auc(truth, probabilities)
    result["confusion_matrix"] = metrics.confusion_matrix(truth, predicted, labels=every).tolist()
    for digits in [2, 4]:
        result[f"classification_report_digits_{digits}"] = metrics.classification_report(
            truth, predicted, labels=every, target_names=names, digits=digits, **UNDEFINED_IS
        )
    return result


def roc_auc(truth: numpy.ndarray, probabilities: numpy.ndarray) -> float | None:
    """None where the truth lacks a class: the area is not defined then."""
    classes = probabilities.shape[1]
    if len(numpy.unique(truth)) < classes:
        return None
    if classes == 2:
        return float(metrics.roc_auc_score(truth, probabilities[:, 1]))
    return float(metrics.roc_auc_score(truth, probabilities, multi_class="ovr", average="macro"))


def write(path: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = [{**case, "expected": expected(case)} for case in cases()]
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"cases": [\n' + ",\n".join(json.dumps(case) for case in made) + "\n]}\n")
