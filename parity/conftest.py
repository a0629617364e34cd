"""Models trained once for all tests."""

import pathlib
from dataclasses import dataclass

import pytest

import corpus
import pretrained
from program import Said, tunesmith, write_rows

MAX_LENGTH = 24


@dataclass(frozen=True)
class Trained:
    folder: pathlib.Path
    test: list[tuple[str, str]]
    said: Said


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pathlib.Path]:
    """One file for each split."""
    folder = tmp_path_factory.mktemp("rows")
    counts = {"train": (90, 1), "validation": (21, 2), "test": (33, 3)}
    return {
        split: write_rows(folder / f"{split}.csv", ["text", "label"], corpus.rows(count, seed)) for split, (count, seed) in counts.items()
    }


def train(model: object, rows: dict[str, pathlib.Path], output: pathlib.Path) -> Trained:
    said = tunesmith(
        "train", "--train", rows["train"], "--validation", rows["validation"], "--test", rows["test"], "--model", model,
        "--output", output, "--max-length", MAX_LENGTH, "--num-train-epochs", 2, "--learning-rate", "1e-3", "--eval-strategy", "epoch",
    )  # fmt: skip
    return Trained(output, corpus.rows(33, 3), said)


@pytest.fixture(scope="session")
def base_bert(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return pretrained.base_bert(tmp_path_factory.mktemp("base-bert"))


@pytest.fixture(scope="session")
def masked_distilbert(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return pretrained.masked_distilbert(tmp_path_factory.mktemp("masked-distilbert"))


@pytest.fixture(scope="session")
def trained_scratch(rows: dict, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train("scratch:small", rows, tmp_path_factory.mktemp("scratch") / "run")


@pytest.fixture(scope="session")
def trained_bert(base_bert: pathlib.Path, rows: dict, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(base_bert, rows, tmp_path_factory.mktemp("bert") / "run")


@pytest.fixture(scope="session")
def trained_distilbert(masked_distilbert: pathlib.Path, rows: dict, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(masked_distilbert, rows, tmp_path_factory.mktemp("distilbert") / "run")


@pytest.fixture(params=["scratch", "bert", "distilbert"])
def trained(request: pytest.FixtureRequest) -> Trained:
    return request.getfixturevalue(f"trained_{request.param}")
