"""Training: batch, step, log, evaluate, save, stop. `Trainer` does each of them, here is their order."""

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from ssd300 import run_layout
from ssd300.data.dataset import Dataset, check_trainable
from ssd300.data.held_out import held_out_of
from ssd300.data.shards.dataset import check_use
from ssd300.errors import UsageError
from ssd300.system.device import choose_device, dtype_name
from ssd300.system.logs import logged_to_screen
from ssd300.system.progress import shown, shows_bars, silent
from ssd300.system.wording import plural
from ssd300.training.callbacks import Callback, Callbacks
from ssd300.training.checkpoints import Checkpoints
from ssd300.training.config import TrainConfig
from ssd300.training.config_block import config_block
from ssd300.training.distributed import joined
from ssd300.training.initial_state import initial_state
from ssd300.training.interrupt import held_back
from ssd300.training.lock import sole_use
from ssd300.training.new_run import check_start_is_kept
from ssd300.training.progress_bar import ProgressBar
from ssd300.training.run_folder import RunFolder, is_held_out_of_run
from ssd300.training.run_log import RunLog
from ssd300.training.step import TrainStep
from ssd300.training.summary import Summary, summarize
from ssd300.training.trainer import Trainer
from ssd300.training.validation import Validator

OF_ITS_OWN = {"out", "workers", "device", "cache", "log_every", "tensorboard"}  # options of each process

log = logging.getLogger(__name__)


def train(
    dataset: Dataset,
    config: TrainConfig,
    *,
    validation: Dataset | None = None,
    resume: bool = False,
    override: bool = False,
    overwrite: bool = False,
    stop_after: int | None = None,
    callbacks: Sequence[Callback] = (),
    verbose: bool = True,
) -> Summary:
    """Train as `config` says and return the run's summary; files are written below `config.out` only.

    Images of `validation` that are trained on too are left out, with a line of the log.

    With `validation`, the weights of the best mAP are saved as the run's best; without it, or before the first
    evaluation, the last are. Ctrl-C, SIGTERM and SIGHUP end the run after the present step, with its state saved. Under
    `torchrun` every process calls this with the same arguments; if it starts them again after a failure, the run goes
    on from its last state, or from the start if there is none.

    With `verbose` the log goes to stderr, unless you have configured logging, and a terminal or a notebook shows a bar.
    `verbose=False` shows nothing.

    Raises:
        UsageError: the folder is in use, or has the weights that the run starts from; `stop_after` is below 1 or below
            the steps done; a batch has fewer images than there are processes; all images of `validation` are trained
            on; or `resume` finds other options and `override` is false.
        DataError: an image cannot be read, a label is out of range, or there are no images or objects.
        WeightsError: the weights of `config.init` cannot be used.
        RunError: the loss or a gradient is not finite, memory ran out, a file cannot be written.
    """
    if stop_after is not None and stop_after < 1:
        raise UsageError(f"stop_after is {stop_after}; it must be 1 or more", fix="Leave it out to train to the end.")
    check_trainable(dataset)
    check_use(dataset, sampling=config.sampling, cache=config.cache)
    validation, left_out = held_out_of(validation, dataset)
    with (
        joined() as world,
        sole_use(config.out, world, resume=resume, overwrite=overwrite) as resume,
        logged_to_screen() if verbose and world.is_main else nullcontext(),
        RunLog(config.out) if world.is_main else nullcontext() as run_log,
    ):
        if world.is_main:
            for note in left_out:
                log.warning("%s", note)
        if not resume:
            check_start_is_kept(config.out, config.init)
        world.check_same(_in_common(config, dataset, validation))
        shows = shown if verbose and world.is_main else silent
        device = choose_device(config.device)
        state, card = initial_state(dataset, config, world, device)
        if resume:
            state.load(override=override)
            if stop_after is not None and stop_after < state.progress.step:
                raise UsageError(
                    f"the run has made {plural(state.progress.step, 'step')}, more than --stop-after {stop_after:,}",
                    where=config.out,
                    fix="Give a later step, or leave it out.",
                )
            if world.any(world.is_main and not is_held_out_of_run(config.out, validation)):
                state.forget_best(override=override)
            best = config.out / run_layout.BEST_WEIGHTS
            if state.progress.best is not None and world.any(world.is_main and not best.is_file()):
                if world.is_main:
                    log.warning("%s is gone: the best weights are lost, and the present ones are measured", best)
                state.begin_best_anew()
            card = replace(card, settings=state.model.settings)
        listening = Callbacks((), ())
        if run_log is not None:
            bar = [ProgressBar()] if verbose and shows_bars() else []
            folder = RunFolder(config, dataset, validation, device=device, resumed=resume, run_log=run_log)
            listening = Callbacks([folder], [*callbacks, *bar])
        validator = None
        if validation is not None:
            validator = Validator(
                dataset=validation, card=card, device=device, on_bad_image=config.on_bad_image, world=world,
                progress=shows,
            )  # fmt: skip
        trainer = Trainer(
            state=state, dataset=dataset, world=world, step=TrainStep(state, device, world), validator=validator,
            checkpoints=Checkpoints(state, card), callbacks=listening,
        )  # fmt: skip
        try:
            listening.on_start(config, dataset, state.progress)
            log.info("%s", config_block(config))
            log.info("%s", _counts(dataset, validation))
            done, seen = state.progress.step, state.progress.images_seen
            log.info("schedule: %s", config.describe_schedule(len(dataset), step=done, images_seen=seen))
            log.info("device %s, precision %s, seed %d", device, dtype_name(state.progress.precision), config.seed)
            log.info("%s, %s each", plural(world.size, "process", "processes"), plural(config.workers, "worker"))
            if resume:
                log.info("resumed after step %d", done)
            _loop(trainer, min(config.steps, stop_after or config.steps))
            summary = summarize(config, state.progress, device)
            listening.on_end(summary)
        except BaseException as raised:
            error = world.understood(raised)
            listening.on_error(error)
            raise error from (raised.__cause__ if error is raised else raised)
        return summary


def _loop(trainer: Trainer, last_step: int) -> None:
    """Train to `last_step`; a signal, or the end of patience, stops before it."""
    batches = trainer.batches()
    with held_back() as signalled:
        if trainer.step_count and trainer.saved is None:  # what --override has changed, and files that are missing
            trainer.save()
        while True:
            if trainer.evaluation_is_due():  # first of all, as a resumed run may begin with one
                trainer.evaluate(signalled)
            interrupted = trainer.world.any(signalled())
            over = trainer.step_count >= last_step or trainer.patience_is_over()
            if trainer.save_is_due() or interrupted or over:
                trainer.save()
            if interrupted:
                log.info("stopped after step %d; its state is saved", trainer.step_count)
            if interrupted or over:
                break
            batch = next(batches)
            losses = trainer.step(batch, trainer.step_count)
            trainer.log(batch, losses)


def _in_common(config: TrainConfig, *data: Dataset | None) -> dict[str, Any]:
    """What must be the same in all processes: all but what sets where and how each works."""
    options = {f"--{name.replace('_', '-')}": value for name, value in vars(config).items() if name not in OF_ITS_OWN}
    prints = [one and one.fingerprint() for one in data]
    return options | {"data": prints, "the version of ssd300": version("ssd300")}


def _counts(dataset: Dataset, validation: Dataset | None) -> str:
    held_out = "measured on " + ("nothing, as no images are held out" if validation is None else _count(validation))
    classes = plural(len(dataset.classes), "class", "classes")
    return f"training on {_count(dataset)}; {held_out}\n{classes}: {', '.join(dataset.classes)}"


def _count(dataset: Dataset) -> str:
    objects = plural(sum(dataset.objects_per_class().values()), "object")
    return f"{plural(len(dataset), 'image')} with {objects} ({dataset.split})"
