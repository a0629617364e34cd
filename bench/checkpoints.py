"""The checkpoints that both programs begin from, made once and kept in a folder."""

import pathlib
from dataclasses import dataclass

import exported
import inputs
from inputs import Rows
from programs import Programs


@dataclass(frozen=True)
class Checkpoints:
    minilm: pathlib.Path
    """The pretrained encoder."""
    data: pathlib.Path
    """Of the data sets."""
    programs: Programs
    precision: str
    """With which the encoder is fine-tuned."""

    def folder(self, model: str) -> pathlib.Path:
        """Of a checkpoint, which is made where there is none."""
        if model == "minilm":
            return self.minilm
        folder = self.programs.cache / model
        if not (folder / "config.json").exists():
            print(f"making {model}, once", flush=True)
            if model == "distilbert":
                inputs.apart(inputs.distilbert, folder, self.minilm)
            else:
                self._fine_tune(folder)
        return folder

    def _fine_tune(self, folder: pathlib.Path) -> None:
        """On SMS spam, by our own program: answers of a head that learnt nothing would say little of int8."""
        train, _ = inputs.sms_split(self.data)
        file = inputs.rows.write_csv(self.programs.cache / "fine-tune.csv", train)
        rows = Rows(file, [0] * len(train))
        self.programs.train(self.minilm, rows, ["--max-length", 128, "--epochs", 1], folder, self.precision)

    def for_onnxruntime(self, model: str) -> None:
        paths = {kind: self.programs.onnx(model, kind) for kind in ("f32", "int8", "int8-per-channel")}
        if not all(path.exists() for path in paths.values()):
            inputs.apart(exported.export, self.folder(model), paths["f32"])
            for kind in ("int8", "int8-per-channel"):
                inputs.apart(exported.quantise, paths["f32"], paths[kind], kind == "int8-per-channel")
