"""The table: which jobs are measured, on which rows, beside whom, and what is wanted of them."""

from dataclasses import dataclass
from typing import Literal

from inputs import Window

Settings = dict[str, object]
"""Flags of the peer's program: `True` is a flag alone, `False` none."""


@dataclass(frozen=True)
class Ratio:
    """How many times as fast (or as small) we are to be."""

    at_least: float
    aim: float | None = None


@dataclass(frozen=True)
class Rival:
    """A peer, and how it is told to run: as `settings` say, or at its best, which is looked for from there."""

    name: str
    settings: Settings
    wanted: Ratio
    changes: tuple[Settings, ...] = ()
    """Tried one after another; what makes it faster is kept."""


@dataclass(frozen=True)
class Job:
    name: str
    title: str
    task: Literal["train", "evaluate"]
    model: Literal["minilm", "distilbert", "minilm-sms"]
    window: Window
    rivals: tuple[Rival, ...]
    unit: Literal["rows/s", "tokens/s"] = "rows/s"
    precision: str | None = None
    """Of our program, where it is not the one asked for."""
    memory: Ratio | None = None
    """Of the peer's peak to ours."""
    memory_gb: Ratio | None = None
    """Our peak itself."""
    passes: int = 1
    """How often ours goes through the window in a turn: where that takes seconds only, its first steps, which touch all memory for the first
    time, would weigh more than in the job. The peer's are not timed at all."""
    beside_peak: bool = False
    """Speed is told as a share of what the processor can do, too."""
    share_of_peak: Ratio | None = None
    """What that share is to be."""
    whole_epochs: int = 0
    """The whole job is run once by each, so many epochs, and measured on the test rows."""
    agreement: bool = False
    """Answers are compared, row by row, with those in f32."""
    free_gb: float = 0.0
    """Memory that the peer needs: nothing else may hold it meanwhile."""
    brief_steps: int = 3
    """Batches of the window on which the peer's best settings are looked for."""


# Padded to the full length in f32: what most examples and notebooks do.
COMMON: Settings = {"padding": "max", "warm-up": True}
BEST: Settings = {"bf16": True, "padding": "dynamic", "group-by-length": True, "compile": False, "warm-up": True}
# What is slower is seen in one try; most of it is expected to be.
TRAINING_CHANGES = ({"compile": True}, {"group-by-length": False}, {"bf16": False})
ASKING_CHANGES = ({"bf16": "weights"}, {"bf16": "no"}, {"batch-size": 32}, {"batch-size": 16}, {"compile": True})
BATCH_CHANGES = ({"batch-size": 32}, {"batch-size": 1})
INT8_CHANGES = ({"onnx": "int8-per-channel"}, *BATCH_CHANGES)


def common(at_least: float, aim: float) -> tuple[Rival, ...]:
    return (Rival("Trainer, padded, f32", COMMON, Ratio(at_least, aim)),)


def best(at_least: float, aim: float) -> tuple[Rival, ...]:
    return (Rival("Trainer at its best", BEST, Ratio(at_least, aim), TRAINING_CHANGES),)


def onnx(kind: str, changes: tuple[Settings, ...], wanted: Ratio) -> Rival:
    return Rival(f"onnxruntime {kind}", {"onnx": kind, "batch-size": 8}, wanted, changes)


SORTED_REVIEWS = Window("imdb", 32, 6, 512, ordered=True)

JOBS = (
    Job(
        "sms-common",
        "SMS spam, MiniLM, batch 8",
        "train",
        "minilm",
        Window("sms", 8, 40, 128),
        common(12, 18),
        passes=5,
    ),
    Job(
        "sms-best",
        "SMS spam, MiniLM, batch 8",
        "train",
        "minilm",
        Window("sms", 8, 120, 128),
        best(2.2, 3),
        passes=2,
        whole_epochs=3,
        brief_steps=50,
    ),
    Job(
        "imdb-distilbert-common",
        "IMDb, DistilBERT shape, 512 tokens, batch 8",
        "train",
        "distilbert",
        Window("imdb", 8, 3, 512),
        common(5, 8),
    ),
    Job(
        "imdb-distilbert-best",
        "IMDb, DistilBERT shape, 512 tokens, batch 8",
        "train",
        "distilbert",
        Window("imdb", 8, 4, 512, longest=True),
        best(3, 4.5),
        memory=Ratio(2, 3),
        brief_steps=1,
    ),
    Job(
        "imdb-minilm-64",
        "IMDb, MiniLM, 512 tokens, batch 64",
        "train",
        "minilm",
        # A step of the peer takes most of a minute, and once compiled it goes through the window twice.
        Window("imdb", 64, 1, 512, longest=True),
        best(4, 7),
        passes=2,
        memory_gb=Ratio(3, 2),
        free_gb=21,
        brief_steps=1,
    ),
    Job(
        "step-distilbert",
        "one step, DistilBERT shape, 16 rows of 128 tokens",
        "train",
        "distilbert",
        Window("imdb", 16, 10, 128, exact=True),
        best(1.4, 1.8),
        unit="tokens/s",
        beside_peak=True,
        share_of_peak=Ratio(0.55, 0.70),
    ),
    Job(
        "inference-bf16",
        "inference, DistilBERT shape, IMDb rows sorted by length",
        "evaluate",
        "distilbert",
        SORTED_REVIEWS,
        (
            Rival(
                "transformers at its best",
                {"bf16": "autocast", "batch-size": 8, "compile": False},
                Ratio(1.15, 1.4),
                ASKING_CHANGES,
            ),
            onnx("f32", BATCH_CHANGES, Ratio(1)),
        ),
        unit="tokens/s",
        beside_peak=True,
    ),
    Job(
        "inference-int8",
        "inference in int8, DistilBERT shape, IMDb rows sorted by length",
        "evaluate",
        "distilbert",
        SORTED_REVIEWS,
        (onnx("int8", INT8_CHANGES, Ratio(1, 1.5)),),
        unit="tokens/s",
        precision="int8",
    ),
    Job(
        "inference-int8-sms",
        "inference in int8, MiniLM on SMS spam, rows sorted by length",
        "evaluate",
        "minilm-sms",
        Window("sms-test", 8, 139, 128, ordered=True),
        (onnx("int8", INT8_CHANGES, Ratio(1, 1.5)),),
        unit="tokens/s",
        precision="int8",
        agreement=True,
        brief_steps=139,
    ),
)
