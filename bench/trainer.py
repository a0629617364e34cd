"""The peer: the Trainer of transformers on one model folder and one file of rows. Prints one line of JSON.

    python bench/trainer.py --model DIR --train train.csv [--test test.csv] --max-length 128 --batch-size 16 --max-steps 50
"""

import argparse
import json
import os
import resource
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ["CUDA_VISIBLE_DEVICES"] = ""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder with config.json, weights and tokenizer")
    parser.add_argument("--train", required=True, help="CSV file")
    parser.add_argument("--test", help="CSV file; accuracy and macro F1 are measured on it at the end")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--label-column", default="label")
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--eval-batch-size", type=int, default=8)
    parser.add_argument("--epochs", type=float, default=3.0)
    parser.add_argument("--max-steps", type=int, default=-1)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--weight-decay", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--padding", choices=["max", "dynamic"], default="dynamic", help="to max-length, or to the longest of a batch")
    parser.add_argument("--group-by-length", action="store_true", help="batches of texts of like length")
    parser.add_argument("--bf16", action="store_true", help="autocast to bfloat16")
    parser.add_argument("--eval-each-epoch", action="store_true", help="measure on the test rows after each epoch too")
    parser.add_argument("--threads", type=int, default=0, help="of PyTorch (default: as PyTorch chooses)")
    return parser.parse_args()


asked = arguments()
if asked.threads:
    os.environ["OMP_NUM_THREADS"] = str(asked.threads)

import accelerate
import machine
import rows
import torch
import transformers
from sklearn.metrics import accuracy_score, f1_score


class CountingCollator:
    """Pads a batch, and notes how many tokens of it are real."""

    def __init__(self, tokenizer: transformers.PreTrainedTokenizerBase, to_length: int | None) -> None:
        padding = "max_length" if to_length else "longest"
        self.pad = transformers.DataCollatorWithPadding(tokenizer, padding=padding, max_length=to_length)
        self.real: list[int] = []
        self.padded: list[int] = []

    def __call__(self, features: list[dict]) -> dict[str, torch.Tensor]:
        batch = self.pad(features)
        self.real.append(int(batch["attention_mask"].sum()))
        self.padded.append(batch["attention_mask"].numel())
        return batch


class Encoded(torch.utils.data.Dataset):
    def __init__(self, tokenizer: transformers.PreTrainedTokenizerBase, file: str, names: list[str] | None) -> None:
        texts, labels = zip(*rows.read_csv(file, asked.text_column, asked.label_column))
        self.names = names or sorted(set(labels), key=rows.natural)
        self.columns = tokenizer(list(texts), truncation=True, max_length=asked.max_length)
        self.labels = [self.names.index(label) for label in labels]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict:
        return {**{name: values[index] for name, values in self.columns.items()}, "labels": self.labels[index]}


def measures(answer: transformers.EvalPrediction) -> dict[str, float]:
    predicted = answer.predictions.argmax(axis=1)
    return {"accuracy": accuracy_score(answer.label_ids, predicted), "f1": f1_score(answer.label_ids, predicted, average="macro")}


def main() -> None:
    if asked.threads:
        torch.set_num_threads(asked.threads)
    transformers.set_seed(asked.seed)
    tokenizer = transformers.AutoTokenizer.from_pretrained(asked.model)
    train = Encoded(tokenizer, asked.train, None)
    test = Encoded(tokenizer, asked.test, train.names) if asked.test else None
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        asked.model, id2label=dict(enumerate(train.names)), label2id={name: index for index, name in enumerate(train.names)}
    )
    to_length = asked.max_length if asked.padding == "max" else None
    collator = CountingCollator(tokenizer, to_length)
    with tempfile.TemporaryDirectory() as output:
        settings = transformers.TrainingArguments(
            output,
            num_train_epochs=asked.epochs,
            max_steps=asked.max_steps,
            per_device_train_batch_size=asked.batch_size,
            per_device_eval_batch_size=asked.eval_batch_size,
            learning_rate=asked.learning_rate,
            weight_decay=asked.weight_decay,
            train_sampling_strategy="group_by_length" if asked.group_by_length else "random",
            bf16=asked.bf16,
            eval_strategy="epoch" if asked.eval_each_epoch else "no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            dataloader_pin_memory=False,
            use_cpu=True,
            seed=asked.seed,
        )
        trainer = transformers.Trainer(
            model,
            settings,
            data_collator=collator,
            train_dataset=train,
            eval_dataset=test,
            processing_class=tokenizer,
            compute_metrics=measures,
        )
        ran = trainer.train()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        tested = trainer.predict(test).metrics if test else {}
    print(json.dumps(report(trainer, ran.metrics, tested, collator, peak)))


def report(trainer: transformers.Trainer, trained: dict, tested: dict, collator: CountingCollator, peak: int) -> dict:
    seconds, steps = trained["train_runtime"], trainer.state.global_step
    exact = not asked.eval_each_epoch  # the collator serves evaluations too, which would be counted with the training
    # The loader reads one batch ahead; only those that were trained on count.
    real, padded = sum(collator.real[:steps]), sum(collator.padded[:steps])
    return {
        "program": "transformers.Trainer",
        "train_runtime": seconds,
        "steps": steps,
        "rows_per_second": trained["train_samples_per_second"],
        "real_tokens_per_second": real / seconds if exact else None,
        "padded_tokens_per_second": padded / seconds if exact else None,
        "share_of_padding": 1 - real / padded if exact else None,
        "train_loss": trained["train_loss"],
        "test_accuracy": tested.get("test_accuracy"),
        "test_f1": tested.get("test_f1"),
        "peak_rss_bytes": peak,
        "attention": trainer.model.config._attn_implementation,
        "threads": torch.get_num_threads(),
        "settings": vars(asked) | {"model": os.path.basename(os.path.normpath(asked.model)), "train": None, "test": None},
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "accelerate": accelerate.__version__},
        "machine": machine.describe(),
    }


if __name__ == "__main__":
    main()
