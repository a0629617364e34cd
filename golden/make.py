"""Writes the fixtures: what the reference implementation computes for tiny random models. Read README.md for what is in them.

    python golden/make.py            (in an environment with golden/requirements.txt; see parity/venv.sh)
"""

import os

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

import baseline
import metrics
import models
import pickles
import schedules
import traces

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "fixtures")


def main() -> None:
    # One thread and fixed algorithms: the same bytes at every run on one machine.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for family in models.FAMILIES:
        folder = os.path.join(FIXTURES, family.name)
        model = models.build(family)
        models.save(model, folder)
        models.write_reference(family, model, folder)
        for variant in traces.variants(family.num_labels):
            traces.write(family, variant, folder)
    schedules.write(os.path.join(FIXTURES, "schedules.json"))
    metrics.write(os.path.join(FIXTURES, "metrics.json"))
    baseline.write(os.path.join(FIXTURES, "baseline.json"))
    pickles.write(os.path.join(FIXTURES, "pickles"))


if __name__ == "__main__":
    main()
