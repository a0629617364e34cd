"""Reviews that nobody wrote, as many as are wanted: the size of Amazon polarity without its download.

Words are English ones of our own choice with the usual endings, drawn by Zipf's law; lengths are spread as those of reviews are, 80 words
in the mean. The same number of rows is the same file everywhere.
"""

import csv
import pathlib

import numpy as np

STEMS = """the and a to of it is in for this that was with on my not have but you as so are be at one like just very they all very
book good great time would read story movie product from well buy really use work love if or can do out up when no what get had
money an me has more your only dont first too will even much after than them because bad album music song film little how there
think who were by its year character author quality part old want new way thing game make people sound two look better best play
find most price need over other recommend back video case kid life friend long family try waste end set day hand light room box
batter camera phone screen cable charger kitchen knife cook recipe chapter page plot actor scene voice guitar drum lyric band
track disappoint excellent perfect terrible poor cheap easy hard heavy small large fast slow clean strong weak bright dull plain
order ship arrive return refund service store seller custom support repair break broke last month week hour minute morning night
child daughter son wife husband mother father baby dog cat garden tool paint wood metal plastic glass leather cotton color size
fit wear shoe shirt bag watch ring travel hotel walk run learn teach school student history science world war country city house
simple complex clear confuse bore excite surprise interest enjoy hate hope wish expect believe know remember forget understand
explain describe mention suggest agree doubt worth value cost pay save spend cut open close turn start stop install download
software program computer printer disk memory driver version update manual instruction help question answer problem issue error
button switch power plug adapter filter water coffee tea cup bottle smell taste flavor fresh sweet bitter salt sugar""".split()
ENDINGS = ["", "s", "ed", "ing", "er", "ly", "ness", "able"]
SHORTEST, LONGEST = 4, 250
AT_ONCE = 50_000


def words() -> list[str]:
    """The frequent ones as they are, then the same with endings; some of each begin a sentence or end one."""
    plain = list(dict.fromkeys(STEMS))
    every = plain + [stem + ending for ending in ENDINGS[1:] for stem in plain]
    return every


def write(path: pathlib.Path, rows: int) -> pathlib.Path:
    """`text,label`, unless the file is there."""
    if path.exists():
        return path
    every = words()
    chances = 1 / np.arange(1, len(every) + 1)
    borders = np.cumsum(chances / chances.sum())
    draw = np.random.default_rng(7)
    unfinished = path.with_suffix(".unfinished")
    with open(unfinished, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["text", "label"])
        for first in range(0, rows, AT_ONCE):
            count = min(AT_ONCE, rows - first)
            lengths = np.clip(np.exp(draw.normal(np.log(69), 0.55, count)), SHORTEST, LONGEST).astype(int)
            ids = np.searchsorted(borders, draw.random(lengths.sum())).tolist()
            labels = draw.integers(0, 2, count).tolist()
            ends = np.cumsum(lengths).tolist()
            start = 0
            for end, label in zip(ends, labels):
                table.writerow([sentences([every[at] for at in ids[start:end]]), "positive" if label else "negative"])
                start = end
    unfinished.rename(path)
    return path


def sentences(text: list[str]) -> str:
    """With a comma, a stop or a quotation here and there, which a reader of CSV has to get right."""
    for at in range(11, len(text), 12):
        text[at] += "." if at % 24 == 11 else ","
    text[0] = text[0].capitalize()
    if len(text) % 9 == 0:
        text[1] = f'"{text[1]}"'
    return " ".join(text)
