"""A run folder as `tunesmith train` leaves it, without the training: a journal and the files that it speaks of."""

import json
import pathlib
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 22, 3, 44, 43, 123000, tzinfo=UTC)
LABELS = ["ham", "spam"]
FILE_DIGEST = "5e" * 32


def millis(seconds: float) -> int:
    """Of the moment so long after the beginning of the run."""
    return round((START + timedelta(seconds=seconds)).timestamp() * 1000)


class Journal:
    """Writes lines, one for each second."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.file = folder / "journal.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        self.sequence = len(lines)
        self.attempt = json.loads(lines[-1])["attempt"] + 1 if lines else 1

    def say(self, event: str, **what: object) -> int:
        """Adds a line and gives its time in milliseconds."""
        self.sequence += 1
        time = (START + timedelta(seconds=self.sequence)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"sequence": self.sequence, "attempt": self.attempt, "time": time, "event": event, **what}
        with open(self.file, "a") as file:
            file.write(json.dumps(line) + "\n")
        return millis(self.sequence)

    def log(self, step: int, loss: float | None) -> int:
        """A loss of `None` is one that is no number: JSON has no word for it."""
        return self.say(
            "log", step=step, epoch=step / 20, loss=loss, learning_rate=1e-5, grad_norm=1.5, tokens_per_second=900.0
        )  # fmt: skip

    def evaluate(self, split: str, step: int, f1: float) -> int:
        return self.say("evaluate", split=split, step=step, epoch=step / 20, metrics={"loss": 0.25, "f1": f1}, runtime=1.5)

    def train_begin(self, start_step: int = 0) -> int:
        return self.say(
            "train_begin", total_steps=40, start_step=start_step, num_train_epochs=2.0, train_samples=80,
            train_tokens_per_epoch=800, resumed_from=None,
        )  # fmt: skip

    def artifact(self, path: str, kind: str) -> int:
        return self.say("artifact", path=path, kind=kind)


def info(run_id: str, **settings: object) -> dict:
    """The first line of an attempt."""
    def split(rows: int) -> dict:
        return {"rows": rows, "tokens": 10 * rows, "truncated": 1, "class_counts": [rows - 2, 2], "lengths": {"width": 8, "counts": [rows]}}

    return {
        "run_id": run_id,
        "name": "sms",
        "command": ["tunesmith", "train", "sms.tsv"],
        "version": "0.1.0",
        "settings": {"learning_rate": 5e-5, "num_train_epochs": 2, "long": "x" * 9000, **settings},
        "model": {
            "source": "minilm", "model_type": "bert", "num_hidden_layers": 2, "hidden_size": 32, "parameters": 1000,
            "trainable_parameters": 1000, "max_length": 48,
        },
        "data": {
            "files": [{"path": "data/sms.tsv", "digest": FILE_DIGEST, "size": 99}],
            "text_column": "text", "label_column": "label", "labels": LABELS,
            "splits": {"train": split(80), "validation": split(10), "test": split(10)},
        },
        "machine": {"system": "linux x86_64", "processor": None, "threads": 2, "arithmetic": "f32", "memory_bytes": 8_000_000_000},
    }  # fmt: skip


def first_half(folder: pathlib.Path, run_id: str) -> None:
    """A run that somebody stopped."""
    journal = Journal(folder)
    journal.say("run_begin", **info(run_id))
    journal.train_begin()
    journal.log(10, 0.5)
    journal.say("system", step=10, cpu_percent=180.0, memory_bytes=500_000_000, memory_available_bytes=6_000_000_000)
    journal.log(20, None)
    journal.evaluate("eval", 20, 0.5)
    journal.say("run_end", status="interrupted", message="somebody asked for it")


def second_half(folder: pathlib.Path, run_id: str) -> None:
    """It goes on from step 15, with a setting changed, and ends."""
    journal = Journal(folder)
    (folder / "tunesmith.toml").write_text("learning_rate = 5e-5\n")
    (folder / "report.html").write_text("<html>report</html>")
    (folder / "check.json").write_text('{"duplicates": 403}')
    (folder / "README.md").write_text("# sms\n")
    (folder / "test_predictions.csv").write_text('row,label,predicted,p:ham,p:spam,text\n7,ham,ham,0.9,0.1,"Hello, you (ü)"\n')
    (folder / "plots").mkdir()
    (folder / "plots" / "loss curve #1.svg").write_text("<svg/>")
    journal.say("run_begin", **info(run_id, num_train_epochs=3))
    journal.train_begin(15)
    journal.log(20, None)
    journal.log(30, 0.25)
    journal.log(40, 0.125)
    journal.evaluate("eval", 40, 0.625)
    journal.say(
        "train_end", reason="completed", step=40, epoch=2.0, train_runtime=12.5, train_loss=0.2, best_step=40, best_metric=0.625
    )  # fmt: skip
    journal.evaluate("test", 40, 0.75)
    journal.say("results", results={"test_f1": 0.75, "train_loss": 0.2, "train_runtime": 12.5, "epoch": 2.0})
    for path, kind in [
        ("tunesmith.toml", "settings"), ("test_predictions.csv", "results"), ("check.json", "results"), ("plots", "results"),
        (".", "model"), ("report.html", "report"),
    ]:  # fmt: skip
        journal.artifact(path, kind)
    journal.say("run_end", status="finished", message=None)
