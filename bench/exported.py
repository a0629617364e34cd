"""Writes a fine-tuned classifier for onnxruntime: in f32, and with int8 weights and activations as its own tool makes them."""

import logging
import pathlib
import warnings


def export(folder: pathlib.Path, target: pathlib.Path) -> None:
    """As f32. The plain ("eager") form of attention, in which onnxruntime recognises more than in the fused one of PyTorch."""
    import torch
    import transformers

    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    example = tokenizer(["two texts", "of different lengths"], padding=True, return_tensors="pt")
    inputs = {name: example[name] for name in ("input_ids", "attention_mask")}
    free = {0: "rows", 1: "tokens"}
    with warnings.catch_warnings():
        # The exporter without further packages says at length that it will go one day.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (),
            str(target),
            kwargs=inputs,
            input_names=list(inputs),
            output_names=["logits"],
            dynamic_axes={"input_ids": free, "attention_mask": free, "logits": {0: "rows"}},
            opset_version=18,
            dynamo=False,
        )


def quantise(source: pathlib.Path, target: pathlib.Path, per_channel: bool) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # It advises to run its optimiser first; what that makes was measured and is no faster.
    logging.disable(logging.WARNING)
    quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=per_channel)
