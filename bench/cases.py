"""What is compared: each case makes its files of rows and knows how either program is told the same settings."""

import pathlib
from collections.abc import Callable
from dataclasses import dataclass

import rows


@dataclass(frozen=True)
class Case:
    train: pathlib.Path
    test: pathlib.Path | None
    ours: list[str]
    peer: list[str]


def equal_padding(data: pathlib.Path, model: str, scratch: pathlib.Path, steps: int) -> Case:
    """Reviews of at least 128 tokens, cut to 128: neither program pads, and what is left is the speed of the engine alone."""
    import transformers

    length, batch = 128, 16
    tokenizer = transformers.AutoTokenizer.from_pretrained(model)
    chosen: list[rows.Row] = []
    for text, label in rows.read_csv(data, "review", "sentiment"):
        if len(tokenizer(text, truncation=True, max_length=length)["input_ids"]) == length:
            chosen.append((text, label))
        if len(chosen) == steps * batch:
            break
    else:
        raise SystemExit(f"failed to find {steps * batch} reviews of {length} tokens in {data}: it has {len(chosen)}")
    settings = ["--max-length", str(length), "--batch-size", str(batch), "--max-steps", str(steps), "--learning-rate", "2e-5"]
    return Case(
        train=rows.write_csv(scratch / "train.csv", chosen),
        test=None,
        ours=[*settings, "--eval-strategy", "no", "--save-strategy", "no"],
        peer=[*settings, "--padding", "max"],
    )


def sms(data: pathlib.Path, model: str, scratch: pathlib.Path, steps: int) -> Case:
    """The settings of the recipe sms-spam: 80/20, 128 tokens, batch 8, 3 epochs, accuracy on test after each epoch."""
    train, test = rows.split(rows.read_sms_spam(data), test_share=0.2, seed=42)
    settings = ["--max-length", "128", "--batch-size", "8", "--epochs", "3"]
    return Case(
        train=rows.write_csv(scratch / "train.csv", train),
        test=rows.write_csv(scratch / "test.csv", test),
        ours=[*settings, "--eval-strategy", "epoch", "--eval-on", "test", "--save-strategy", "no"],
        # To the longest of a batch, which is the Trainer's own default and the faster way.
        peer=[*settings, "--eval-each-epoch", "--padding", "dynamic"],
    )


CASES: dict[str, Callable[[pathlib.Path, str, pathlib.Path, int], Case]] = {"equal-padding": equal_padding, "sms": sms}
