"""Preparing a data set that is larger than memory, beside the `datasets` library.

    python -m venv DIR && DIR/bin/pip install -r bench/requirements-prepare.txt
    cargo build --release
    DIR/bin/python bench/prepare.py --model MINILM --folder SCRATCH            # 3.6 million reviews: 1.6 GB of text, about 4 GB of disk
    DIR/bin/python bench/prepare.py --model MINILM --folder SCRATCH --rows 200000 --runs /tmp/runs

Ours is `tunesmith check FILE --model MODEL`: it reads the file, splits it, checks it for repeats and much else, tokenises all splits and
keeps the ids where `train` finds them, and loads no weights. The peer is `load_dataset("csv")` and `map` with the same tokenizer in as
many processes as there are cores, which reads and tokenises. Both begin without any cache. Speed is rows by the wall clock of the whole
process. With `--steps N` the rows are trained on as well, for N steps, and so are a few thousand of them: the difference of the two peaks
is what the rows take beside the model.

Memory, sampled twice a second over the process and its children, is told in three ways: `resident` counts every page of every process,
mapped files included, and what processes share as often as they share it; `proportional` counts what is shared once; `anonymous` is what is
no copy of a file, and so cannot be had back. `--limit GIB` runs ours under a limit of the kernel on the latter (RLIMIT_DATA).
"""

import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time

import machine
import psutil
import reviews

HERE = pathlib.Path(__file__).parent
FEW = 4000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="folder of a checkpoint")
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="where rows and caches go; the rows stay there")
    parser.add_argument("--rows", type=int, default=3_600_000)
    parser.add_argument("--max-length", type=int, default=256)
    parser.add_argument("--steps", type=int, default=0, help="train for so many steps, too")
    parser.add_argument("--only", choices=["tunesmith", "datasets"], help="one of the two")
    parser.add_argument("--limit", type=float, help="GiB of anonymous memory that ours may have")
    parser.add_argument("--tunesmith", default=HERE.parent / "target/release/tunesmith", type=pathlib.Path)
    parser.add_argument("--runs", type=pathlib.Path, default=HERE / "runs")
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        return peer(arguments)

    arguments.folder.mkdir(parents=True, exist_ok=True)
    rows = made(arguments, arguments.rows)
    content = {"rows": arguments.rows, "text_bytes": rows.stat().st_size, "max_length": arguments.max_length, "limit_gib": arguments.limit}
    content |= {"machine": machine.describe(), "load_average_before": os.getloadavg()}
    if arguments.only != "datasets":
        content["tunesmith"] = told("tunesmith", ours(arguments, rows), arguments.rows)
    if arguments.only != "tunesmith":
        content["datasets"] = told("datasets", theirs(arguments, rows), arguments.rows)
    if "tunesmith" in content and "datasets" in content:
        content["ratio"] = content["datasets"]["seconds"] / content["tunesmith"]["seconds"]
        print(f"ratio of rows/s: {content['ratio']:.2f}")
    if arguments.steps:
        content["training"] = trained(arguments, rows)
    keep(arguments.runs, content)


def made(arguments: argparse.Namespace, rows: int) -> pathlib.Path:
    # In a process of its own: a child's peak of memory begins at what the process holds that starts it.
    path = arguments.folder / f"reviews-{rows}.csv"
    program = "import pathlib, sys, reviews; reviews.write(pathlib.Path(sys.argv[1]), int(sys.argv[2]))"
    subprocess.run([sys.executable, "-c", program, path, str(rows)], check=True, env=os.environ | {"PYTHONPATH": str(HERE)})
    return path


def ours(arguments: argparse.Namespace, rows: pathlib.Path) -> dict:
    with tempfile.TemporaryDirectory(dir=arguments.folder) as cache:
        command = [arguments.tunesmith, "check", rows, "--model", arguments.model, "--max-length", arguments.max_length]
        ran = measured([*command, "--cache-dir", cache, "--json"], limit=arguments.limit)
        found = json.loads(ran.pop("out"))
        ran["cache_bytes"] = sum(file.stat().st_size for file in pathlib.Path(cache).iterdir())
        if found["rows"] != arguments.rows:
            raise SystemExit(f"failed to compare: tunesmith found {found['rows']} rows instead of {arguments.rows}")
        # The second time everything is there, read and verified.
        again = measured([*command, "--cache-dir", cache, "--json"], limit=arguments.limit)
        ran["seconds_with_cache"] = again["seconds"]
        return ran


def theirs(arguments: argparse.Namespace, rows: pathlib.Path) -> dict:
    with tempfile.TemporaryDirectory(dir=arguments.folder) as cache:
        command = [sys.executable, pathlib.Path(__file__), "--peer", "--model", arguments.model, "--folder", cache]
        command += ["--rows", arguments.rows, "--max-length", arguments.max_length]
        environment = {"HF_HOME": cache, "HF_HUB_OFFLINE": "1", "TMPDIR": cache, "REVIEWS": str(rows)}
        ran = measured(command, environment)
        found = json.loads(ran.pop("out").strip().splitlines()[-1])
        if found["rows"] != arguments.rows:
            raise SystemExit(f"failed to compare: datasets has {found['rows']} rows instead of {arguments.rows}")
        ran["cache_bytes"] = sum(file.stat().st_size for file in pathlib.Path(cache).rglob("*") if file.is_file())
        return ran | found


def peer(arguments: argparse.Namespace) -> None:
    """What people write today."""
    import datasets
    import tokenizers
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.model)
    rows = datasets.load_dataset("csv", data_files=os.environ["REVIEWS"], split="train")
    read = time.monotonic()

    def tokenize(batch):
        return tokenizer(batch["text"], truncation=True, max_length=arguments.max_length)

    encoded = rows.map(tokenize, batched=True, num_proc=os.cpu_count(), remove_columns=["text"])
    modules = (datasets, transformers, tokenizers)
    versions = {module.__name__: module.__version__ for module in modules}
    print(json.dumps({"rows": len(encoded), "seconds_of_map": time.monotonic() - read, "versions": versions}))


def trained(arguments: argparse.Namespace, rows: pathlib.Path) -> dict:
    """Peaks of a few steps over all rows and over a few."""
    peaks = {}
    for name, file in (("all", rows), ("few", made(arguments, FEW))):
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            command = [arguments.tunesmith, "train", "--train", file, "--model", arguments.model, "--output", f"{folder}/run"]
            command += ["--validation-size", 0, "--max-length", arguments.max_length, "--max-steps", arguments.steps]
            command += ["--cache-dir", folder, "--quiet", "--eval-strategy", "no", "--save-strategy", "no"]
            ran = measured(command)
            ran.pop("out")
            peaks[name] = ran
    kinds = [kind for kind in peaks["all"] if kind.startswith("peak_")]
    beside = {kind: peaks["all"][kind] - peaks["few"][kind] for kind in kinds}
    print("training, beside the model:", ", ".join(f"{kind.removeprefix('peak_')} {size / 2**30:.2f} GiB" for kind, size in beside.items()))
    return {"steps": arguments.steps, "few_rows": FEW, **peaks, "beside_the_model": beside}


def measured(command: list[object], environment: dict[str, str] | None = None, limit: float | None = None) -> dict:
    """Seconds and peaks of a command and all its children."""

    def limited():
        if limit:
            size = round(limit * 2**30)
            resource.setrlimit(resource.RLIMIT_DATA, (size, size))

    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        started = time.monotonic()
        child = subprocess.Popen(
            [str(part) for part in command], stdout=out, stderr=err, env=os.environ | (environment or {}), preexec_fn=limited
        )
        peaks: dict[str, int] = {}
        over = threading.Event()
        watch = threading.Thread(target=follow, args=(child.pid, peaks, over))
        watch.start()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - started
        over.set()
        watch.join()
        out.seek(0)
        err.seek(0)
        if child.returncode != 0:
            raise SystemExit(f"failed to run {' '.join(map(str, command))}: it ended with {child.returncode}\n{err.read()[-4000:]}")
        told = {f"peak_{kind}": size for kind, size in sorted(peaks.items())}
        return {"seconds": seconds, "out": out.read(), "peak_of_largest_process": usage.ru_maxrss * 1024, **told}


def follow(process: int, peaks: dict[str, int], over: threading.Event) -> None:
    while not over.wait(0.5):
        sums: dict[str, int] = {}
        try:
            tree = [process, *(child.pid for child in psutil.Process(process).children(recursive=True))]
        except psutil.Error:
            return
        for each in tree:
            for kind, size in pages(each).items():
                sums[kind] = sums.get(kind, 0) + size
        for kind, size in sums.items():
            peaks[kind] = max(size, peaks.get(kind, 0))


def pages(process: int) -> dict[str, int]:
    try:
        content = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return {}  # it is over
    names = {"resident": "Rss", "proportional": "Pss", "anonymous": "Pss_Anon"}
    found = {kind: re.search(rf"^{name}:\s*(\d+) kB", content, re.MULTILINE) for kind, name in names.items()}
    return {kind: int(match.group(1)) * 1024 for kind, match in found.items() if match}


def told(name: str, ran: dict, rows: int) -> dict:
    ran["rows_per_second"] = rows / ran["seconds"]
    sizes = ", ".join(f"{kind.removeprefix('peak_')} {ran[kind] / 2**30:.2f} GiB" for kind in sorted(ran) if kind.startswith("peak_"))
    print(f"{name}: {ran['rows_per_second']:.0f} rows/s, {ran['seconds']:.1f} s; {sizes}", flush=True)
    return ran


def keep(runs: pathlib.Path, content: dict) -> None:
    folder = runs / f"{time.strftime('%Y-%m-%d')}-{machine.short_name()}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prepare.json").write_text(json.dumps(content, indent=1) + "\n")
    print(f"kept in {folder / 'prepare.json'}")


if __name__ == "__main__":
    main()
