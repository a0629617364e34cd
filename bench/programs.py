"""Runs one program from start to end: ours, the peers, and the one that measures the processor.

Never two at once. Speed is rows (or real tokens) by the seconds of work as the program itself reports them; the wall clock of the whole
process and its largest memory are kept beside it.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field

from inputs import Rows
from jobs import Settings

HERE = pathlib.Path(__file__).parent


@dataclass(frozen=True)
class Run:
    """What one program did with a file of rows. `seconds` is zero where it was killed."""

    program: str
    rows: int
    tokens: int
    seconds: float
    wall_seconds: float
    peak_rss_bytes: int
    load_average: float
    """Of the minute before it began: what else the machine was doing."""
    killed: bool = False
    reported: dict = field(default_factory=dict)

    def kept(self) -> dict:
        return asdict(self) | {"rows_per_second": speed(self.rows, self), "tokens_per_second": speed(self.tokens, self)}


def speed(amount: int, run: Run) -> float | None:
    return None if run.killed else amount / run.seconds


@dataclass(frozen=True)
class Ended:
    out: str
    seconds: float
    peak: int
    load: float
    killed: bool


def execute(command: list[object], environment: dict[str, str] | None = None, may_be_killed: bool = False) -> Ended:
    """Standard output, wall clock time and the largest memory of a command."""
    command = [str(part) for part in command]
    load, started = os.getloadavg()[0], time.monotonic()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=os.environ | (environment or {}))
        if may_be_killed:
            offer(child.pid)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - started
        out.seek(0)
        err.seek(0)
        killed = may_be_killed and child.returncode == -9
        if child.returncode != 0 and not killed:
            raise SystemExit(f"failed to run {' '.join(command)}: it ended with {child.returncode}\n{out.read()}\n{err.read()[-4000:]}")
        return Ended(out.read(), seconds, usage.ru_maxrss * 1024, load, killed)


def offer(process: int) -> None:
    """Where memory runs out, the system ends this process rather than another."""
    try:
        pathlib.Path(f"/proc/{process}/oom_score_adj").write_text("1000")
    except OSError:
        pass  # another system than Linux, or the process is over


@dataclass(frozen=True)
class Programs:
    """How the programs are called."""

    ours: str
    threads: int
    cache: pathlib.Path

    def onnx(self, model: str, kind: str) -> pathlib.Path:
        """Where a checkpoint lies as onnxruntime reads it."""
        return self.cache / f"{model}-{kind}.onnx"

    def _threads(self) -> list[object]:
        return ["--threads", self.threads] if self.threads else []

    def train(self, model: pathlib.Path, rows: Rows, options: list[object], output: pathlib.Path, precision: str) -> Run:
        command = [self.ours, "train", "--train", rows.file, "--model", model, "--output", output, "--quiet", "--precision", precision]
        ended = execute([*command, *options, "--eval-strategy", "no", "--save-strategy", "no", *self._threads()])
        reported = json.loads((output / "all_results.json").read_text())
        if reported["train_samples"] != len(rows.lengths):
            raise SystemExit(f"failed to compare: tunesmith trained on {reported['train_samples']} rows instead of {len(rows.lengths)}")
        return run("tunesmith", rows, reported["train_runtime"], ended, reported, epochs=reported["epoch"])

    def evaluate(self, model: pathlib.Path, rows: Rows, max_length: int, precision: str) -> Run:
        command = [self.ours, "evaluate", model, rows.file, "--max-length", max_length, "--json", "--precision", precision]
        ended = execute([*command, *self._threads()])
        reported = json.loads(ended.out)
        if reported["samples"] != len(rows.lengths):
            raise SystemExit(f"failed to compare: tunesmith measured {reported['samples']} rows instead of {len(rows.lengths)}")
        return run("tunesmith", rows, reported["runtime"], ended, reported)

    def predict(self, model: pathlib.Path, rows: Rows, max_length: int, precision: str) -> list[dict[str, float]]:
        """The probability of each label for each row."""
        with tempfile.TemporaryDirectory() as folder:
            answers = pathlib.Path(folder) / "answers.jsonl"
            command = [self.ours, "predict", model, "--input", rows.file, "--output", answers, "--quiet", "--precision", precision]
            execute([*command, "--max-length", max_length, *self._threads()])
            return [json.loads(line)["scores"] for line in answers.read_text().splitlines()]

    def trainer(self, model: pathlib.Path, rows: Rows, options: list[object], settings: Settings) -> Run:
        command = [sys.executable, HERE / "trainer.py", "--model", model, "--train", rows.file, *options, *flags(settings)]
        ended = execute([*command, *self._threads()], self._environment(), may_be_killed=True)
        if ended.killed:
            return run("Trainer", rows, 0.0, ended, {})
        reported = last_line(ended)
        return run("Trainer", rows, reported["train_runtime"], ended, reported, epochs=reported["epochs"])

    def forward(self, model: str, folder: pathlib.Path, rows: Rows, max_length: int, settings: Settings) -> Run:
        ended = self._forward(model, folder, rows, max_length, settings, [])
        reported = last_line(ended)
        return run(reported["program"], rows, reported["runtime"], ended, reported)

    def answers(self, model: str, folder: pathlib.Path, rows: Rows, max_length: int, settings: Settings) -> list[dict[str, float]]:
        """As `predict`, of a peer."""
        with tempfile.TemporaryDirectory() as scratch:
            answers = pathlib.Path(scratch) / "answers.json"
            self._forward(model, folder, rows, max_length, settings, ["--answers", answers])
            return json.loads(answers.read_text())

    def _forward(self, model: str, folder: pathlib.Path, rows: Rows, max_length: int, settings: Settings, more: list[object]) -> Ended:
        if kind := settings.get("onnx"):
            settings = settings | {"onnx": self.onnx(model, str(kind))}
        command = [sys.executable, HERE / "forward.py", "--model", folder, "--rows", rows.file, "--max-length", max_length]
        return execute([*command, *flags(settings), *more, *self._threads()], self._environment())

    def _environment(self) -> dict[str, str]:
        """What torch.compile made stays, so that it is waited for once and not in every turn."""
        return {"TORCHINDUCTOR_CACHE_DIR": str(self.cache / "inductor")}

    def peak(self) -> dict:
        """What the processor can do at this moment (see crates/kernels/examples/peak.rs)."""
        command = ["cargo", "run", "--release", "--quiet", "--manifest-path", HERE.parent / "Cargo.toml", "-p", "tunesmith-kernels"]
        return json.loads(execute([*command, "--example", "peak"]).out)


def run(program: str, rows: Rows, seconds: float, ended: Ended, reported: dict, epochs: float = 1.0) -> Run:
    if reported.get("compiled_while_timed"):
        raise SystemExit(f"failed to time {program} fairly: it compiled {reported['compiled_while_timed']} graphs meanwhile")
    amounts = [round(amount * epochs) for amount in (len(rows.lengths), rows.tokens)]
    return Run(program, *amounts, seconds, ended.seconds, ended.peak, round(ended.load, 2), ended.killed, reported)


def last_line(ended: Ended) -> dict:
    return json.loads(ended.out.strip().splitlines()[-1])


def flags(settings: Settings) -> list[object]:
    given = [(f"--{name}", value) for name, value in settings.items() if value is not False]
    return [part for name, value in given for part in ([name] if value is True else [name, value])]
