"""What transformers says of a model folder."""

import pathlib

import transformers

# The bound that the project promises. In float32, sums of a few hundred terms taken in another order differ by about 1e-6.
TOLERANCE = 1e-4


def scores(model: pathlib.Path, texts: list[str]) -> list[dict[str, float]]:
    """Of each text the probability of every label, by the pipeline that users call."""
    ask = transformers.pipeline("text-classification", model=str(model), top_k=None, device="cpu")
    return [{answer["label"]: answer["score"] for answer in answers} for answers in ask(texts, truncation=True)]


def assert_same_scores(ours: list[dict], theirs: list[dict[str, float]], label: str = "label") -> None:
    assert len(ours) == len(theirs)
    largest = 0.0
    for row, expected in zip(ours, theirs):
        assert set(row["scores"]) == set(expected)
        largest = max(largest, *(abs(row["scores"][name] - value) for name, value in expected.items()))
        assert largest <= TOLERANCE, f"scores of {row} differ by {largest} from {expected}"
        best = max(expected.values())
        # Two labels may be equal within the tolerance; either is right then.
        assert expected[row[label]] >= best - TOLERANCE
        assert abs(row["score"] - expected[row[label]]) <= TOLERANCE
    print(f"largest difference of a score: {largest:.2e}")
