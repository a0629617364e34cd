"""Before anything is timed: that both programs compute the same from the same checkpoint. And what int8 does to answers."""

import math
import pathlib

from inputs import Rows
from jobs import Job
from programs import Programs

Answers = list[dict[str, float]]

# Sums in another order, over six layers; what was seen is below 1e-5.
SINGLE = 1e-4
# bf16 keeps 8 bits of a number where f32 keeps 24, and both programs round at different places. So ours may be as far from f32 as the
# peer's own bf16 is, twice over; below this, it is not looked at.
HALF = 5e-3


def farthest(some: Answers, others: Answers) -> float:
    return max(abs(one[label] - other[label]) for one, other in zip(some, others, strict=True) for label in one)


def check(programs: Programs, model: str, folder: pathlib.Path, rows: Rows, max_length: int, precision: str, onnx: bool) -> dict:
    """Fails unless probabilities agree: of ours, and of what was written for onnxruntime, with those of transformers in f32."""
    theirs = programs.answers(model, folder, rows, max_length, {})
    # Texts that all get the same answer would agree whatever was computed.
    label = next(iter(theirs[0]))
    spread = max(each[label] for each in theirs) - min(each[label] for each in theirs)
    if spread < 50 * SINGLE:
        raise SystemExit(f"failed to check {model}: its answers differ by {spread:.1e} at most, which shows nothing")
    found = {"model": model, "rows": len(rows.lengths), "spread": spread}

    def compare(name: str, answers: Answers, allowed: float) -> None:
        found[name], found[f"{name}_allowed"] = farthest(answers, theirs), allowed
        if not found[name] <= allowed:
            far = f"{found[name]:.1e} from those of transformers in f32, allowed {allowed:.1e}"
            raise SystemExit(f"failed to time {model}: probabilities of {name} are {far}")

    compare("f32", programs.predict(folder, rows, max_length, "f32"), SINGLE)
    if onnx:
        compare("onnxruntime", programs.answers(model, folder, rows, max_length, {"onnx": "f32"}), SINGLE)
    if precision == "bf16":
        found["bf16_of_peer"] = farthest(programs.answers(model, folder, rows, max_length, {"bf16": "autocast"}), theirs)
        compare("bf16", programs.predict(folder, rows, max_length, "bf16"), max(HALF, 2 * found["bf16_of_peer"]))
    return found


def of_int8(programs: Programs, job: Job, folder: pathlib.Path, rows: Rows, labels: list[str], int8: dict) -> dict:
    """How each program's int8 compares with its own f32, on the same rows; `int8` is how the peer is told."""
    length = job.window.max_length
    ours = (programs.predict(folder, rows, length, "f32"), programs.predict(folder, rows, length, "int8"))
    peer = [programs.answers(job.model, folder, rows, length, settings) for settings in (int8 | {"onnx": "f32"}, int8)]
    return {"tunesmith": changed(*ours, labels), "peer": changed(*peer, labels)}


def changed(single: Answers, quantised: Answers, labels: list[str]) -> dict:
    before, after = ([max(scores, key=scores.__getitem__) for scores in answers] for answers in (single, quantised))
    right = [sum(a == b for a, b in zip(predicted, labels, strict=True)) for predicted in (before, after)]
    flips = sum((a == label) != (b == label) for a, b, label in zip(before, after, labels))
    rows = len(labels)
    return {
        "accuracy_f32": right[0] / rows,
        "accuracy_int8": right[1] / rows,
        # Of the difference of two accuracies on the same rows.
        "standard_error": math.sqrt(flips) / rows,
        "same_label": sum(a == b for a, b in zip(before, after)) / rows,
        "farthest": farthest(single, quantised),
    }
