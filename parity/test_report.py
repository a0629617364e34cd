"""The measures that tunesmith reports are scikit-learn's, of what it predicts."""

import json
import pathlib

import pytest
from sklearn import metrics

import corpus
from conftest import Trained
from program import predictions, tunesmith, write_rows

# Both sides compute in float64 from scores that were written as decimal numbers.
TOLERANCE = 1e-6


def expected(trained: Trained, folder: pathlib.Path) -> tuple[dict[str, float], list[int], list[int]]:
    rows = predictions(trained.folder, [text for text, _ in trained.test], folder)
    truth = [corpus.LABELS.index(label) for _, label in trained.test]
    predicted = [corpus.LABELS.index(row["label"]) for row in rows]
    scores = [[row["scores"][label] for label in corpus.LABELS] for row in rows]
    every = list(range(len(corpus.LABELS)))
    measures = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "f1": metrics.f1_score(truth, predicted, average="macro", zero_division=0),
        "loss": metrics.log_loss(truth, scores, labels=every),
    }
    return measures, truth, predicted


def test_results_of_the_test_rows(trained: Trained, tmp_path: pathlib.Path) -> None:
    written = json.loads((trained.folder / "all_results.json").read_text())
    measures, _, _ = expected(trained, tmp_path)
    for name, value in measures.items():
        assert written[f"test_{name}"] == pytest.approx(value, abs=TOLERANCE if name != "loss" else 1e-4), name


def test_report_is_printed_as_scikit_learn_prints_it(trained: Trained, tmp_path: pathlib.Path) -> None:
    _, truth, predicted = expected(trained, tmp_path)
    for digits in (2, 4):
        report = metrics.classification_report(truth, predicted, target_names=corpus.LABELS, digits=digits, zero_division=0)
        wanted = [line.strip() for line in report.splitlines() if line.strip()]
        said = [line.strip() for line in trained.said.all.splitlines()]
        if all(line in said for line in wanted):
            return
    raise AssertionError(f"the report was not found; with two digits it is\n{report}\nand this was said:\n{trained.said.all}")


def test_evaluate_says_what_train_said(trained: Trained, tmp_path: pathlib.Path) -> None:
    test = write_rows(tmp_path / "test.csv", ["text", "label"], trained.test)
    said = tunesmith("evaluate", trained.folder, test).all
    _, truth, predicted = expected(trained, tmp_path)
    found = False
    for digits in (2, 4):
        report = metrics.classification_report(truth, predicted, target_names=corpus.LABELS, digits=digits, zero_division=0)
        found = found or all(line.strip() in said for line in report.splitlines())
    assert found, said


def test_files_of_results_have_the_trainers_keys(trained: Trained) -> None:
    golden = pathlib.Path(__file__).parent.parent / "golden" / "fixtures" / "trainer_output"
    for name in ["all_results.json", "trainer_state.json"]:
        ours, theirs = (json.loads((folder / name).read_text()) for folder in (trained.folder, golden))
        assert set(theirs) - set(ours) == set(), f"keys of {name} that the Trainer writes and we do not"
    state = json.loads((trained.folder / "trainer_state.json").read_text())
    kinds = {"loss": {"grad_norm", "learning_rate"}, "eval_loss": {"eval_accuracy", "eval_f1", "eval_runtime"}}
    evaluations = [entry for entry in state["log_history"] if "eval_loss" in entry]
    assert len(evaluations) == 2, "one for each epoch"
    for entry in state["log_history"]:
        assert {"epoch", "step"} <= set(entry)
        for mark, others in kinds.items():
            if mark in entry:
                assert others <= set(entry)
