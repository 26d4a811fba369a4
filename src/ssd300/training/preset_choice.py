"""Which preset a command that names none gets: by its model, by its start, and by what this machine can do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ssd300 import run_layout
from ssd300.errors import SSDError
from ssd300.training.config import TrainConfig
from ssd300.training.presets import ON_A_CPU, PRESETS

WITH_VGG16 = "paper"
STARTS = ("vgg16_features", "vgg16")  # published, the one with Caffe's means first
CPU_REASON = "a small network that a CPU can train; --preset paper trains the paper's, on a GPU"


@dataclass(frozen=True, kw_only=True)
class PresetChoice:
    """A preset by name, the options that go with it, and why it is this one, as a line for people."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    why: str

    def describe(self) -> str:
        """Such as 'preset light: …'."""
        return f"preset {self.name}{self.why}"


def choose_preset(given: Mapping[str, Any], *, resumed: Path | None = None) -> PresetChoice:
    """The preset for the options `given` by name. `resumed` is a run folder, whose preset is found by its options."""
    if resumed is not None and (name := preset_of_run(resumed, given)) is not None:
        return PresetChoice(name=name, why=", that of the run")
    if "model" in given or "backbone" in given:
        if "vgg16" in given.get("model", ""):
            why = ", as --model is VGG16: made for a GPU, and for --init vgg16_features"
            return PresetChoice(name=WITH_VGG16, why=why)
        return PresetChoice(name=ON_A_CPU, why=f": {CPU_REASON}")
    if "init" in given and _holds_vgg16(given["init"]):
        return PresetChoice(name=WITH_VGG16, why=f", as --init {given['init']} is for VGG16: made for a GPU")
    if _device(given.get("device", TrainConfig.device)) != "cuda":
        return PresetChoice(name=ON_A_CPU, why=f", as there is no GPU: {CPU_REASON}")
    if "init" in given:
        return PresetChoice(name=ON_A_CPU, why=f": {CPU_REASON}")
    from ssd300.weights.named import is_downloaded

    start = next(filter(is_downloaded, STARTS), None)
    if start is None:
        why = f", as there is a GPU but nothing to start VGG16 from: `ssd300 download {STARTS[0]}` gets it"
        return PresetChoice(name=ON_A_CPU, why=why)
    why = f" with --init {start}, as there is a GPU and these weights are downloaded"
    return PresetChoice(name=WITH_VGG16, options={"init": start}, why=why)


def preset_of_run(run: Path, given: Mapping[str, Any]) -> str | None:
    """The preset that, with the options `given`, differs least from the configuration of a run; None without one."""
    from ssd300.training.state import describe

    try:
        had = yaml.safe_load((run / run_layout.CONFIG).read_text(encoding="utf-8"))
        differ = {name: sum(had.get(field) != value for field, value in describe(config).items())
                  for name in PRESETS if (config := _made(name, run, given)) is not None}  # fmt: skip
        return min(differ, key=lambda name: differ[name], default=None)
    except (OSError, AttributeError, yaml.YAMLError):
        return None


def _made(preset: str, run: Path, given: Mapping[str, Any]) -> TrainConfig | None:
    """The preset with the options; None where it has others that exclude them."""
    try:
        return PRESETS[preset](run, **given)
    except ValueError:
        return None


def _holds_vgg16(init: str) -> bool:
    """Whether weights to start from are VGG16's, by their names or by what the file holds; false if unknown."""
    from ssd300.weights.format import is_ours, read_card_file
    from ssd300.weights.named import NAMED
    from ssd300.weights.resolve import find_weights
    from ssd300.weights.start_tensors import holds_vgg16

    path = Path(init)
    if not path.exists():
        return init in NAMED
    try:
        path = find_weights(path) or path
        return "vgg16" in read_card_file(path).model if is_ours(path) else holds_vgg16(path)
    except (SSDError, OSError):
        return False  # it is said when the weights are read


def _device(name: str) -> str:
    """The kind of the device; 'cpu' where this machine does not have it, which is said elsewhere."""
    from ssd300.system.device import choose_device

    try:
        return choose_device(name).type
    except SSDError:
        return "cpu"
