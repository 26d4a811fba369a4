"""`ssd300 train`: from annotated images to a run folder with weights."""

import inspect
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ssd300 import run_layout
from ssd300.cli.early_checks import check_backbone, check_run_folder, check_share, check_start_and_device
from ssd300.cli.help import RUN
from ssd300.cli.mistakes import Mistakes, option
from ssd300.cli.next_steps import the_picture
from ssd300.cli.options import (
    DataOptions,
    Json,
    OfData,
    OutFolder,
    Overwrite,
    Split,
    Switch,
    Usual,
    say,
)
from ssd300.cli.run_data import split_again
from ssd300.cli.several import joining
from ssd300.cli.shard_options import ShardOptions
from ssd300.cli.signals import on_signal
from ssd300.cli.train_options import TrainOptions
from ssd300.cli.train_summary import print_forecast, print_summary
from ssd300.reporting.next_steps import command
from ssd300.run_command import resuming
from ssd300.system.logs import log_to_stderr
from ssd300.system.processes import is_main_process, process_count
from ssd300.system.progress import shown
from ssd300.training.config import TrainConfig
from ssd300.training.launch import has_state, is_own
from ssd300.training.preset_choice import choose_preset
from ssd300.training.presets import PRESETS

if TYPE_CHECKING:
    from ssd300.data import Dataset
    from ssd300.data.shards.cache import ShardCache
    from ssd300.training.callbacks import Callback


OfRun = Parameter(group=RUN)
HOW_TO_HOLD_OUT = (
    "nothing will be measured: name a held-out split with --eval-split, or set images aside with --holdout 0.2"
)


@joining
def train(
    *data: Path,
    out: OutFolder,
    preset: Annotated[Literal["paper", "pytorch-ssd300", "light", "best", "paper-coco"] | None, Usual] = None,
    options: Annotated[TrainOptions, Parameter(name="*", consume_multiple=True, negative_iterable=())] = TrainOptions(),  # noqa: B008  # frozen
    epochs: Annotated[float | None, Usual] = None,
    reading: DataOptions = DataOptions(),  # frozen
    shards: ShardOptions = ShardOptions(),  # frozen
    eval_split: Split | None = None,
    holdout: Annotated[float | None, Usual, Parameter(metavar="SHARE")] = None,
    drop_difficult: Annotated[Switch, OfData] = False,
    resume: Annotated[Switch, Usual] = False,
    override: Annotated[Switch, OfRun] = False,
    stop_after: Annotated[int | None, OfRun, Parameter(metavar="STEP")] = None,
    dry_run: Annotated[Switch, Usual] = False,
    yes: Annotated[Switch, OfRun] = False,
    overwrite: Overwrite = False,
    json_: Json = False,
) -> None:
    """Train SSD300 on annotated images.

    Parameters
    ----------
    data
        PASCAL VOC folders, COCO annotations, YOLO data or folders of lists; several of one format are joined. Or the
        folder or address of shards.
    out
        The run folder: weights, state, log, configuration, report.
    preset
        Gives each option that is left out its value. paper, paper-coco (for COCO) and pytorch-ssd300 train VGG16, best
        and light a smaller network on a CPU. Default: what this machine can do: paper with a GPU and weights to start
        VGG16 from, else best.
    options
        The fields of the configuration, as options.
    epochs
        In place of --steps: how often each image is processed, rounded up to whole steps.
    reading
        How the dataset is read.
    shards
        How shards are read.
    eval_split
        The split to measure on. Default: test or val, the first that can be used.
    holdout
        Set this share of the images aside to evaluate on, in place of a split: chosen by --seed, near copies kept
        together. Default: no images.
    drop_difficult
        Exclude difficult objects from training.
    resume
        Continue from the state in --out.
    override
        With --resume: use options that differ from those that the run began with.
    stop_after
        Save the state after this step and end there. Default: the run ends after --steps.
    dry_run
        Time real steps, print what the run would take and what limits it, and write nothing. Less than a minute.
    yes
        Begin a run that takes more than a week by the time of some real steps; without it, such a run is refused.
    overwrite
        Write into a folder that is not empty.
    json_
        Print the summary as one JSON object and nothing else.
    """
    mistakes = Mistakes()
    if epochs is not None and options.steps is not None:
        mistakes.add("--epochs and --steps exclude each other", fix="Give one of the two.")
    if epochs is not None and epochs <= 0:
        mistakes.add(f"--epochs is {epochs:g}; it must be above 0", fix="See `ssd300 train --help`.")
    if holdout is not None and eval_split is not None:
        mistakes.add("--holdout and --eval-split exclude each other", fix="Give one of the two.")
    if override and not resume:
        mistakes.add("--override goes with --resume", fix="Add --resume, or leave it out.")
    holdout = check_share(mistakes, "--holdout", holdout)
    if dry_run and resume:
        mistakes.add("--dry-run times a run from its first step", fix="Leave out --resume.")
    if resume and overwrite:
        mistakes.add("--resume and --overwrite exclude each other", fix="Give one of the two.")
    restarted = is_own(out)  # by torchrun, with the same arguments
    given = {name: value for name, value in vars(options).items() if value is not None}
    if resume and preset is None and has_state(out) and not (out / run_layout.CONFIG).is_file():
        fix = "Name the preset of the run with --preset."
        mistakes.add("the file is gone, so the preset of the run is not known", where=out / run_layout.CONFIG, fix=fix)
    choice = None if preset else choose_preset(given, resumed=out if resume or restarted else None)
    name = choice.name if choice else str(preset)
    given = {**choice.options, **given} if choice else given
    config = mistakes.built(partial(PRESETS[name], out), given, fix="See `ssd300 train --help`.")
    if is_main_process():
        free = overwrite or dry_run or restarted
        check_run_folder(mistakes, out, resume=resume, overwrite=free, data=data, init=config.init)
    check_start_and_device(mistakes, config.init, config.device, needs_boxes=config.default_boxes == "start")
    check_backbone(mistakes, config.backbone, config.image_size)
    _check_effects(mistakes, given, config)

    from ssd300.data.shards.dataset import check_use
    from ssd300.training.forecast import forecast
    from ssd300.training.loop import train as run

    cache = shards.cache(mistakes)
    with mistakes.caught():
        dataset = reading.load(data, "train", drop_difficult=drop_difficult, shard_cache=cache)
        check_use(dataset, sampling=config.sampling, cache=config.cache)
        dataset, validation, notes = _split(
            data, dataset, reading, config, eval_split=eval_split, holdout=holdout, shard_cache=cache, resume=resume
        )
    mistakes.raise_all()
    say(notes)
    if choice:
        say([choice.describe()])
    if name == "pytorch-ssd300":
        say(inspect.cleandoc(PRESETS[name].__doc__ or "").splitlines())
    if epochs is not None:
        config = PRESETS[name](out, **given | {"steps": config.for_epochs(epochs, len(dataset)).steps})
    if dry_run:
        if not is_main_process():
            return
        log_to_stderr()  # what the start fills, as in the run itself
        with shown("timing some steps"):
            found = forecast(dataset, config, validation=validation)
        print_forecast(found, as_json=json_)
        return
    if not (yes or resume or restarted):
        _check_length(dataset, config, stop_after=stop_after)
    if is_main_process():
        log_to_stderr()
    with on_signal(lambda: _how_to_resume(out, mistakes.words)):
        summary = run(
            dataset,
            config,
            validation=validation,
            resume=resume,
            override=override,
            overwrite=overwrite,
            stop_after=stop_after,
            callbacks=_callbacks(config),
        )
    if is_main_process():
        example = the_picture(validation or dataset)
        print_summary(summary, config, example, preset=name, images=len(dataset), stop_after=stop_after, as_json=json_)


def _check_effects(mistakes: Mistakes, given: Mapping[str, Any], config: TrainConfig) -> None:
    """Check that no option is given that the others leave without an effect; in a preset such a value means nothing."""
    idle: dict[str, str] = {}
    if config.schedule == "cosine":
        idle |= dict.fromkeys(("lr_drop", "lr_drop_factor"), "--schedule multistep")
    if not config.ema:
        idle |= dict.fromkeys(("ema_decay", "ema_ramp"), "--ema")
    for field in given:
        if (needed := idle.get(field)) is not None:
            mistakes.add(f"{option(field)} has no effect without {needed}", fix=f"Leave it out, or add {needed}.")


def _how_to_resume(out: Path, words: Sequence[str] | None) -> str | None:
    """What to type after a signal; None if there is no state to resume from, or if another process says it."""
    if not has_state(out) or not is_main_process():
        return None
    return f"to resume:\n  {resuming(words)}" if words else "add --resume to the same command to resume"


def _check_length(dataset: "Dataset", config: TrainConfig, *, stop_after: int | None) -> None:
    """Raise UsageError for a run that cannot end in a week. Runs of several processes are not checked."""
    from ssd300.training.too_long import check_ends_in_a_week, may_take_long

    steps = min(config.steps, stop_after or config.steps)
    if may_take_long(config, steps) and process_count() == 1:
        with shown("timing some steps, as the run is long"):
            check_ends_in_a_week(dataset, config, steps)


def _split(
    data: Sequence[Path], dataset: "Dataset", reading: DataOptions, config: TrainConfig, *, eval_split: str | None,
    holdout: float | None, shard_cache: "ShardCache", resume: bool,
) -> "tuple[Dataset, Dataset | None, list[str]]":  # fmt: skip
    """What is trained on, what is evaluated on, and notes on the latter for stderr."""
    from ssd300.data.held_out import load_held_out, unused_splits

    if holdout is not None:
        from ssd300.data.holdout import hold_out
        from ssd300.data.recognition import open_data

        used = dataset.split
        dataset, held_out = hold_out(dataset, holdout, seed=config.seed)
        split, lists = split_again(data, config.out, holdout=holdout, seed=config.seed, reading=reading)
        evaluate = command("eval", lists, "--weights", config.out)
        again = [] if resume else ["to measure on these images again:", f"  {split}", f"  {evaluate}"]
        return dataset, held_out, [*held_out.notes, *again, *unused_splits(open_data(data, reading.format), [used])]

    found, notes = load_held_out(
        data,
        dataset,
        split=eval_split,
        format=reading.format,
        on_bad_label=reading.on_bad_label,
        shard_cache=shard_cache,
    )
    return dataset, found, [*notes, *([HOW_TO_HOLD_OUT] if found is None else [])]


def _callbacks(config: TrainConfig) -> list["Callback"]:
    callbacks: list[Callback] = []
    if not is_main_process():
        return callbacks
    if config.tensorboard:
        from ssd300.training.tensorboard import TensorBoard

        callbacks.append(TensorBoard())
    return callbacks
