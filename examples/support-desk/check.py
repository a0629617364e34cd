"""Checks that the support-desk example is an honest data set.

Run it from anywhere with Python 3.9 or later: `python examples/support-desk/check.py`. It prints
the counts, names every breach with file and row, and exits with 1 if there is one. It looks at
the texts alone: whether a label is right is for a human reader to say.
"""

import csv
import re
import sys
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

SPLITS = ("train", "validation", "test")
LEAST_TEXTS = 1200
SHARED_WORDS = 5  # this many words in a row mark two texts as cut from one pattern
MOST_ALIKE = 0.6  # Jaccard similarity of the word sets, from here on two texts are near-copies


def words(text):
    """The words of a text without case and punctuation; "can't" and "cant" are one word."""
    return re.findall(r"\w+", re.sub(r"['’]", "", text.casefold()))


def sequences(text_words):
    return {tuple(text_words[i : i + SHARED_WORDS]) for i in range(len(text_words) - SHARED_WORDS + 1)}


def read(folder, split, problems):
    """The rows of one split as (place, words, label)."""
    name = f"{split}.csv"
    raw = (folder / name).read_bytes()
    if b"\r" in raw or not raw.endswith(b"\n"):
        problems.append(f"{name}: lines must end in LF, the last one too")
    records = csv.reader(raw.decode("utf-8").splitlines(keepends=True), strict=True)
    if next(records) != ["text", "label"]:
        problems.append(f"{name}: the header must be text,label")
    rows = []
    for number, record in enumerate(records, start=2):
        place = f"{name}, record {number}"
        if len(record) != 2 or not record[0].strip() or not record[1].strip():
            problems.append(f"{place}: expected a text and a label, got {record}")
            continue
        rows.append((place, words(record[0]), record[1]))
    return rows


def find_repeats(splits, problems):
    seen = {}
    for rows in splits.values():
        for place, text_words, _ in rows:
            key = " ".join(text_words)
            if key in seen:
                problems.append(f"{place}: the same text as in {seen[key]}")
            seen.setdefault(key, place)


def find_likeness(left_rows, right_rows, problems):
    """Compares every text of one split with every text of another."""
    places = defaultdict(list)
    for place, text_words, _ in left_rows:
        for sequence in sequences(text_words):
            places[sequence].append(place)
    left_sets = [(place, set(text_words)) for place, text_words, _ in left_rows]
    for place, text_words, _ in right_rows:
        for sequence in sorted(sequences(text_words)):
            for other in places.get(sequence, ()):
                problems.append(f'{place}: shares "{" ".join(sequence)}" with {other}')
        right = set(text_words)
        for other, left in left_sets:
            alike = len(left & right) / max(len(left | right), 1)
            if alike >= MOST_ALIKE:
                problems.append(f"{place}: word sets {alike:.2f} alike with {other}")


def find_missing_classes(splits, problems):
    counts = {split: Counter(label for _, _, label in rows) for split, rows in splits.items()}
    for label in sorted(set().union(*counts.values())):
        row = [counts[split][label] for split in SPLITS]
        print(f"{label:>10} {row[0]:>6} {row[1]:>11} {row[2]:>6} {sum(row):>6}")
        for split in SPLITS:
            if not counts[split][label]:
                problems.append(f"{split}.csv: class {label} is missing")


def main():
    folder = Path(__file__).resolve().parent
    problems = []
    splits = {split: read(folder, split, problems) for split in SPLITS}
    print(f"{'class':>10} {'train':>6} {'validation':>11} {'test':>6} {'all':>6}")
    find_missing_classes(splits, problems)
    sizes = [len(splits[split]) for split in SPLITS]
    print(f"{'all':>10} {sizes[0]:>6} {sizes[1]:>11} {sizes[2]:>6} {sum(sizes):>6}")
    if sum(sizes) < LEAST_TEXTS:
        problems.append(f"expected at least {LEAST_TEXTS} texts, found {sum(sizes)}")
    find_repeats(splits, problems)
    for left, right in combinations(SPLITS, 2):
        find_likeness(splits[left], splits[right], problems)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
