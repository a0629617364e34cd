"""A folder that transformers wrote is read by tunesmith, with the same answers."""

import json
import pathlib
import re

import pytest
import safetensors.torch
import transformers

import corpus
import pretrained
import reference
from program import predictions, token_ids, tunesmith

TEXTS = [text for text, _ in corpus.rows(12, seed=7)] + corpus.AWKWARD
MAKERS = {"bert": pretrained.classifier_bert, "distilbert": pretrained.classifier_distilbert}


@pytest.fixture(params=sorted(MAKERS))
def maker(request: pytest.FixtureRequest):
    return MAKERS[request.param]


def assert_same_answers(folder: pathlib.Path, scratch: pathlib.Path) -> None:
    reference.assert_same_scores(predictions(folder, TEXTS, scratch), reference.scores(folder, TEXTS))


def test_scores_of_a_classifier(maker, tmp_path: pathlib.Path) -> None:
    assert_same_answers(maker(tmp_path / "model"), tmp_path)


def test_sharded_weights(maker, tmp_path: pathlib.Path) -> None:
    folder = maker(tmp_path / "model", max_shard_size="8KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 2
    assert_same_answers(folder, tmp_path)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weights_of_half_width(maker, dtype: str, tmp_path: pathlib.Path) -> None:
    """Weights of 16 bits are widened; the reference is told to compute in float32 too."""
    import torch

    folder = maker(tmp_path / "model")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, dtype=getattr(torch, dtype))
    model.save_pretrained(folder)
    ask = transformers.pipeline("text-classification", model=str(folder), top_k=None, dtype=torch.float32, device="cpu")
    theirs = [{answer["label"]: answer["score"] for answer in answers} for answers in ask(TEXTS, truncation=True)]
    reference.assert_same_scores(predictions(folder, TEXTS, tmp_path), theirs)


@pytest.mark.parametrize("as_zip", [True, False])
def test_pickled_weights(maker, as_zip: bool, tmp_path: pathlib.Path) -> None:
    """Both forms of files that torch.save has written; distilbert-base-uncased, as published, has the older."""
    import torch

    folder = maker(tmp_path / "model")
    path = folder / "model.safetensors"
    torch.save(safetensors.torch.load_file(path), folder / "pytorch_model.bin", _use_new_zipfile_serialization=as_zip)
    path.unlink()
    assert_same_answers(folder, tmp_path)


def test_old_names_of_layer_norm(tmp_path: pathlib.Path) -> None:
    """bert-base-uncased, as published, calls the weight gamma and the bias beta."""
    folder = pretrained.classifier_bert(tmp_path / "model")
    path = folder / "model.safetensors"
    renamed = {
        re.sub(r"LayerNorm\.bias$", "LayerNorm.beta", re.sub(r"LayerNorm\.weight$", "LayerNorm.gamma", name)): tensor
        for name, tensor in safetensors.torch.load_file(path).items()
    }
    assert any(name.endswith("gamma") for name in renamed)
    safetensors.torch.save_file(renamed, path, metadata={"format": "pt"})
    assert_same_answers(folder, tmp_path)


def test_tokenizer_of_a_folder_that_pads(base_bert: pathlib.Path) -> None:
    """A tokenizer.json may ask for padding and for a length; like transformers, we take neither from it."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(base_bert)
    for text in ["a", "It was a lovely, bright day; wasn't it?", "Café 東京"]:
        assert token_ids(base_bert, text) == tokenizer(text)["input_ids"]


def said_about(model: pathlib.Path, rows: dict, tmp_path: pathlib.Path) -> str:
    return tunesmith(
        "train", "--train", rows["train"], "--test", rows["test"], "--model", model, "--output", tmp_path / "run", "--max-length", 16,
        "--max-steps", 2,
    ).all  # fmt: skip


def test_new_weights_of_a_model_without_head_are_named(base_bert: pathlib.Path, rows: dict, tmp_path: pathlib.Path) -> None:
    said = said_about(base_bert, rows, tmp_path)
    for name in ["classifier.weight", "classifier.bias"]:
        assert name in said
    assert "pooler.dense.weight" not in said, "the pooler was there"


def test_new_and_unused_weights_of_another_head_are_named(masked_distilbert: pathlib.Path, rows: dict, tmp_path: pathlib.Path) -> None:
    model, report = transformers.AutoModelForSequenceClassification.from_pretrained(
        masked_distilbert, num_labels=3, output_loading_info=True
    )
    said = said_about(masked_distilbert, rows, tmp_path)
    missing, unexpected = sorted(report["missing_keys"]), sorted(report["unexpected_keys"])
    assert missing and unexpected, "the reference itself finds both kinds"
    for name in missing + unexpected:
        assert name in said, f"{name} was not named"
    total = sum(parameter.numel() for parameter in model.parameters())
    assert str(total) in said.replace(",", "").replace("_", "").replace("\u202f", ""), f"{total} parameters were not counted"


def test_base_weights_are_taken_over(base_bert: pathlib.Path, rows: dict, tmp_path: pathlib.Path) -> None:
    """With a learning rate of nothing to speak of, what comes out is what went in."""
    tunesmith(
        "train", "--train", rows["train"], "--test", rows["test"], "--model", base_bert, "--output", tmp_path / "run",
        "--max-length", 16, "--max-steps", 1, "--learning-rate", "1e-30",
    )  # fmt: skip
    before = safetensors.torch.load_file(base_bert / "model.safetensors")
    after = safetensors.torch.load_file(tmp_path / "run" / "model.safetensors")
    for name, tensor in before.items():
        assert after[f"bert.{name}"].equal(tensor), name
    assert json.loads((tmp_path / "run" / "config.json").read_text())["architectures"] == ["BertForSequenceClassification"]
