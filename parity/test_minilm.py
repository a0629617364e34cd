"""The same with a real pretrained encoder, where its folder is given in TUNESMITH_MINILM (see minilm.sh)."""

import os
import pathlib

import pytest
import transformers

import conftest
import corpus
import reference
from program import predictions, token_ids

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
    reference.assert_same_scores(predictions(trained.folder, texts, tmp_path), reference.scores(trained.folder, texts))
