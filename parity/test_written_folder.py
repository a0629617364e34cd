"""A folder that tunesmith wrote is one that transformers could have written."""

import json
import pathlib

import transformers

import corpus
import reference
from conftest import MAX_LENGTH, Trained
from program import predictions, token_ids, tunesmith, write_rows


def test_no_key_is_missing_or_unexpected(trained: Trained) -> None:
    model, report = transformers.AutoModelForSequenceClassification.from_pretrained(trained.folder, output_loading_info=True)
    assert not any(report.values()), report
    assert model.config.problem_type in (None, "single_label_classification")


def test_labels_are_named_in_natural_order(trained: Trained) -> None:
    config = transformers.AutoConfig.from_pretrained(trained.folder)
    assert config.id2label == dict(enumerate(corpus.LABELS))
    assert config.label2id == {label: index for index, label in enumerate(corpus.LABELS)}


def test_pipeline_gives_the_scores_of_predict(trained: Trained, tmp_path: pathlib.Path) -> None:
    texts = [text for text, _ in trained.test] + corpus.AWKWARD
    reference.assert_same_scores(predictions(trained.folder, texts, tmp_path), reference.scores(trained.folder, texts))


def test_predictions_of_labelled_rows_keep_their_label(trained_bert: Trained, tmp_path: pathlib.Path) -> None:
    asked, answered = write_rows(tmp_path / "asked.csv", ["text", "label"], trained_bert.test), tmp_path / "answered.jsonl"
    tunesmith("predict", trained_bert.folder, "--input", asked, "--output", answered)
    ours = [json.loads(line) for line in answered.read_text(encoding="utf-8").splitlines()]
    assert [(row["text"], row["label"]) for row in ours] == trained_bert.test
    theirs = reference.scores(trained_bert.folder, [text for text, _ in trained_bert.test])
    reference.assert_same_scores(ours, theirs, label="predicted_label")


def test_tokenizer_gives_the_same_ids(trained: Trained) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(trained.folder)
    for text in corpus.AWKWARD:
        if "\0" in text:
            continue  # cannot be an argument of a command
        expected = tokenizer(text)["input_ids"]  # uncut, as `tokenize` shows them
        assert token_ids(trained.folder, text) == expected, text


def test_model_max_length_is_the_length_trained_with(trained: Trained) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(trained.folder)
    assert tokenizer.model_max_length == MAX_LENGTH
    assert len(tokenizer("awful " * 100, truncation=True)["input_ids"]) == MAX_LENGTH
    # The folder that it was trained from asked for padding and for another length; neither is for the user of this one.
    assert len(tokenizer("a")["input_ids"]) == 3


def test_transformers_saves_and_reads_it_again(trained: Trained, tmp_path: pathlib.Path) -> None:
    """The way back: what transformers makes of our folder is read by us, with the same answers."""
    texts = [text for text, _ in trained.test]
    transformers.AutoModelForSequenceClassification.from_pretrained(trained.folder).save_pretrained(tmp_path / "again")
    transformers.AutoTokenizer.from_pretrained(trained.folder).save_pretrained(tmp_path / "again")
    before = predictions(trained.folder, texts, tmp_path)
    after = predictions(tmp_path / "again", texts, tmp_path)
    assert [row["scores"] for row in before] == [row["scores"] for row in after]


def test_transformers_can_train_it_further(trained: Trained) -> None:
    """One step of PyTorch on what we wrote: every weight takes part."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(trained.folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(trained.folder)
    texts, labels = zip(*trained.test[:6])
    batch = tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
    model.train()
    loss = model(**batch, labels=batch["input_ids"].new_tensor([corpus.LABELS.index(label) for label in labels])).loss
    loss.backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []
