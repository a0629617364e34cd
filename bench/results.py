"""What was measured becomes lines of the table; raw runs become files."""

import json
import math
import pathlib
import statistics
from dataclasses import dataclass

from best import show
from jobs import JOBS, Job, Ratio

HEADINGS = ["job", "beside", "tunesmith", "peer", "ratio (turns)", "wanted / aim", "", "of peak: ours, peer", "memory: ours, peer"]


@dataclass(frozen=True)
class Line:
    job: str
    beside: str
    ours: str
    peer: str
    wanted: str
    verdict: str
    ratio: str = ""
    share: str = ""
    memory: str = ""

    def cells(self) -> list[str]:
        return [self.job, self.beside, self.ours, self.peer, self.ratio, self.wanted, self.verdict, self.share, self.memory]


def verdict(value: float, wanted: Ratio) -> str:
    """Of something that is to be large."""
    if wanted.aim is not None and value >= wanted.aim:
        return "aim"
    if value >= wanted.at_least:
        return "holds"
    return "**LOSES**" if value < 1 <= wanted.at_least else "**falls short**"


def bounds(wanted: Ratio, form: str) -> str:
    """At least, and the aim."""
    return " / ".join(form.format(value) for value in (wanted.at_least, wanted.aim) if value is not None)


def lines(job: Job, content: dict) -> list[Line]:
    rival = job.rivals[0].name
    found = [speed_line(job, content, rival.name, rival.wanted) for rival in job.rivals]
    if job.share_of_peak:
        found.append(peak_line(job, content, rival, job.share_of_peak))
    if job.memory:
        found.append(memory_line(job, content, rival, job.memory))
    if job.memory_gb:
        found.append(footprint_line(job, content, rival, job.memory_gb))
    if content.get("whole"):
        found.append(accuracy_line(job, content["whole"]))
    if content.get("agreement"):
        found.append(agreement_line(job, rival, content["agreement"]))
    return found


def speed_line(job: Job, content: dict, rival: str, wanted: Ratio) -> Line:
    ours, peer = of(content, "tunesmith"), of(content, rival)
    amount = job.unit.replace("/s", "_per_second")
    finished = [(mine, theirs) for mine, theirs in zip(ours, peer, strict=True) if not theirs["killed"]]
    turns = [mine[amount] / theirs[amount] for mine, theirs in finished]
    shares = [statistics.median(share_of_peak(content, run) for run in group) for group in zip(*finished)] if content["peaks"] else []
    return Line(
        job=job.title,
        beside=f"{rival} ({show(content['settings'][rival])})",
        ours=rate(statistics.median(run[amount] for run in ours), job.unit),
        peer=rate(statistics.median(run[amount] for _, run in finished), job.unit) if finished else "killed for memory",
        ratio=f"{statistics.median(turns):.2f}x ({min(turns):.2f}–{max(turns):.2f})" if finished else "",
        wanted=bounds(wanted, "{:g}x"),
        verdict=verdict(statistics.median(turns), wanted) if finished else "the peer could not",
        share=", ".join(f"{share:.0%}" for share in shares),
        memory=f"{gb(peak(ours))}, {gb(peak(peer))}",
    )


def peak_line(job: Job, content: dict, rival: str, wanted: Ratio) -> Line:
    kind, most = content["peaks"][0]["kind"], statistics.median(each["rate"] for each in content["peaks"])
    ours, peer = ([share_of_peak(content, run) for run in of(content, name) if not run["killed"]] for name in ("tunesmith", rival))
    return Line(
        job=f"{job.title}: share of the peak",
        beside=f"{kind}, {most:.0f} GFLOP/s measured",
        ours=f"{statistics.median(ours):.0%}",
        peer=f"{statistics.median(peer):.0%}" if peer else "",
        wanted=bounds(wanted, "{:.0%}"),
        verdict=verdict(statistics.median(ours), wanted),
    )


def memory_line(job: Job, content: dict, rival: str, wanted: Ratio) -> Line:
    ours, peer = peak(of(content, "tunesmith")), peak(of(content, rival))
    return Line(
        job=f"{job.title}: peak memory",
        beside=rival,
        ours=gb(ours),
        peer=gb(peer),
        ratio=f"{peer / ours:.2f}x less",
        wanted=bounds(wanted, "{:g}x"),
        verdict=verdict(peer / ours, wanted),
    )


def footprint_line(job: Job, content: dict, rival: str, wanted: Ratio) -> Line:
    ours, peer = peak(of(content, "tunesmith")), peak(of(content, rival))
    # Small is good here: the same question with both sides turned over.
    turned = Ratio(1 / wanted.at_least, 1 / wanted.aim)
    return Line(
        job=f"{job.title}: peak memory",
        beside=rival,
        ours=gb(ours),
        peer=gb(peer),
        ratio=f"{peer / ours:.2f}x less",
        wanted=f"under {bounds(wanted, '{:g}')} GB",
        verdict=verdict(1e9 / ours, turned),
    )


def accuracy_line(job: Job, whole: list[dict]) -> Line:
    """One run each: they are told apart where the difference is larger than two standard errors."""
    ours, peer = whole
    scores = [(run["reported"]["test_accuracy"], run["reported"]["test_f1"]) for run in whole]
    texts = [f"{accuracy:.4f}, {f1:.4f}; {run['seconds']:.0f} s" for (accuracy, f1), run in zip(scores, whole, strict=True)]
    error = math.sqrt(sum(accuracy * (1 - accuracy) for accuracy, _ in scores) / ours["test_rows"])
    same = scores[0][0] >= scores[1][0] - 2 * error
    return Line(
        job=f"{job.title}: accuracy, macro F1 and time of the whole job",
        beside=f"{peer['as']}, one run each",
        ours=texts[0],
        peer=texts[1],
        ratio=f"{peer['seconds'] / ours['seconds']:.2f}x",
        wanted=f"at most {2 * error:.4f} below",
        verdict="holds" if same else "**LOSES**",
    )


def agreement_line(job: Job, rival: str, agreement: dict) -> Line:
    """Of int8 with f32, each program's own; on the same rows, so the error is that of the rows that changed."""
    ours, peer = agreement["tunesmith"], agreement["peer"]
    texts = [f"{each['accuracy_f32']:.4f} → {each['accuracy_int8']:.4f}, {each['same_label']:.2%} alike" for each in (ours, peer)]
    same = ours["accuracy_int8"] >= ours["accuracy_f32"] - 2 * ours["standard_error"]
    return Line(
        job=f"{job.title}: accuracy in f32 → int8",
        beside=rival,
        ours=texts[0],
        peer=texts[1],
        wanted=f"at most {2 * ours['standard_error']:.4f} below f32",
        verdict="holds" if same else "**LOSES**",
    )


def of(content: dict, program: str) -> list[dict]:
    return [run for run in content["turns"] if run["as"] == program]


def peak(group: list[dict]) -> int:
    return max(run["peak_rss_bytes"] for run in group)


def share_of_peak(content: dict, run: dict) -> float:
    return content["flops_per_row"] * run["rows_per_second"] / 1e9 / run["peak_gflops"]


def rate(value: float, unit: str) -> str:
    return f"{value:.2f} {unit}" if value < 100 else f"{value:.0f} {unit}"


def gb(size: int) -> str:
    return f"{size / 1e9:.2f} GB"


def keep(folder: pathlib.Path, content: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{content['job']}.json").write_text(json.dumps(content, indent=1) + "\n")


def table(folder: pathlib.Path) -> str:
    """Of everything that was kept in a folder."""
    cells = [HEADINGS]
    for job in JOBS:
        if (file := folder / f"{job.name}.json").exists():
            cells += [line.cells() for line in lines(job, json.loads(file.read_text()))]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    texts = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    return "\n".join([texts[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *texts[1:]])
