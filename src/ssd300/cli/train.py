"""`ssd300 train`: from labelled images to a run folder with weights."""

import inspect
import math
import os
import sys
from dataclasses import asdict, field, make_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from cyclopts import Parameter

from ssd300 import run_layout
from ssd300.cli.options import DataFormat, Json, Switch, log_to_stderr, print_json, read_classes, say
from ssd300.errors import UsageError
from ssd300.system.files import check_output_free
from ssd300.training.config import TrainConfig

if TYPE_CHECKING:
    from ssd300.training.callbacks import Callback
    from ssd300.training.forecast import Forecast


def _optional_fields(config: type) -> type:
    """The fields of a configuration as options without defaults of their own; None leaves the preset's value."""
    hints = get_type_hints(config)
    options = [(name, hints[name] | None, field(default=None)) for name in hints if name != "out"]
    made = make_dataclass("Options", options, frozen=True, kw_only=True)
    made.__doc__, made.__module__ = config.__doc__, __name__
    return made


TrainOptions: Any = _optional_fields(TrainConfig)


def train(
    *data: Path,
    out: Path,
    preset: Literal["paper", "pytorch-ssd300", "light"] = "paper",
    options: Annotated[TrainOptions, Parameter(name="*", consume_multiple=True, negative_iterable=())] = TrainOptions(),  # noqa: B008  # frozen
    epochs: float | None = None,
    split: str | None = None,
    classes: Path | None = None,
    format_: DataFormat = "auto",
    on_bad_label: Literal["error", "drop-box", "drop-image"] = "error",
    drop_difficult: Switch = False,
    resume: Switch = False,
    override: Switch = False,
    stop_after: int | None = None,
    dry_run: Switch = False,
    overwrite: Switch = False,
    json_: Json = False,
) -> None:
    """Train SSD300 on annotated images. An option that is left out has the preset's value.

    Parameters
    ----------
    data
        PASCAL VOC folders, joined, or COCO annotations, YOLO data, a folder of lists.
    out
        The run folder: weights, state, log, configuration.
    preset
        'paper' and 'pytorch-ssd300' are for VGG16, 'light' is for a CPU.
    options
        The fields of the configuration, as options.
    epochs
        Instead of --steps: how often every image is seen, rounded up to whole steps.
    split
        Train on this split instead of trainval or train.
    classes
        A file with one class a line.
    format_
        Read the data as this, instead of finding out.
    on_bad_label
        What a box that is inverted, empty or outside gets.
    drop_difficult
        Leave difficult objects out.
    resume
        Go on from the state in --out.
    override
        With --resume: take options that differ from those that the run began with.
    stop_after
        Save the state after this step and end there.
    dry_run
        Time real steps, say what the run would take and what limits it, and write nothing.
    overwrite
        Write into a folder that is not empty.
    json_
        Print the summary as one JSON object and nothing else.
    """
    if epochs is not None and (options.steps is not None or epochs <= 0):
        raise UsageError("--epochs must be above 0, and stands instead of --steps", fix="Give one of the two.")
    if override and not resume:
        raise UsageError("--override goes with --resume", fix="Add --resume, or leave it out.")
    if not resume and not dry_run and is_main_process():
        check_output_free(out, overwrite=overwrite)

    from ssd300.data import Dataset, load_dataset
    from ssd300.data.formats.annotations import NoSplitError
    from ssd300.training.forecast import forecast
    from ssd300.training.loop import train as run
    from ssd300.training.presets import PRESETS

    if preset == "pytorch-ssd300":
        say(inspect.cleandoc(PRESETS[preset].__doc__ or "").splitlines())
    values = {name: value for name, value in vars(options).items() if value is not None}
    config = _configure(PRESETS[preset](out), values)  # mistakes in options are told before the data is read
    known = read_classes(classes)
    reading: dict[str, Any] = {"format": format_, "on_bad_label": on_bad_label}
    dataset = load_dataset(*data, split=split, drop_difficult=drop_difficult, classes=known, **reading)
    say(dataset.notes)
    if epochs is not None:
        config = replace(config, steps=math.ceil(epochs * len(dataset) / config.batch_size))
    validation: Dataset | None = None
    try:
        held_out = load_dataset(*data, purpose="test", classes=known or dataset.classes, **reading)
        say(held_out.notes)
        learnt = {annotation.image_path for annotation in dataset.annotations}
        if learnt.isdisjoint(annotation.image_path for annotation in held_out.annotations):
            validation = held_out
        else:
            say(["no evaluation while training: some of its images are trained on"])
    except NoSplitError as error:
        say([f"no evaluation while training: {error}"])
    if dry_run:
        _print_forecast(forecast(dataset, config, validation=validation), as_json=json_)
        return
    if is_main_process():
        log_to_stderr()
    summary = run(
        dataset,
        config,
        validation=validation,
        resume=resume,
        override=override,
        overwrite=overwrite,
        stop_after=stop_after,
        callbacks=_listeners(config),
    )
    if not is_main_process():
        return
    if summary["skipped_images"]:
        say([f"{summary['skipped_images']} image(s) could not be read and were skipped: {out / run_layout.LOG}"])
    if json_:
        print_json(summary)
    elif summary["map"] is not None:
        sys.stdout.write(f"best {summary['metric']}: {summary['map']:.4f}, weights in {out}\n")
    else:
        sys.stdout.write(f"weights in {out}\n")


def is_main_process() -> bool:
    """Whether this process writes and speaks for all, by what `torchrun` says of it."""
    return os.environ.get("RANK", "0") == "0"


def _listeners(config: TrainConfig) -> list["Callback"]:
    listeners: list[Callback] = []
    if not is_main_process():
        return listeners
    if config.tensorboard:
        from ssd300.training.tensorboard import TensorBoard

        listeners.append(TensorBoard())
    if sys.stderr.isatty():
        from ssd300.training.progress_bar import ProgressBar

        listeners.append(ProgressBar())
    return listeners


def _print_forecast(found: "Forecast", *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(found))
        return
    from ssd300.reporting.run import duration
    from ssd300.system.memory import gigabytes

    rows = {
        "device": f"{found.device}, {found.precision}",
        "a step": f"{found.step_s:.3g} s, {found.images_per_second:.3g} images/s ({found.timed_steps} steps timed)",
        "of it waiting for images": f"{found.waiting_s:.3g} s",
        **{f"a batch alone, {name}": f"{seconds:.3g} s" for name, seconds in found.stages.items()},
        "evaluations": f"{found.evaluations}, {duration(found.evaluation_s)} each",
        "time to finish": f"{duration(found.finish_s)} for {found.steps:,} steps",
        "memory": gigabytes(found.memory_bytes),
        "disk": gigabytes(found.disk_bytes),
        "what limits it": found.limit,
        "what would help": found.advice,
    }
    width = max(map(len, rows))
    sys.stdout.writelines(f"{name:{width}}  {value}\n" for name, value in rows.items())


def _configure(base: TrainConfig, values: dict[str, Any]) -> TrainConfig:
    try:
        return replace(base, **values)
    except ValueError as error:
        raise UsageError(str(error), fix="See `ssd300 train --help`.") from error
