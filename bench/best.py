"""Looks for the settings with which a peer is fastest, and remembers them.

From where a rival starts, one change after another is tried on a few batches, and kept if it made it faster. So each setting is judged
beside the best of the others, without trying all combinations.
"""

import json
import pathlib

import machine
from inputs import Rows
from jobs import Job, Rival, Settings
from programs import Programs, Run, speed

NEAR = 0.15


def one(programs: Programs, job: Job, folder: pathlib.Path, rows: Rows, settings: Settings) -> Run:
    """A rival's run of the job's rows under some settings."""
    if job.task == "evaluate":
        return programs.forward(job.model, folder, rows, job.window.max_length, settings)
    options = ["--max-length", job.window.max_length, "--batch-size", job.window.batch, "--epochs", 1]
    return programs.trainer(folder, rows, options, settings)


def search(programs: Programs, job: Job, rival: Rival, folder: pathlib.Path, rows: Rows) -> dict:
    tried: list[dict] = []

    def rate(settings: Settings) -> float:
        """The fastest run so far under these settings, one more included."""
        ran = one(programs, job, folder, rows, settings)
        seen = speed(len(rows.lengths), ran) or 0.0
        print(f"  {rival.name}: {show(settings)}: {'killed for memory' if ran.killed else f'{seen:.2f} rows/s'}", flush=True)
        tried.append({"settings": settings, "rows_per_second": seen, "run": ran.kept()})
        return max(each["rows_per_second"] for each in tried if each["settings"] == settings)

    best, fastest = rival.settings, rate(rival.settings)
    for change in rival.changes:
        changed = best | change
        seen = rate(changed)
        if fastest and abs(seen / fastest - 1) < NEAR:
            # So near that the moment may have decided: once more for both.
            fastest, seen = rate(best), rate(changed)
        if seen > fastest:
            best, fastest = changed, seen
    if not fastest:
        raise SystemExit(f"failed to find settings for {rival.name} in {job.name}: every run was killed for memory")
    return {"rival": rival.name, "best": best, "tried": tried}


def show(settings: Settings) -> str:
    told = {name: value for name, value in settings.items() if value is not False and name != "warm-up"}
    return " ".join(name if value is True else f"{name}={value}" for name, value in told.items()) or "defaults"


def keep(folder: pathlib.Path, job: Job, found: list[dict]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"job": job.name, "batches": job.brief_steps, "machine": machine.describe(), "rivals": found}
    (folder / f"best-{job.name}.json").write_text(json.dumps(content, indent=1) + "\n")


def remembered(runs: pathlib.Path, job: Job) -> dict[str, Settings] | None:
    """What was found last on a machine like this, by rival."""
    for folder in sorted(runs.glob(f"*-{machine.short_name()}"), reverse=True):
        file = folder / f"best-{job.name}.json"
        if file.exists():
            found = {each["rival"]: each["best"] for each in json.loads(file.read_text())["rivals"]}
            if all(rival.name in found for rival in job.rivals if rival.changes):
                return found
    return None
