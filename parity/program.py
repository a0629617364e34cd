"""Runs tunesmith and reads what it writes."""

import csv
import json
import os
import pathlib
import subprocess
from dataclasses import dataclass

PROGRAM = os.environ.get("TUNESMITH_BIN", "")
TIME_LIMIT = 600


@dataclass(frozen=True)
class Said:
    """What a command printed: `out` for its answer, `all` for everything."""

    out: str
    all: str


def tunesmith(*arguments: object) -> Said:
    """Runs the program; a failure shows the command and all that it said."""
    if not PROGRAM:
        raise RuntimeError("TUNESMITH_BIN is not set: start these tests with parity/run.sh")
    command = [PROGRAM, *(str(argument) for argument in arguments)]
    # What is held against transformers in f32 is computed in f32, whatever is fastest here.
    if arguments[0] in ("train", "evaluate", "predict") and "--precision" not in arguments:
        command += ["--precision", "f32"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=TIME_LIMIT, stdin=subprocess.DEVNULL)
    said = Said(done.stdout, done.stdout + done.stderr)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\nended with {done.returncode}:\n{said.all}")
    return said


def write_rows(path: pathlib.Path, columns: list[str], rows: list[tuple]) -> pathlib.Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def predictions(model: pathlib.Path, texts: list[str], folder: pathlib.Path, precision: str = "f32") -> list[dict]:
    """Of each text what `predict --input --output` says, in the order of the texts: label, score, and scores by label."""
    asked = folder / "asked.jsonl"
    asked.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    answered = folder / "answered.jsonl"
    answered.unlink(missing_ok=True)
    tunesmith("predict", model, "--input", asked, "--output", answered, "--precision", precision)
    rows = [json.loads(line) for line in answered.read_text(encoding="utf-8").splitlines()]
    assert [row["text"] for row in rows] == texts
    return rows


def token_ids(model: pathlib.Path, text: str) -> list[int]:
    """Of `tokenize`, whose lines each hold an id and a piece."""
    lines = tunesmith("tokenize", model, text).out.splitlines()
    first_words = [line.split()[0] for line in lines if line.strip()]
    return [int(word) for word in first_words if word.isdigit()]
