"""The peer in training: the Trainer of transformers on one model folder and one file of rows. Prints one line of JSON.

    python bench/trainer.py --model DIR --train train.csv [--test test.csv] --max-length 128 --batch-size 16 --max-steps 50
"""

import argparse
import json
import os
import resource
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TQDM_DISABLE", "1")
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
    parser.add_argument("--compile", action="store_true", help="torch.compile")
    parser.add_argument("--warm-up", action="store_true", help="some steps before those that are timed; they learn nothing")
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
from transformers.trainer_pt_utils import get_length_grouped_indices


class CountingCollator:
    """Pads a batch to `to_length`, or else to its longest text, and notes how many tokens of it are real."""

    def __init__(self, tokenizer: transformers.PreTrainedTokenizerBase, to_length: int | None) -> None:
        self.tokenizer = tokenizer
        self.to_length = to_length
        self.real: list[int] = []
        self.padded: list[int] = []

    def __call__(self, features: list[dict]) -> dict[str, torch.Tensor]:
        padding = "max_length" if self.to_length else "longest"
        batch = transformers.DataCollatorWithPadding(self.tokenizer, padding=padding, max_length=self.to_length)(features)
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


class GroupedByLength(torch.utils.data.Sampler):
    """The Trainer's grouping as it is on large data: sorted within 50 batches. On a window of few batches it would group by a
    quarter of them, and waste more padding than the job that the window stands for."""

    def __init__(self, lengths: list[int]) -> None:
        self.lengths = lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self):
        return iter(get_length_grouped_indices(self.lengths, asked.batch_size, mega_batch_mult=50))


class Trainer(transformers.Trainer):
    grouped = asked.group_by_length

    def _get_train_sampler(self, train_dataset: Encoded | None = None) -> torch.utils.data.Sampler:
        return GroupedByLength(lengths(self.train_dataset)) if self.grouped else super()._get_train_sampler(train_dataset)


def lengths(encoded: torch.utils.data.Dataset) -> list[int]:
    return [len(encoded[row]["input_ids"]) for row in range(len(encoded))]


def measures(answer: transformers.EvalPrediction) -> dict[str, float]:
    predicted = answer.predictions.argmax(axis=1)
    return {"accuracy": accuracy_score(answer.label_ids, predicted), "f1": f1_score(answer.label_ids, predicted, average="macro")}


def main() -> None:
    if asked.threads:
        torch.set_num_threads(asked.threads)
    tokenizer = transformers.AutoTokenizer.from_pretrained(asked.model)
    train = Encoded(tokenizer, asked.train, None)
    test = Encoded(tokenizer, asked.test, train.names) if asked.test else None
    collator = CountingCollator(tokenizer, asked.max_length if asked.padding == "max" else None)
    transformers.set_seed(asked.seed)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        asked.model, id2label=dict(enumerate(train.names)), label2id={name: index for index, name in enumerate(train.names)}
    )
    with tempfile.TemporaryDirectory() as output:
        settings = transformers.TrainingArguments(
            output,
            num_train_epochs=asked.epochs,
            max_steps=asked.max_steps,
            per_device_train_batch_size=asked.batch_size,
            per_device_eval_batch_size=asked.eval_batch_size,
            learning_rate=asked.learning_rate,
            weight_decay=asked.weight_decay,
            bf16=asked.bf16,
            torch_compile=asked.compile,
            eval_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            dataloader_pin_memory=False,
            use_cpu=True,
            seed=asked.seed,
        )
        trainer = Trainer(
            model,
            settings,
            data_collator=collator,
            train_dataset=train,
            processing_class=tokenizer,
            compute_metrics=measures,
        )
        if asked.warm_up:
            warm_up(trainer, collator)
        compiled = machine.graphs_compiled()
        ran = trainer.train()
        # A whole job waits for the compiler, a window is not to.
        compiled = machine.graphs_compiled() - compiled if asked.warm_up else None
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        trained_on = (sum(collator.real), sum(collator.padded))
        tested = trainer.predict(test).metrics if test else {}
    print(json.dumps(report(trainer, ran.metrics, tested, trained_on) | {"peak_rss_bytes": peak, "compiled_while_timed": compiled}))


def warm_up(trainer: Trainer, collator: CountingCollator) -> None:
    """What happens once in a process, compilation above all, and would weigh more in a window than in a whole job.

    Otherwise on beginnings of texts, so that it does not take long; what is compiled is compiled for lengths, and goes through the
    window itself. Nothing is learnt, and the optimiser is left out of what follows.
    """
    window, to_length = trainer.train_dataset, collator.to_length
    wanted = {name: getattr(trainer.args, name) for name in ("max_steps", "learning_rate")}
    trainer.args.learning_rate = 0.0
    if not asked.compile:
        longest = sorted(range(len(window)), key=lengths(window).__getitem__)[-asked.batch_size :]
        # Several lengths, each batch of one.
        beginnings = [{name: cut(value, tokens) for name, value in window[row].items()} for tokens in (11, 23, 37) for row in longest]
        trainer.train_dataset, trainer.args.max_steps, collator.to_length, trainer.grouped = beginnings, 3, None, True
    trainer.train()
    trainer.train_dataset, collator.to_length, trainer.grouped = window, to_length, asked.group_by_length
    for name, value in wanted.items():
        setattr(trainer.args, name, value)
    trainer.optimizer, trainer.lr_scheduler = None, None
    collator.real.clear()
    collator.padded.clear()


def cut(value: list[int] | int, tokens: int) -> list[int] | int:
    return value[:tokens] if isinstance(value, list) else value


def report(trainer: Trainer, trained: dict, tested: dict, trained_on: tuple[int, int]) -> dict:
    seconds, steps, (real, padded) = trained["train_runtime"], trainer.state.global_step, trained_on
    # The loader reads ahead: what it made of rows that a limit of steps left out was never trained on.
    exact = asked.max_steps < 0
    return {
        "program": "transformers.Trainer",
        "train_runtime": seconds,
        "steps": steps,
        "epochs": trained["epoch"],
        "rows_per_second": trained["train_samples_per_second"],
        "real_tokens_per_second": real / seconds if exact else None,
        "padded_tokens_per_second": padded / seconds if exact else None,
        "share_of_padding": 1 - real / padded if exact else None,
        "train_loss": trained["train_loss"],
        "test_accuracy": tested.get("test_accuracy"),
        "test_f1": tested.get("test_f1"),
        "attention": trainer.model.config._attn_implementation,
        "threads": torch.get_num_threads(),
        "settings": vars(asked) | {"model": os.path.basename(os.path.normpath(asked.model)), "train": None, "test": None},
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "accelerate": accelerate.__version__},
        "machine": machine.describe(),
    }


if __name__ == "__main__":
    main()
