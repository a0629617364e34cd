"""Measures one job: checks outputs, finds out how the peer is fastest, and then takes turns."""

import dataclasses
import json
import pathlib
import subprocess

import agreement
import best
import inputs
import machine
import results
from best import one
from checkpoints import Checkpoints
from inputs import Rows, Window
from jobs import Job, Settings
from programs import HERE, Programs, Run, execute, speed


@dataclasses.dataclass(frozen=True)
class Measure:
    programs: Programs
    checkpoints: Checkpoints
    runs: pathlib.Path
    """Folder of all that was ever measured."""
    folder: pathlib.Path
    """The part of it for this day and machine."""
    scratch: pathlib.Path
    precision: str
    repeats: int
    steps: int | None
    """Batches of each window, where not as many as the job says."""
    checked: dict[tuple[str, bool], dict] = dataclasses.field(default_factory=dict)

    def job(self, job: Job) -> dict:
        """Everything that is kept of it."""
        self.prepare(job)
        checked, settings = self.check(job), self.settings(job)
        rows, model = self.rows(job.window, job.window.steps, job.name), self.checkpoints.folder(job.model)
        turns, peaks = [], [self.peak()] if job.beside_peak else []
        for turn in range(self.repeats):
            ran = [("tunesmith", self.ours(job, model, rows, turn))]
            ran += [(name, one(self.programs, job, model, rows, told)) for name, told in settings.items()]
            peaks += [self.peak()] if job.beside_peak else []
            for name, run in ran:
                turns.append(run.kept() | {"as": name, "turn": turn} | ({"peak_gflops": mean(peaks[-2:])} if peaks else {}))
                say(job, name, run)
        content = {
            "job": job.name,
            "precision": job.precision or self.precision,
            "threads": self.programs.threads or "as each chooses",
            "rows": len(rows.lengths),
            "tokens": rows.tokens,
            "window": dataclasses.asdict(job.window),
            "passes_of_ours": job.passes,
            "settings": settings,
            "flops_per_row": flops(model, rows, 3 if job.task == "train" else 1) / len(rows.lengths),
            "equal_outputs": checked,
            "peaks": peaks,
            "machine": machine.describe(),
            "tunesmith": execute([self.programs.ours, "--version"]).out.strip() + commit(),
            "turns": turns,
        }
        if job.whole_epochs:
            content["whole"] = self.whole(job, settings[job.rivals[0].name])
        if job.agreement:
            labels = [label for _, label in inputs.rows.read_csv(rows.file)]
            content["agreement"] = agreement.of_int8(self.programs, job, model, rows, labels, settings[job.rivals[0].name])
        return content

    def prepare(self, job: Job) -> None:
        if uses_onnx(job):
            self.checkpoints.for_onnxruntime(job.model)

    def rows(self, window: Window, steps: int, name: str) -> Rows:
        wanted = dataclasses.replace(window, steps=self.steps or steps)
        return inputs.apart(inputs.window, wanted, self.checkpoints.data, self.checkpoints.minilm, self.scratch / f"{name}.csv")

    def check(self, job: Job) -> dict:
        """That outputs are equal, once for each model; what has no head yet is checked with the one that was fine-tuned."""
        model = "minilm-sms" if job.model == "minilm" else job.model
        key = (model, uses_onnx(job))
        if key not in self.checked:
            window = Window("sms-test", 8, 4, 128) if model == "minilm-sms" else Window("imdb", 4, 3, 512)
            rows = inputs.apart(inputs.window, window, self.checkpoints.data, self.checkpoints.minilm, self.scratch / "check.csv")
            folder = self.checkpoints.folder(model)
            self.checked[key] = agreement.check(self.programs, model, folder, rows, window.max_length, self.precision, uses_onnx(job))
            told = (f"{name} {value:.1e}" if isinstance(value, float) else f"{value}" for name, value in self.checked[key].items())
            print(f"equal outputs: {', '.join(told)}", flush=True)
        return self.checked[key]

    def settings(self, job: Job) -> dict[str, Settings]:
        """How each rival is told to run."""
        found = {}
        if any(rival.changes for rival in job.rivals):
            found = best.remembered(self.runs, job)
            if found is None:
                print(f"{job.name}: with which settings the peer is fastest here is not known yet", flush=True)
                found = self.find_best(job)
        return {rival.name: found.get(rival.name, rival.settings) for rival in job.rivals}

    def find_best(self, job: Job) -> dict[str, Settings]:
        self.prepare(job)
        rows, model = self.rows(job.window, job.brief_steps, "brief"), self.checkpoints.folder(job.model)
        found = [best.search(self.programs, job, rival, model, rows) for rival in job.rivals if rival.changes]
        best.keep(self.folder, job, found)
        return {each["rival"]: each["best"] for each in found}

    def ours(self, job: Job, model: pathlib.Path, rows: Rows, turn: int) -> Run:
        precision = job.precision or self.precision
        if job.task == "evaluate":
            return self.programs.evaluate(model, rows, job.window.max_length, precision)
        options = ["--max-length", job.window.max_length, "--batch-size", job.window.batch, "--epochs", job.passes]
        return self.programs.train(model, rows, options, self.scratch / f"{job.name}-{turn}", precision)

    def whole(self, job: Job, settings: Settings) -> list[dict]:
        """Ours and the peer's run of the job from its first row to its last, and what both know then."""
        train, test = inputs.sms_split(self.checkpoints.data)
        if self.steps:
            train, test = train[: self.steps * job.window.batch], test[:64]
        files = [inputs.rows.write_csv(self.scratch / f"whole-{name}.csv", part) for name, part in (("train", train), ("test", test))]
        options = ["--max-length", job.window.max_length, "--batch-size", job.window.batch]
        options += ["--epochs", job.whole_epochs, "--test", files[1]]
        # Its tokens are not counted: only its seconds and scores are told.
        rows, model = Rows(files[0], [0] * len(train)), self.checkpoints.folder(job.model)
        rival = job.rivals[0].name
        ours = self.programs.train(model, rows, options, self.scratch / "whole", self.precision)
        say(job, "tunesmith, whole", ours)
        peer = self.programs.trainer(model, rows, options, settings | {"warm-up": False})
        say(job, f"{rival}, whole", peer)
        return [run.kept() | {"as": name, "test_rows": len(test)} for name, run in (("tunesmith", ours), (rival, peer))]

    def peak(self) -> dict:
        measured = self.programs.peak()
        kind = self.precision if measured[self.precision] else "f32"
        return {"kind": kind, "rate": measured[kind]["all_cores"], "measured": measured}


def uses_onnx(job: Job) -> bool:
    return any("onnx" in rival.settings for rival in job.rivals)


def say(job: Job, name: str, run: Run) -> None:
    amount = run.rows if job.unit == "rows/s" else run.tokens
    rate = "killed" if run.killed else results.rate(speed(amount, run), job.unit)
    print(f"{job.name:24} {name:28} {rate:>16} {run.wall_seconds:7.1f} s in all {results.gb(run.peak_rss_bytes):>9}", flush=True)


def mean(peaks: list[dict]) -> float:
    """Before and after a turn."""
    return sum(each["rate"] for each in peaks) / len(peaks)


def flops(model: pathlib.Path, rows: Rows, passes: int) -> float:
    """Of the products over real tokens; forward is one pass, and backward is two more."""
    config = json.loads((model / "config.json").read_text())
    layers, width = (config.get(a) or config[b] for a, b in (("num_hidden_layers", "n_layers"), ("hidden_size", "dim")))
    inner = config.get("intermediate_size") or config["hidden_dim"]
    linear = 2 * layers * (4 * width * width + 2 * width * inner)
    attention = 4 * layers * width
    return passes * sum(tokens * linear + tokens * tokens * attention for tokens in rows.lengths)


def commit() -> str:
    found = subprocess.run(["git", "-C", str(HERE), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return f" ({found.stdout.strip()})" if found.returncode == 0 else ""
