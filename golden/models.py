"""The tiny models, the texts they are asked about, and the reference's answers for one batch."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import torch
from safetensors.torch import save_file
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PreTrainedModel,
)

POSITIONS = 32
NAMES = {2: ["negative", "positive"], 3: ["no", "maybe", "yes"]}


@dataclass(frozen=True)
class Family:
    name: str
    seed: int
    vocab_size: int
    num_labels: int
    make: Callable[["Family"], PreTrainedModel]


def labels_of(family: Family) -> dict:
    names = NAMES[family.num_labels]
    return {
        "num_labels": family.num_labels,
        "id2label": dict(enumerate(names)),
        "label2id": {name: index for index, name in enumerate(names)},
        "attn_implementation": "eager",
    }


def bert(family: Family) -> PreTrainedModel:
    config = BertConfig(
        vocab_size=family.vocab_size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=52,
        max_position_embeddings=POSITIONS,
        type_vocab_size=2,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **labels_of(family),
    )
    return BertForSequenceClassification(config)


def distilbert(family: Family) -> PreTrainedModel:
    config = DistilBertConfig(
        vocab_size=family.vocab_size,
        dim=24,
        n_layers=2,
        n_heads=3,
        hidden_dim=44,
        max_position_embeddings=POSITIONS,
        sinusoidal_pos_embds=False,
        dropout=0.0,
        attention_dropout=0.0,
        seq_classif_dropout=0.0,
        **labels_of(family),
    )
    return DistilBertForSequenceClassification(config)


FAMILIES = [
    Family("bert", seed=11, vocab_size=57, num_labels=3, make=bert),
    Family("distilbert", seed=12, vocab_size=43, num_labels=2, make=distilbert),
]


def build(family: Family) -> PreTrainedModel:
    """The model with every weight random: as made, biases would be 0 and LayerNorm weights 1, which hides mistakes, and the other
    weights so small that gradients drown in rounding."""
    torch.manual_seed(family.seed)
    model = family.make(family).to(torch.float32).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0.0, 0.2)
            if name.lower().endswith(("layernorm.weight", "layer_norm.weight")):
                parameter.add_(1.0)
    return model


def save(model: PreTrainedModel, folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)


@dataclass(frozen=True)
class Batch:
    """Texts of different lengths with their labels, kept apart."""

    texts: list[torch.Tensor]
    labels: torch.Tensor

    def padded(self) -> dict[str, torch.Tensor]:
        """As the reference takes it: rows padded with 0 to the longest, and the mask that says so."""
        longest = max(len(text) for text in self.texts)
        ids = torch.zeros(len(self.texts), longest, dtype=torch.int64)
        mask = torch.zeros_like(ids)
        for row, text in enumerate(self.texts):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        return {"input_ids": ids, "attention_mask": mask}

    def packed(self) -> dict[str, torch.Tensor]:
        """As the fixtures keep it: the texts one after another, and where each begins."""
        lengths = torch.tensor([0] + [len(text) for text in self.texts], dtype=torch.int64)
        return {"input_ids": torch.cat(self.texts), "cu_seqlens": lengths.cumsum(0), "labels": self.labels}


def batch(family: Family, lengths: list[int], seed: int) -> Batch:
    """Random texts without id 0: it is the padding id, whose row of the embedding never gets a gradient."""
    generator = torch.Generator().manual_seed(seed)
    texts = [torch.randint(1, family.vocab_size, (length,), generator=generator) for length in lengths]
    labels = torch.arange(len(lengths)) * 2 % family.num_labels if family.num_labels > 2 else torch.arange(len(lengths)) % 2
    return Batch(texts, labels)


def pack(values: torch.Tensor, lengths: list[int]) -> torch.Tensor:
    """[B, T, H] to [N, H], leaving the padding out."""
    return torch.cat([values[row, :length] for row, length in enumerate(lengths)])


def write_reference(family: Family, model: PreTrainedModel, folder: str) -> None:
    lengths = [7, 2, POSITIONS, 13, 20]
    asked = batch(family, lengths, seed=100 + family.seed)
    model.zero_grad()
    answer = model(**asked.padded(), output_hidden_states=True)
    loss = torch.nn.functional.cross_entropy(answer.logits, asked.labels)
    loss.backward()
    check_padding_changes_nothing(model, asked, answer.logits)

    tensors = asked.packed()
    for index, hidden in enumerate(answer.hidden_states):
        tensors[f"hidden_states.{index}"] = pack(hidden, lengths)
    tensors["logits"] = answer.logits
    tensors["loss"] = loss.reshape(1)
    for name, parameter in model.named_parameters():
        if parameter.grad is None:
            raise AssertionError(f"{name} got no gradient")
        tensors[f"grad.{name}"] = parameter.grad
    write_tensors(tensors, os.path.join(folder, "reference.safetensors"))


def check_padding_changes_nothing(model: PreTrainedModel, asked: Batch, logits: torch.Tensor) -> None:
    with torch.no_grad():
        for row, text in enumerate(asked.texts):
            alone = model(input_ids=text[None]).logits[0]
            torch.testing.assert_close(alone, logits[row], rtol=0.0, atol=2e-6)


def write_tensors(tensors: dict[str, torch.Tensor], path: str) -> None:
    save_file({name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}, path)
