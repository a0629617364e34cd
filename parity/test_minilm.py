"""The same with a real pretrained encoder, where its folder is given in TUNESMITH_MINILM (see minilm.sh)."""

import os
import pathlib

import pytest
import transformers

import conftest
import corpus
import reference
from program import predictions, token_ids

CPU_FLAGS = pathlib.Path("/proc/cpuinfo").read_text() if os.path.exists("/proc/cpuinfo") else ""
FOLDER = os.environ.get("TUNESMITH_MINILM", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="TUNESMITH_MINILM is not set")


def test_tokens() -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(FOLDER)
    for text in corpus.AWKWARD:
        if "\0" not in text:
            assert token_ids(pathlib.Path(FOLDER), text) == tokenizer(text)["input_ids"], text


def test_trained_folder_and_its_scores(rows: dict, tmp_path: pathlib.Path) -> None:
    trained = conftest.train(FOLDER, rows, tmp_path / "run")
    _, report = transformers.AutoModelForSequenceClassification.from_pretrained(trained.folder, output_loading_info=True)
    assert not any(report.values()), report
    texts = [text for text, _ in trained.test] + corpus.AWKWARD
    theirs = reference.scores(trained.folder, texts)
    reference.assert_same_scores(predictions(trained.folder, texts, tmp_path), theirs)
    if "avx512_bf16" in CPU_FLAGS:
        # A number of eight bits is off by 0.2%, and six blocks add that up; a wrong row or column is off by far more.
        for precision, bound in (("bf16", 0.02), ("int8", 0.1)):
            ours = predictions(trained.folder, texts, tmp_path, precision)
            far = max(abs(row["scores"][name] - value) for row, expected in zip(ours, theirs) for name, value in expected.items())
            print(f"{precision}: largest difference of a score: {far:.2e}")
            assert 0 < far <= bound, f"{precision}: scores differ by {far}"
