"""Suspect labels beside cleanlab: 5% of all labels are flipped on purpose; how many of those stand in the first 5% of each list?

    python -m venv DIR && DIR/bin/pip install -r bench/requirements-suspect.txt
    cargo build --release
    DIR/bin/python bench/suspect.py --data DATA --minilm MODEL [--only imdb] [--seeds 1 2 3] [--keep FILE]

Per seed the rows are drawn, flipped and split 80/20, and MiniLM is trained once. The lists:

    tunesmith         suspect_labels.csv, which that run writes anyway
    same run          cleanlab on the probabilities that the run's model gives all rows: one more pass over the training rows, without learning
    two folds         cleanlab on probabilities out of sample: two models, each trained on one half, with the same settings. In passes that learn
                      that is the budget of the run (5/4 of it, since all rows take part), and it leaves no model to use. Five folds cost 5 times as much
    linear            cleanlab on probabilities out of sample of a linear n-gram model, five folds, seconds; the texts are cut to what MiniLM reads

Of each cleanlab list the best of three orders counts: by self-confidence, by normalized margin, and `find_label_issues` first.
"""

import argparse
import csv
import json
import math
import pathlib
import random
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Callable

import cleanlab
import inputs
import machine
import numpy as np
import rows
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

SHARE = 0.05
HERE = pathlib.Path(__file__).parent


@dataclass(frozen=True)
class Job:
    name: str
    read: Callable[[pathlib.Path], list[rows.Row]]
    rows: int
    words: int
    epochs: int
    max_length: int = 128
    batch: int = 8

    def draw(self, data: pathlib.Path, seed: int) -> list[rows.Row]:
        drawn = self.read(data)
        random.Random(seed).shuffle(drawn)
        return [(" ".join(text.split()[: self.words]), label) for text, label in drawn[: self.rows]]

    def options(self, seed: int) -> list[object]:
        return [
            "--num-train-epochs", self.epochs, "--max-length", self.max_length, "--batch-size", self.batch, "--seed", seed,
            "--validation-size", 0, "--save-strategy", "no", "--eval-strategy", "no", "--label-column", "label", "--text-column", "text",
        ]  # fmt: skip


JOBS = [
    Job("sms", lambda data: rows.read_sms_spam(inputs.find(data, "SMSSpamCollection")), rows=5574, words=10_000, epochs=3),
    # 128 tokens are about 95 words of a review.
    Job("imdb", inputs.reviews, rows=1500, words=95, epochs=2),
]


def flip(drawn: list[rows.Row], seed: int) -> tuple[list[rows.Row], set[int]]:
    """The rows with 5% of their labels replaced by another, and which they are."""
    names = sorted({label for _, label in drawn})
    chosen = random.Random(seed + 1000)
    flipped = set(chosen.sample(range(len(drawn)), round(SHARE * len(drawn))))
    other = {at: chosen.choice([name for name in names if name != drawn[at][1]]) for at in sorted(flipped)}
    return [(text, other.get(at, label)) for at, (text, label) in enumerate(drawn)], flipped


@dataclass(frozen=True)
class Tunesmith:
    program: str
    model: pathlib.Path
    threads: int

    def train(self, job: Job, seed: int, folder: pathlib.Path, train: list[rows.Row], test: list[rows.Row]) -> tuple[pathlib.Path, dict]:
        """Trains in `folder` and returns the run's folder and its results."""
        folder.mkdir()
        files = [rows.write_csv(folder / name, part) for name, part in (("train.csv", train), ("test.csv", test))]
        run = folder / "run"
        self.call("train", "--train", files[0], "--test", files[1], "--model", self.model, "--output", run, "--quiet", *job.options(seed))
        return run, json.loads((run / "all_results.json").read_text())

    def probabilities(self, run: pathlib.Path, asked: list[rows.Row], names: list[str]) -> np.ndarray:
        """Of each label for each row."""
        with tempfile.TemporaryDirectory() as scratch:
            answers = pathlib.Path(scratch) / "answers.jsonl"
            file = rows.write_csv(pathlib.Path(scratch) / "asked.csv", asked)
            self.call("predict", run, "--input", file, "--text-column", "text", "--output", answers, "--quiet")
            scores = [json.loads(line)["scores"] for line in answers.read_text().splitlines()]
        return np.array([[each[name] for name in names] for each in scores])

    def call(self, *command: object) -> None:
        threads = ["--threads", str(self.threads)] if self.threads else []
        done = subprocess.run([self.program, *map(str, command), *threads], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"failed to run tunesmith {' '.join(map(str, command))}:\n{done.stderr[-4000:]}")


def listed(run: pathlib.Path, train_rows: int) -> list[int]:
    """The rows of `suspect_labels.csv`, training rows first and test rows behind them."""
    with open(run / "suspect_labels.csv", newline="") as file:
        found = [(row["split"], int(row["row"])) for row in csv.DictReader(file)]
    return [row - 1 + (0 if split == "train" else train_rows) for split, row in found]


def orders(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, list[int]]:
    """cleanlab's lists, each of all rows."""
    probabilities = np.clip(probabilities, 1e-12, 1)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    found = {}
    for method in ("self_confidence", "normalized_margin"):
        quality = cleanlab.rank.get_label_quality_scores(labels, probabilities, method=method)
        found[method] = np.argsort(quality, kind="stable").tolist()
    first = cleanlab.filter.find_label_issues(labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1).tolist()
    found["find_label_issues"] = first + [row for row in found["self_confidence"] if row not in set(first)]
    return found


def linear(texts: list[str], labels: np.ndarray) -> np.ndarray:
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return cross_val_predict(model, texts, labels, cv=folds, method="predict_proba")


def two_folds(ours: Tunesmith, job: Job, seed: int, folder: pathlib.Path, planted: list[rows.Row], names: list[str]) -> np.ndarray:
    """Probabilities of all rows, each from a model that learnt from the half it is not in."""
    labels = [label for _, label in planted]
    found = np.zeros((len(planted), len(names)))
    for fold, (learnt, asked) in enumerate(StratifiedKFold(2, shuffle=True, random_state=seed).split(labels, labels)):
        train, test = ([planted[at] for at in part] for part in (learnt, asked))
        run, _ = ours.train(job, seed, folder / f"fold-{fold}", train, test)
        found[asked] = ours.probabilities(run, test, names)
    return found


def measure(ours: Tunesmith, job: Job, data: pathlib.Path, seed: int, folds: bool, folder: pathlib.Path) -> dict:
    """Recall in the first 5% of each list, for one seed."""
    planted, flipped = flip(job.draw(data, seed), seed)
    names = sorted({label for _, label in planted})
    labels = np.array([names.index(label) for _, label in planted])
    train_rows = round(0.8 * len(planted))
    budget = math.ceil(SHARE * len(planted))

    def recall(order: list[int]) -> float:
        return len(flipped.intersection(order[:budget])) / len(flipped)

    def best(probabilities: np.ndarray) -> dict:
        each = {name: recall(order) for name, order in orders(labels, probabilities).items()}
        return {"recall": max(each.values()), "orders": each}

    run, results = ours.train(job, seed, folder / "whole", planted[:train_rows], planted[train_rows:])
    found = {
        "tunesmith": {"recall": recall(listed(run, train_rows))},
        "same run": best(ours.probabilities(run, planted, names)),
        "linear": best(linear([text for text, _ in planted], labels)),
    }
    if folds:
        found["two folds"] = best(two_folds(ours, job, seed, folder, planted, names))
    trained = {name: results[name] for name in ("train_runtime", "test_accuracy")}
    return {"job": job.name, "seed": seed, "rows": len(planted), "flipped": len(flipped)} | trained | {"lists": found}


def table(measured: list[dict]) -> str:
    lines = ["| rows | list | recall in the first 5% by seed | mean |", "| --- | --- | --- | --- |"]
    for job in dict.fromkeys(each["job"] for each in measured):
        of_job = [each for each in measured if each["job"] == job]
        for name in dict.fromkeys(name for each in of_job for name in each["lists"]):
            recalls = [each["lists"][name]["recall"] for each in of_job if name in each["lists"]]
            lines.append(f"| {job} | {name} | {', '.join(f'{each:.3f}' for each in recalls)} | {statistics.fmean(recalls):.3f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--minilm", type=pathlib.Path, required=True)
    parser.add_argument("--tunesmith", default=str(HERE.parent / "target/release/tunesmith"))
    parser.add_argument("--only", choices=[job.name for job in JOBS], action="append")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--no-folds", action="store_true", help="leave out the two folds, which cost as much as the run")
    parser.add_argument("--threads", type=int, default=0, help="for our program, 0 for all; the lists do not depend on it")
    parser.add_argument("--keep", type=pathlib.Path, help="file of the results; other seeds and jobs in it stay, and lists left out now")
    asked = parser.parse_args()

    ours = Tunesmith(asked.tunesmith, asked.minilm, asked.threads)
    versions = {"cleanlab": cleanlab.__version__, "scikit_learn": sklearn.__version__}
    kept = json.loads(asked.keep.read_text()) if asked.keep and asked.keep.exists() else {"measured": []}
    for job in (job for job in JOBS if not asked.only or job.name in asked.only):
        for seed in asked.seeds:
            with tempfile.TemporaryDirectory() as folder:
                one = measure(ours, job, asked.data, seed, not asked.no_folds, pathlib.Path(folder))
            which = ("job", "seed", "rows")
            before = [each for each in kept["measured"] if all(each[name] == one[name] for name in which)]
            others = [each for each in kept["measured"] if each not in before]
            for each in before:
                one["lists"] = each["lists"] | one["lists"]
            kept = {"machine": machine.describe(), "versions": versions, "measured": [*others, one]}
            if asked.keep:
                asked.keep.write_text(json.dumps(kept, indent=1) + "\n")
            print(json.dumps(one), flush=True)
    print(table(sorted(kept["measured"], key=lambda each: (each["job"], each["seed"]))))


if __name__ == "__main__":
    main()
