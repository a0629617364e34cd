"""Dictionaries of tensors as `torch.save` writes them, in both forms of its files, and as safetensors what they hold.

One holds a name that reading it in Python would run."""

import collections
import os

import torch
from safetensors.torch import save_file


class Runs:
    def __reduce__(self) -> tuple:
        return os.getcwd, ()


def dictionary() -> collections.OrderedDict:
    numbers = torch.arange(24, dtype=torch.float32) / 8 - 1
    return collections.OrderedDict(
        {
            "encoder.weight": numbers.reshape(4, 6),
            "encoder.transposed": numbers.reshape(4, 6).t(),
            "encoder.part": numbers[5:9],
            "encoder.every_third": numbers[::3],
            "encoder.scalar": torch.tensor(2.5),
            "encoder.empty": torch.zeros(0, 3),
            "encoder.half": numbers[:6].half(),
            "encoder.bfloat16": numbers[:6].bfloat16(),
            "encoder.double": numbers[:6].double(),
            "classifier.parameter": torch.nn.Parameter(numbers[6:12].clone().reshape(2, 3)),
            "position_ids": torch.arange(5).reshape(1, 5),
        }
    )


def write(folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    tensors = dictionary()
    # As a network's state_dict has it.
    tensors._metadata = collections.OrderedDict({"": {"version": 1}, "encoder": {"version": 1}})
    torch.save(tensors, os.path.join(folder, "zip.bin"))
    torch.save(tensors, os.path.join(folder, "in_a_row.bin"), _use_new_zipfile_serialization=False)
    torch.save(dict(tensors), os.path.join(folder, "plain_dict.bin"))
    torch.save({"a": torch.zeros(2), "runs": Runs()}, os.path.join(folder, "runs.bin"))
    torch.save({"a": torch.zeros(2), "epoch": 3}, os.path.join(folder, "other.bin"))
    torch.save({"a": torch.zeros(1).expand(1000)}, os.path.join(folder, "repeated.bin"))
    # What is told of a tensor is told as f32, which every kind but integers becomes when it is read.
    known = {name: tensor.detach().float().contiguous().clone() for name, tensor in tensors.items() if name != "position_ids"}
    save_file(known, os.path.join(folder, "known.safetensors"))
