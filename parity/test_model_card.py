"""The model card is one to huggingface_hub: its own parser reads the metadata, and the results in it, as they were meant. The page
runs its own script and no other."""

import base64
import csv
import hashlib
import html.parser
import json
import pathlib

import pytest
import yaml
from huggingface_hub import ModelCard
from sklearn import metrics

from program import tunesmith

PLAIN = ["ham", "spam"]
# Names that mean something to YAML, Markdown or HTML when they are not quoted.
HOSTILE = ["no", "- a: [b]", 'quo"te\\', "<b>|*x*", "a\nb: c\n---", "\u202ebidi \u0000 \u0085"]


def made_up_run(folder: pathlib.Path, name: str, labels: list[str], source: str) -> pathlib.Path:
    """A run as its folder tells it: the beginning of a journal and predictions on test rows, four in five of them right."""
    begin = {
        "sequence": 1, "attempt": 1, "time": "2026-11-22T03:44:43.123Z", "event": "run_begin",
        "run_id": "0123456789abcdef", "name": name, "command": ["tunesmith", "train", "rows.csv"], "version": "0.1.0",
        "settings": {"learning_rate": 5e-5, "metric_for_best_model": "f1"},
        "model": {
            "source": source, "model_type": "bert", "num_hidden_layers": 6, "hidden_size": 384,
            "parameters": 22713216, "trainable_parameters": 22713216, "max_length": 128,
        },
        "data": {
            "files": [{"path": f"data/{name}.csv", "digest": "00", "size": 1000}],
            "text_column": "text", "label_column": "label", "labels": labels, "splits": {},
        },
        "machine": {"system": "linux x86_64", "processor": None, "threads": 2, "arithmetic": "f32", "memory_bytes": None},
    }  # fmt: skip
    (folder / "journal.jsonl").write_text(json.dumps(begin) + "\n", encoding="utf-8")
    with open(folder / "test_predictions.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "label", "predicted", *(f"p:{label}" for label in labels), "text"])
        for row in range(60):
            label = row % len(labels)
            said = (label + 1) % len(labels) if row % 5 == 0 else label
            scores = [0.7 if known == said else 0.3 / (len(labels) - 1) for known in range(len(labels))]
            writer.writerow([row + 1, labels[label], labels[said], *scores, f"text {row}"])
    return folder


@pytest.fixture(params=["plain", "hostile"])
def run(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> pathlib.Path:
    if request.param == "plain":
        return made_up_run(tmp_path, "sms", PLAIN, "sentence-transformers/all-MiniLM-L6-v2")
    return made_up_run(tmp_path, HOSTILE[4], HOSTILE, "/home/me/a model: [x]")


def test_the_hub_reads_the_results(run: pathlib.Path) -> None:
    tunesmith("report", run)
    card = ModelCard.load(run / "README.md", ignore_metadata_errors=False)
    with open(run / "test_predictions.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    truth, said = [row["label"] for row in rows], [row["predicted"] for row in rows]
    expected = {
        "accuracy": metrics.accuracy_score(truth, said),
        "f1": metrics.f1_score(truth, said, average="macro"),
        "matthews_correlation": metrics.matthews_corrcoef(truth, said),
    }
    results = {result.metric_type: result for result in card.data.eval_results}
    for name, value in expected.items():
        # The card has six decimals.
        assert results[name].metric_value == pytest.approx(value, abs=1e-6), name
        assert results[name].task_type == "text-classification"
        assert results[name].dataset_split == "test"
        assert results[name].verified is False
    assert results["f1"].metric_args == {"average": "macro"}
    assert set(card.data.metrics) == set(results)


def test_the_hub_reads_the_rest(run: pathlib.Path) -> None:
    tunesmith("report", run)
    card = ModelCard.load(run / "README.md", ignore_metadata_errors=False)
    data = card.data.to_dict()
    assert data["library_name"] == "transformers"
    assert data["pipeline_tag"] == "text-classification"
    assert "license" not in data and "language" not in data, "what is not known is not said"
    known = "sentence-transformers/all-MiniLM-L6-v2"
    assert data.get("base_model") == (known if known in (run / "journal.jsonl").read_text() else None)
    assert set(data) <= {"library_name", "pipeline_tag", "base_model", "tags", "metrics", "model-index"}
    # What the parser writes again is the same metadata.
    again = ModelCard(f"---\n{card.data.to_yaml()}\n---\n{card.text}", ignore_metadata_errors=False)
    assert again.data.to_dict() == data
    assert yaml.safe_load(card.data.to_yaml())["model-index"] == data["model-index"]


def test_names_of_classes_are_names_in_the_text(run: pathlib.Path) -> None:
    tunesmith("report", run)
    text = ModelCard.load(run / "README.md").text
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == ["## Intended use", "## Procedure", "## Results", "## Limits", "## How to use"]
    assert "<b>" not in text and "\u202e" not in text and "\u0000" not in text


class Page(html.parser.HTMLParser):
    """The scripts of a page, its policy, and whatever it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.policy = ""
        self.loaded: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        named = dict(attrs)
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = named["content"] or ""
        self.loaded += [value for name, value in attrs if name in ("src", "href", "srcset", "data") and not (value or "").startswith("#")]

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts.append(data)


def test_the_page_runs_its_own_script_and_loads_nothing(run: pathlib.Path) -> None:
    tunesmith("report", run)
    page = Page()
    page.feed((run / "report.html").read_text(encoding="utf-8"))
    assert page.loaded == []
    assert len(page.scripts) == 1
    digest = base64.b64encode(hashlib.sha256(page.scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page.policy, "after a change of sort.js its hash has to be changed"
