"""The peers in inference: the forward pass of transformers, or onnxruntime on a file that exported.py made. Prints one line of JSON.

    python bench/forward.py --model DIR --rows rows.csv --max-length 512 --batch-size 16 --bf16 autocast
    python bench/forward.py --model DIR --onnx DIR/model.onnx --rows rows.csv --max-length 512

Rows are taken in the file's order and padded to the longest of a batch. Only the passes through the network are timed, on ids that
lie ready: neither reading nor tokenising, and not what happens once in a process.
"""

import argparse
import json
import os
import pathlib
import resource
import time
from collections.abc import Callable

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ["CUDA_VISIBLE_DEVICES"] = ""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder of a fine-tuned classifier")
    parser.add_argument("--onnx", help="the same as an ONNX file, which onnxruntime then computes")
    parser.add_argument("--rows", required=True, help="CSV file")
    parser.add_argument("--text-column", default="text")
    parser.add_argument("--label-column", default="label")
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--bf16", choices=["no", "autocast", "weights"], default="no", help="of transformers: autocast, or all of it")
    parser.add_argument("--compile", action="store_true", help="torch.compile")
    parser.add_argument("--threads", type=int, default=0, help="(default: as the library chooses)")
    parser.add_argument("--answers", type=pathlib.Path, help="file for the probability of each label for each row, as JSON")
    return parser.parse_args()


asked = arguments()
if asked.threads:
    os.environ["OMP_NUM_THREADS"] = str(asked.threads)

import machine
import numpy
import rows
import torch
import transformers

Batch = dict[str, torch.Tensor]
Forward = Callable[[Batch], numpy.ndarray]


def of_transformers(model: transformers.PreTrainedModel) -> Forward:
    if asked.bf16 == "weights":
        model.to(torch.bfloat16)
    network = torch.compile(model) if asked.compile else model

    def forward(batch: Batch) -> numpy.ndarray:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=asked.bf16 == "autocast"):
            return network(**batch).logits.float().numpy()

    return forward


def of_onnxruntime() -> Forward:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = asked.threads
    session = onnxruntime.InferenceSession(asked.onnx, options, providers=["CPUExecutionProvider"])
    names = {value.name for value in session.get_inputs()}

    def forward(batch: Batch) -> numpy.ndarray:
        return session.run(["logits"], {name: value.numpy() for name, value in batch.items() if name in names})[0]

    return forward


def main() -> None:
    if asked.threads:
        torch.set_num_threads(asked.threads)
    tokenizer = transformers.AutoTokenizer.from_pretrained(asked.model)
    texts, labels = zip(*rows.read_csv(asked.rows, asked.text_column, asked.label_column))
    encoded = tokenizer(list(texts), truncation=True, max_length=asked.max_length, return_token_type_ids=False)
    batches = [
        tokenizer.pad({name: values[at : at + asked.batch_size] for name, values in encoded.items()}, return_tensors="pt")
        for at in range(0, len(texts), asked.batch_size)
    ]
    config = transformers.AutoConfig.from_pretrained(asked.model)
    if asked.onnx:
        forward = of_onnxruntime()
    else:
        forward = of_transformers(transformers.AutoModelForSequenceClassification.from_pretrained(asked.model).eval())
    # Three short lengths, because compilation looks at the first two before it makes code for any length.
    by_length = sorted({batch["input_ids"].shape[1]: batch for batch in batches}.items())
    for _, batch in by_length[: len(by_length) // 3 + 3 : len(by_length) // 9 + 1]:
        forward(batch)
    compiled = machine.graphs_compiled()
    seconds, logits = timed(forward, batches)

    names = [config.id2label[index] for index in range(config.num_labels)]
    predicted = [names[index] for index in logits.argmax(axis=1)]
    if asked.answers:
        scores = torch.softmax(torch.from_numpy(logits).double(), dim=1).tolist()
        asked.answers.write_text(json.dumps([dict(zip(names, row)) for row in scores]))
    real, padded = (sum(int(count(batch)) for batch in batches) for count in (real_tokens, padded_tokens))
    report = {
        "program": "onnxruntime" if asked.onnx else "transformers",
        "runtime": seconds,
        "rows": len(texts),
        "real_tokens_per_second": real / seconds,
        "share_of_padding": 1 - real / padded,
        "accuracy": sum(a == b for a, b in zip(predicted, labels)) / len(labels),
        "compiled_while_timed": machine.graphs_compiled() - compiled,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "settings": {"max_length": asked.max_length, "batch_size": asked.batch_size, "bf16": asked.bf16, "compile": asked.compile},
        "threads": torch.get_num_threads(),
        "versions": versions(),
        "machine": machine.describe(),
    }
    print(json.dumps(report))


def real_tokens(batch: Batch) -> torch.Tensor:
    return batch["attention_mask"].sum()


def padded_tokens(batch: Batch) -> int:
    return batch["attention_mask"].numel()


def timed(forward: Forward, batches: list[Batch]) -> tuple[float, numpy.ndarray]:
    started = time.monotonic()
    logits = [forward(batch) for batch in batches]
    return time.monotonic() - started, numpy.concatenate(logits)


def versions() -> dict[str, str]:
    found = {"torch": torch.__version__, "transformers": transformers.__version__}
    if asked.onnx:
        import onnxruntime

        found["onnxruntime"] = onnxruntime.__version__
    return found


if __name__ == "__main__":
    main()
