"""Labelled rows in and out of files, and the two data sets that the table is about."""

import bz2
import csv
import gzip
import io
import pathlib
import random

Row = tuple[str, str]  # text, label


def _open(path: pathlib.Path) -> io.TextIOBase:
    opener = {".bz2": bz2.open, ".gz": gzip.open}.get(path.suffix, open)
    return opener(path, "rt", encoding="utf-8", newline="")


def read_csv(path: str | pathlib.Path, text_column: str = "text", label_column: str = "label") -> list[Row]:
    with _open(pathlib.Path(path)) as file:
        csv.field_size_limit(1 << 30)
        reader = csv.DictReader(file)
        for column in (text_column, label_column):
            if column not in (reader.fieldnames or []):
                raise SystemExit(f"failed to read {path}: no column {column!r} among {reader.fieldnames}")
        return [(row[text_column], row[label_column]) for row in reader]


def read_sms_spam(path: str | pathlib.Path) -> list[Row]:
    """The SMS Spam Collection as found: a label, a tab, the text; no header, and quote characters are plain text."""
    with _open(pathlib.Path(path)) as file:
        parts = [line.rstrip("\r\n").split("\t", 1) for line in file if line.strip()]
    return [(text, label) for label, text in parts]


def write_csv(path: pathlib.Path, rows: list[Row]) -> pathlib.Path:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(rows)
    return path


def natural(label: str) -> tuple:
    """Orders "10" after "2"."""
    return (0, int(label), "") if label.isdigit() else (1, 0, label)


def split(rows: list[Row], test_share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """Train and test rows, each label divided in the same proportion."""
    drawn = random.Random(seed)
    by_label: dict[str, list[Row]] = {}
    for row in rows:
        by_label.setdefault(row[1], []).append(row)
    train, test = [], []
    for label in sorted(by_label, key=natural):
        group = by_label[label]
        drawn.shuffle(group)
        count = round(len(group) * test_share)
        test += group[:count]
        train += group[count:]
    drawn.shuffle(train)
    drawn.shuffle(test)
    return train, test
