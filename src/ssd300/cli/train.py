"""`ssd300 train`: from a labelled folder to a run folder with weights."""

import math
import shlex
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ssd300.cli.options import Json, Switch, log_to_stderr, print_json, read_classes, say
from ssd300.errors import DataError, UsageError
from ssd300.files import check_output_free, write_text

if TYPE_CHECKING:
    from ssd300.training.config import TrainConfig


def train(
    *data: Path,
    out: Path,
    preset: Literal["paper", "seed", "light"] = "paper",
    model: Literal["ssd300_vgg16", "ssd300_efficientnet_lite0"] | None = None,
    init: str | None = None,
    steps: int | None = None,
    epochs: float | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    schedule: Literal["multistep", "cosine"] | None = None,
    lr_drop: Annotated[tuple[int, ...] | None, Parameter(consume_multiple=True)] = None,
    lr_drop_factor: float | None = None,
    warmup_steps: int | None = None,
    momentum: float | None = None,
    weight_decay: float | None = None,
    grad_clip: float | None = None,
    default_boxes: Literal["paper", "seed"] | None = None,
    rules: Literal["paper", "seed"] | None = None,
    augment: bool | None = None,
    workers: int | None = None,
    amp: Literal["auto", "off", "bf16"] | None = None,
    device: str | None = None,
    seed: int | None = None,
    eval_every: int | None = None,
    save_every: int | None = None,
    log_every: int | None = None,
    split: str | None = None,
    classes: Path | None = None,
    on_bad_label: Literal["error", "drop-box", "drop-image"] = "error",
    drop_difficult: Switch = False,
    resume: Switch = False,
    stop_after: int | None = None,
    overwrite: Switch = False,
    json_: Json = False,
) -> None:
    """Train SSD300 on labelled pictures. An option that is left out has the preset's value.

    Parameters
    ----------
    data
        PASCAL VOC folders, joined.
    out
        The run folder: weights, state, log, configuration.
    preset
        'paper' and 'seed' are for VGG16, 'light' is for a CPU.
    model
        The detector.
    init
        What the backbone starts from: a file, 'imagenet' (EfficientNet-Lite0 only), or 'none'.
    steps
        Updates of the weights; images seen are steps times batch size.
    epochs
        Instead of steps: how often every picture is seen, rounded up to whole steps.
    batch_size
        Pictures an update.
    lr
        Learning rate of weights; biases have twice as much.
    schedule
        'multistep' drops the rate at --lr-drop; 'cosine' lets it fall to 0.
    lr_drop
        Steps at which the rate drops.
    lr_drop_factor
        What the rate is multiplied by at each drop.
    warmup_steps
        Steps over which the rate rises.
    momentum
        Momentum of SGD.
    weight_decay
        On weights only.
    grad_clip
        Longest gradient norm.
    default_boxes
        The paper's, or the seed's, which other SSD weights do not fit.
    rules
        Matching and loss as in the paper, or as in the seed's code.
    augment
        The paper's data augmentation.
    workers
        Processes that decode pictures.
    amp
        Precision: 'auto' takes bf16 where the hardware has it.
    device
        'auto', 'cpu', 'cuda' or 'mps'.
    seed
        Of everything that chance decides.
    eval_every
        Steps between evaluations on the held-out split.
    save_every
        Steps between saved states.
    log_every
        Steps between lines of the log.
    split
        Train on this split instead of trainval or train.
    classes
        A file with one class a line.
    on_bad_label
        What a box that is inverted, empty or outside gets.
    drop_difficult
        Leave difficult objects out.
    resume
        Go on from the state in --out.
    stop_after
        Save the state after this step and end there.
    overwrite
        Write into a folder that is not empty.
    json_
        Print the summary as one JSON object and nothing else.
    """
    given = {name: value for name, value in locals().items() if value is not None}
    if epochs is not None and (steps is not None or epochs <= 0):
        raise UsageError("--epochs must be above 0, and stands instead of --steps", fix="Give one of the two.")
    if not resume:
        check_output_free(out, overwrite=overwrite)

    from ssd300.data import load_dataset
    from ssd300.presets import PRESETS
    from ssd300.training.loop import train as run

    base = PRESETS[preset](out)
    names = {field.name for field in fields(base)}
    values = {name: value for name, value in given.items() if name in names}
    _configure(base, values)  # mistakes in options are told before the data is read
    known = read_classes(classes)
    dataset = load_dataset(*data, split=split, classes=known, on_bad_label=on_bad_label, drop_difficult=drop_difficult)
    say(dataset.notes)
    if epochs is not None:
        values["steps"] = math.ceil(epochs * len(dataset) / values.get("batch_size", base.batch_size))
    config = _configure(base, values)
    try:
        validation = load_dataset(*data, classes=known or dataset.classes, on_bad_label=on_bad_label, purpose="test")
        say(validation.notes)
    except DataError as error:
        say([f"no evaluation while training: {error}"])
        validation = None
    log_to_stderr(out / "train.log")
    write_text(out / "command.txt", shlex.join(sys.argv) + "\n")
    summary = run(dataset, config, validation=validation, resume=resume, overwrite=True, stop_after=stop_after)
    if json_:
        print_json(summary)
    elif summary["map"] is not None:
        sys.stdout.write(f"best {summary['metric']}: {summary['map']:.4f}, weights in {out}\n")
    else:
        sys.stdout.write(f"weights in {out}\n")


def _configure(base: "TrainConfig", values: dict[str, Any]) -> "TrainConfig":
    try:
        return replace(base, **values)
    except ValueError as error:
        raise UsageError(str(error), fix="See `ssd300 train --help`.") from error
