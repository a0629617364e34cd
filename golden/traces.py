"""Ten steps of training as PyTorch and the Trainer take them: losses, gradient norms, learning rates and the weights at the end."""

import json
import os
import re
from dataclasses import dataclass

import torch
from torch import nn
from transformers import PreTrainedModel, get_scheduler
from transformers.trainer_pt_utils import LabelSmoother, get_parameter_names

import models

STEPS = 10
LEARNING_RATE = 1e-3
BETAS = (0.9, 0.999)
EPSILON = 1e-8
MAX_GRAD_NORM = 1.0
BATCHES = [[9, 2, models.POSITIONS, 17], [5, 24, 11, 3, 8, 14]]

# transformers 5.23.0, Trainer.get_decay_parameter_names
NEVER_DECAYED = [r"bias", r"layernorm", r"rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]


@dataclass(frozen=True)
class Variant:
    name: str
    weight_decay: float = 0.0
    freeze: bool = False
    class_weights: list[float] | None = None
    label_smoothing: float = 0.0


def variants(num_labels: int) -> list[Variant]:
    weights = [0.5, 2.0, 1.25][:num_labels]
    return [
        Variant("plain"),
        Variant("weight_decay", weight_decay=0.1),
        Variant("frozen", weight_decay=0.1, freeze=True),
        Variant("class_weights", class_weights=weights),
        Variant("label_smoothing", label_smoothing=0.1),
        Variant("class_weights_label_smoothing", class_weights=weights, label_smoothing=0.1),
    ]


def is_frozen(name: str) -> bool:
    """The embeddings and the first layer of the encoder."""
    return re.search(r"\.embeddings\.|\.layer\.0\.", name) is not None


def decayed_names(model: PreTrainedModel) -> list[str]:
    return get_parameter_names(model, [nn.LayerNorm], NEVER_DECAYED)


def write(family: models.Family, variant: Variant, folder: str) -> None:
    model = models.build(family)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not (variant.freeze and is_frozen(name)))
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    decayed = [name for name in decayed_names(model) if name in trained]
    rest = [name for name in trained if name not in set(decayed)]
    optimizer = torch.optim.AdamW(
        [
            {"params": [trained[name] for name in trained if name in set(decayed)], "weight_decay": variant.weight_decay},
            {"params": [trained[name] for name in rest], "weight_decay": 0.0},
        ],
        lr=LEARNING_RATE,
        betas=BETAS,
        eps=EPSILON,
    )
    scheduler = get_scheduler("linear", optimizer, num_warmup_steps=0, num_training_steps=STEPS)
    weight = None if variant.class_weights is None else torch.tensor(variant.class_weights)
    loss_of = nn.CrossEntropyLoss(weight=weight, label_smoothing=variant.label_smoothing)
    batches = [models.batch(family, lengths, seed=200 + 10 * family.seed + index) for index, lengths in enumerate(BATCHES)]

    losses, norms, rates = [], [], []
    for step in range(STEPS):
        batch = batches[step % len(batches)]
        logits = model(**batch.padded()).logits
        loss = loss_of(logits, batch.labels)
        check_smoothing_is_the_trainers(variant, logits, batch.labels, loss)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(list(trained.values()), MAX_GRAD_NORM)
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
        losses.append(loss.detach())
        norms.append(norm.detach())

    tensors = {"loss": torch.stack(losses), "grad_norm": torch.stack(norms), "lr": torch.tensor(rates, dtype=torch.float64)}
    for index, batch in enumerate(batches):
        for name, tensor in batch.packed().items():
            tensors[f"batch.{index}.{name}"] = tensor
    for name, parameter in model.named_parameters():
        tensors[f"final.{name}"] = parameter
    path = os.path.join(folder, f"trace_{variant.name}")
    models.write_tensors(tensors, path + ".safetensors")
    settings = {
        "steps": STEPS,
        "batch_of_step": [step % len(batches) for step in range(STEPS)],
        "optimizer": "adamw",
        "learning_rate": LEARNING_RATE,
        "lr_scheduler_type": "linear",
        "warmup_steps": 0,
        "adam_beta1": BETAS[0],
        "adam_beta2": BETAS[1],
        "adam_epsilon": EPSILON,
        "max_grad_norm": MAX_GRAD_NORM,
        "weight_decay": variant.weight_decay,
        "label_smoothing_factor": variant.label_smoothing,
        "class_weights": variant.class_weights,
        "decayed": decayed,
        "not_decayed": rest,
        "frozen": [name for name, _ in model.named_parameters() if name not in trained],
        "loss": [value.item() for value in losses],
        "grad_norm": [value.item() for value in norms],
        "lr": rates,
    }
    with open(path + ".json", "w", encoding="utf-8") as file:
        file.write(json.dumps(settings, indent=2) + "\n")


def check_smoothing_is_the_trainers(variant: Variant, logits: torch.Tensor, labels: torch.Tensor, loss: torch.Tensor) -> None:
    """Without class weights, the Trainer's LabelSmoother is the label_smoothing of PyTorch's cross entropy."""
    if variant.label_smoothing and variant.class_weights is None:
        smoothed = LabelSmoother(epsilon=variant.label_smoothing)({"logits": logits}, labels)
        torch.testing.assert_close(smoothed, loss, rtol=1e-6, atol=1e-7)
