"""Tiny pretrained models as others publish them: folders written by transformers itself."""

import json
import pathlib
import string

import torch
import transformers

import corpus

POSITIONS = 48
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def tokenizer(kind: type = transformers.BertTokenizer) -> transformers.PreTrainedTokenizerBase:
    characters = list(string.ascii_lowercase + string.digits + string.punctuation)
    pieces = [*SPECIAL, *characters, *(f"##{character}" for character in characters), *corpus.words()]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    return kind(vocab=vocabulary, model_max_length=POSITIONS)


def with_random_weights(model: transformers.PreTrainedModel, seed: int = 5) -> transformers.PreTrainedModel:
    """As made, weights are so small that every text gets nearly the same score."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0.0, 0.2)
            if "norm" in name.lower() and name.endswith("weight"):
                parameter.add_(1.0)
    return model.eval()


def bert_config(**more: object) -> transformers.BertConfig:
    return transformers.BertConfig(
        vocab_size=len(tokenizer()), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
        max_position_embeddings=POSITIONS, **more,
    )  # fmt: skip


def distilbert_config(**more: object) -> transformers.DistilBertConfig:
    return transformers.DistilBertConfig(
        vocab_size=len(tokenizer()), dim=32, n_layers=2, n_heads=4, hidden_dim=48, max_position_embeddings=POSITIONS, **more
    )


def labelled() -> dict:
    return {
        "id2label": dict(enumerate(corpus.LABELS)),
        "label2id": {label: index for index, label in enumerate(corpus.LABELS)},
    }


def save(model: transformers.PreTrainedModel, folder: pathlib.Path, **more: object) -> pathlib.Path:
    model.save_pretrained(folder, **more)
    kind = transformers.DistilBertTokenizer if model.config.model_type == "distilbert" else transformers.BertTokenizer
    tokenizer(kind).save_pretrained(folder)
    return folder


def base_bert(folder: pathlib.Path) -> pathlib.Path:
    """BERT without a head, its tokenizer.json asking for truncation and padding, as sentence-transformers leave it."""
    save(with_random_weights(transformers.BertModel(bert_config())), folder)
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["truncation"] = {"max_length": 6, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}
    content["padding"] = {
        "strategy": {"Fixed": 6}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]",
    }  # fmt: skip
    path.write_text(json.dumps(content), encoding="utf-8")
    return folder


def masked_distilbert(folder: pathlib.Path) -> pathlib.Path:
    """DistilBERT with the head of its pretraining, as distilbert-base-uncased is published."""
    return save(with_random_weights(transformers.DistilBertForMaskedLM(distilbert_config())), folder)


def classifier_bert(folder: pathlib.Path, **more: object) -> pathlib.Path:
    return save(with_random_weights(transformers.BertForSequenceClassification(bert_config(**labelled()))), folder, **more)


def classifier_distilbert(folder: pathlib.Path, **more: object) -> pathlib.Path:
    return save(with_random_weights(transformers.DistilBertForSequenceClassification(distilbert_config(**labelled()))), folder, **more)
