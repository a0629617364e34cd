"""Made-up rows to learn from, and texts that are awkward to read."""

import random

# In natural order; as plain strings "10" would stand before "2".
LABELS = ["2", "10", "other"]
_TYPICAL = {
    "2": ["awful", "dull", "broken", "late", "sad"],
    "10": ["lovely", "bright", "great", "swift", "happy"],
    "other": ["table", "street", "water", "paper", "seven"],
}
_COMMON = ["the", "it", "was", "a", "very", "and", "is", "on", "Café", "don't", "we", "saw"]

AWKWARD = [
    "",
    "a",
    "   spaces\tand\ttabs   ",
    "Üñïcödé ÀÉÎ, naïve café; 東京 and emoji 🙂!",
    "It was a LOVELY, bright day... wasn't it?",
    "awful " * 400,
    "x" * 300,
    "quotes \"double\" and 'single', commas, and\nnew lines",
    "[CLS] [SEP] [PAD] [MASK] [UNK]",
    "zero\u200bwidth \ufeff and \u0000 nothing",
]


def rows(count: int, seed: int) -> list[tuple[str, str]]:
    """(text, label), the labels in turn."""
    drawn = random.Random(seed)
    made = []
    for index in range(count):
        label = LABELS[index % len(LABELS)]
        words = drawn.choices(_COMMON, k=drawn.randint(2, 9)) + drawn.choices(_TYPICAL[label], k=drawn.randint(1, 2))
        # One in five says something else than its label, so that no measure is a plain 1.
        if drawn.random() < 0.2:
            words += drawn.choices(_TYPICAL[drawn.choice(LABELS)], k=2)
        drawn.shuffle(words)
        made.append((" ".join(words), label))
    return made


def words() -> list[str]:
    return sorted({word.lower() for group in [*_TYPICAL.values(), _COMMON] for word in group})
