"""Writes fixtures/trainer_output/ and trainer_defaults.json: the files, without weights, that the Trainer leaves after a tiny run, and
the defaults of its arguments. Times in them differ from run to run, which is why make.py does not write them.

    python golden/trainer_output.py
"""

import json
import os
import pathlib
import shutil
import tempfile

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import accelerate
import numpy
import torch
import transformers
from sklearn.metrics import accuracy_score, f1_score

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / "fixtures" / "trainer_output"
LABELS = ["2", "10", "other"]
WORDS = ["a", "bad", "film", "good", "is", "it", "the", "very", "was"]
MIRRORED = [
    "learning_rate", "per_device_train_batch_size", "per_device_eval_batch_size", "num_train_epochs", "max_steps", "weight_decay",
    "adam_beta1", "adam_beta2", "adam_epsilon", "optim", "max_grad_norm", "lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps",
    "logging_strategy", "logging_steps", "logging_first_step", "logging_nan_inf_filter", "save_strategy", "save_steps",
    "save_total_limit", "eval_strategy", "eval_steps", "eval_delay", "eval_on_start", "seed", "data_seed", "label_smoothing_factor",
    "load_best_model_at_end", "metric_for_best_model", "greater_is_better", "gradient_accumulation_steps",
    "average_tokens_across_devices", "dataloader_drop_last", "train_sampling_strategy", "bf16", "full_determinism",
]  # fmt: skip


class Rows(torch.utils.data.Dataset):
    def __init__(self, tokenizer: transformers.PreTrainedTokenizerBase, count: int, seed: int) -> None:
        random = numpy.random.default_rng(seed)
        self.rows = []
        for index in range(count):
            text = " ".join(random.choice(WORDS, size=random.integers(2, 9)))
            self.rows.append({**tokenizer(text, truncation=True), "labels": index % len(LABELS)})

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict:
        return self.rows[index]


def measures(asked: transformers.EvalPrediction) -> dict[str, float]:
    predicted = asked.predictions.argmax(axis=1)
    return {"accuracy": accuracy_score(asked.label_ids, predicted), "f1": f1_score(asked.label_ids, predicted, average="macro")}


def run(output: str) -> None:
    transformers.set_seed(42)
    vocabulary = {token: index for index, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])}
    tokenizer = transformers.BertTokenizer(vocab=vocabulary, model_max_length=16)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=32, id2label=dict(enumerate(LABELS)), label2id={label: index for index, label in enumerate(LABELS)},
    )  # fmt: skip
    arguments = transformers.TrainingArguments(
        output, num_train_epochs=2, per_device_train_batch_size=8, eval_strategy="epoch", save_strategy="epoch", logging_steps=3,
        load_best_model_at_end=True, metric_for_best_model="f1", use_cpu=True, report_to="none", disable_tqdm=True,
    )  # fmt: skip
    trainer = transformers.Trainer(
        transformers.BertForSequenceClassification(config), arguments, train_dataset=Rows(tokenizer, 42, 1),
        eval_dataset=Rows(tokenizer, 12, 2), processing_class=tokenizer, compute_metrics=measures,
    )  # fmt: skip
    # The order of calls is that of the examples in the transformers repository (run_classification.py).
    result = trainer.train()
    metrics = {**result.metrics, "train_samples": 42}
    trainer.save_model()
    trainer.save_metrics("train", metrics)
    trainer.save_state()
    trainer.save_metrics("eval", {**trainer.evaluate(), "eval_samples": 12})
    trainer.save_metrics("test", {**trainer.predict(Rows(tokenizer, 12, 3), metric_key_prefix="test").metrics, "test_samples": 12})


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as output:
        run(output)
        written = sorted(path for path in pathlib.Path(output).rglob("*") if path.is_file())
        names = [str(path.relative_to(output)) for path in written]
        (FOLDER / "FILES.txt").write_text("\n".join(names) + "\n")
        for path in pathlib.Path(output).glob("*.json"):
            # The folder's name is a random one.
            (FOLDER / path.name).write_text(path.read_text().replace(output, "OUTPUT"))
    defaults = transformers.TrainingArguments("OUTPUT").to_dict()
    versions = {"transformers": transformers.__version__, "torch": torch.__version__, "accelerate": accelerate.__version__}
    content = {"versions": versions, "defaults": {name: defaults[name] for name in MIRRORED}}
    (HERE / "trainer_defaults.json").write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
