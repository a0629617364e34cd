"""What scikit-learn's TF-IDF and logistic regression make of a few messages, and of the example's rows."""

import csv
import json
import os
import warnings

from sklearn import metrics
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "examples", "support-desk")

TRAIN = [
    ("Where is my parcel? The parcel should have come on Monday.", "delivery"),
    ("My parcel came late and the box was wet.", "delivery"),
    ("the courier never rang, where did he leave the parcel", "delivery"),
    ("Is it on its way? Tracking says nothing since Monday!", "delivery"),
    ("I want my money back for the broken lamp.", "refund"),
    ("Money back please: the lamp was broken when the box came", "refund"),
    ("When do I get the refund? I sent the shoes back on Monday.", "refund"),
    ("refund refund refund, I have asked for my money three times", "refund"),
    ("Größe 42 oder 43? Does the shoe run small?", "other"),
    ("Can I change my e-mail address, and the password?", "other"),
    ("what_is your address in Zürich", "other"),
    ("", "other"),
]
TEST = [
    "Where is the refund?",
    "the lamp is broken",
    "parcel parcel parcel",
    "Tracking of my parcel says that it went back",
    "my password, my password",
    "nothing that any of them said: xyz",
    "",
]


def fit(texts: list[str], labels: list, sublinear: bool, c: float) -> tuple[TfidfVectorizer, LogisticRegression]:
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=sublinear)
    # Solved to the last digits: with the default tolerance the second digit of a logit is still open.
    model = LogisticRegression(C=c, solver="newton-cg", tol=1e-10, max_iter=10_000)
    model.fit(vectorizer.fit_transform(texts), labels)
    return vectorizer, model


def logits(vectorizer: TfidfVectorizer, model: LogisticRegression, texts: list[str]) -> list:
    """For two classes one column: how far the second is above the first. For more, centred in each row."""
    scores = model.decision_function(vectorizer.transform(texts))
    if scores.ndim == 1:
        return [[score] for score in scores.tolist()]
    return (scores - scores.mean(axis=1, keepdims=True)).tolist()


def small() -> list[dict]:
    made = []
    for classes in [["delivery", "refund"], ["delivery", "other", "refund"]]:
        rows = [(text, classes.index(label)) for text, label in TRAIN if label in classes]
        texts, labels = zip(*rows)
        for sublinear, c in [(True, 1.0), (False, 1.0), (True, 100.0)]:
            vectorizer, model = fit(list(texts), list(labels), sublinear, c)
            made.append(
                {
                    "classes": len(classes),
                    "sublinear": sublinear,
                    "c": c,
                    "texts": texts,
                    "labels": labels,
                    "features": len(vectorizer.vocabulary_),
                    "asked": TEST,
                    "logits": logits(vectorizer, model, TEST),
                }
            )
    return made


def example() -> list[dict]:
    def read(name: str) -> tuple[list[str], list[str]]:
        with open(os.path.join(EXAMPLE, name), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return [row["text"] for row in rows], [row["label"] for row in rows]

    (texts, labels), (asked, truth) = read("train.csv"), read("test.csv")
    made = []
    for sublinear, c in [(False, 1.0), (True, 1.0), (True, 10.0)]:
        vectorizer, model = fit(texts, labels, sublinear, c)
        predicted = model.predict(vectorizer.transform(asked))
        made.append(
            {
                "sublinear": sublinear,
                "c": c,
                "features": len(vectorizer.vocabulary_),
                "accuracy": metrics.accuracy_score(truth, predicted),
                "f1": metrics.f1_score(truth, predicted, average="macro"),
                "first_logits": logits(vectorizer, model, asked[:5]),
            }
        )
    return made


def write(path: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = {"small": small(), "example": example()}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(made, file, ensure_ascii=False, indent=1)
        file.write("\n")
