"""What each learning rate schedule of the reference multiplies the learning rate with, step by step."""

import json

import torch
from transformers import get_scheduler

STEPS = 20
NAMES = ["linear", "cosine", "constant", "constant_with_warmup"]
WARMUPS = [0, 5, 25]  # the last is longer than the training
# Steps past the last one are listed too: the reference can be asked for them.
ASKED = 23


def multipliers(name: str, warmup: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = get_scheduler(name, optimizer, num_warmup_steps=warmup, num_training_steps=STEPS)
    values = []
    for _ in range(ASKED):
        values.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return values


def write(path: str) -> None:
    cases = [
        {"lr_scheduler_type": name, "warmup_steps": warmup, "total_steps": STEPS, "multiplier": multipliers(name, warmup)}
        for name in NAMES
        for warmup in WARMUPS
    ]
    with open(path, "w", encoding="utf-8") as file:
        file.write(json.dumps({"cases": cases}, indent=1) + "\n")
