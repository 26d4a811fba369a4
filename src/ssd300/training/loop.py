"""Training: evaluate, save, stop, or take a batch, step and tell; until the last step.

What a step computes is `TrainStep`'s, what a run writes but for its weights and state is `RunFolder`'s.
"""

import logging
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import torch

from ssd300 import run_layout
from ssd300.batches import Batch
from ssd300.data.cache import ImageCache
from ssd300.data.dataset import Dataset
from ssd300.data.loader import training_batches
from ssd300.errors import DataError, UsageError
from ssd300.evaluation.scoring import Report
from ssd300.model import SSD
from ssd300.system.device import choose_device, dtype_name
from ssd300.training.callbacks import Callback, Callbacks
from ssd300.training.config import TrainConfig
from ssd300.training.distributed import World, joined
from ssd300.training.initial_state import initial_state
from ssd300.training.interrupt import held_back
from ssd300.training.lock import sole_use
from ssd300.training.memory_limit import explained
from ssd300.training.records import StepRow
from ssd300.training.run_folder import RunFolder, summarize
from ssd300.training.state import TrainState, describe
from ssd300.training.step import TrainStep
from ssd300.training.validation import validate
from ssd300.weights import Card, save_weights

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
) -> dict[str, Any]:
    """Train as `config` says and answer the run's summary; everything is written below `config.out`.

    With `validation`, the weights of the best mAP are kept as the run's best; without it, or before the first
    evaluation, the last are. Ctrl-C and SIGTERM end it after the step under way, with its state saved. Under `torchrun`
    every process calls this with the same arguments.

    Raises:
        UsageError: the folder is in use, `stop_after` is no step, or `resume` finds other options and `override` does
            not take them.
        DataError: an image cannot be read, a label is none of the classes, or the data is empty.
        RunError: the loss or a gradient is not finite, memory ran out, a file cannot be written.
    """
    if stop_after is not None and stop_after < 1:
        raise UsageError(f"stop_after is {stop_after}; it must be 1 or more", fix="Leave it out to go on to the end.")
    _check(dataset)
    with joined() as world, sole_use(config.out, world, resume=resume, overwrite=overwrite):
        device = choose_device(config.device)
        state, card = initial_state(dataset, config, world, device)
        if resume:
            state.load(override=override)
        told = Callbacks((), ())
        if world.is_main:
            told = Callbacks([RunFolder(config, dataset, validation, device=device, resumed=resume)], callbacks)
        trainer = Trainer(state, card, dataset, validation, device=device, world=world, told=told)
        try:
            told.tell("on_start", config, dataset, state.progress)
            log.info("%s", _block(config))
            log.info("schedule: %s", config.describe_schedule(len(dataset)))
            log.info("device %s, precision %s, seed %d", device, dtype_name(state.progress.precision), config.seed)
            log.info("%d process(es), %d workers each", world.size, config.workers)
            if resume:
                log.info("resumed after step %d", state.progress.step)
            trainer.loop(min(config.steps, stop_after or config.steps))
            summary = summarize(config, state.progress, device)
            told.tell("on_end", summary)
        except BaseException as error:
            told.tell("on_error", error)
            raise
        return summary


class Trainer:
    """What the loop works with, and its parts by name."""

    def __init__(
        self,
        state: TrainState,
        card: Card,
        dataset: Dataset,
        validation: Dataset | None,
        *,
        device: torch.device,
        world: World,
        told: Callbacks,
    ) -> None:
        self.state, self.config, self.card = state, state.config, card
        self.dataset, self.validation = dataset, validation
        self.device, self.world, self.told = device, world, told
        self.step = TrainStep(state, device, world)
        self.saved = state.progress if state.progress.step else None
        self.reports: list[Report] = []  # of the weights as they are now, and of their average
        self.began = time.monotonic() - state.progress.seconds

    def loop(self, end: int) -> None:
        """Go on until so many steps are made, patience is over, or a signal came."""
        batches = self.batches()
        with held_back() as signalled:
            while True:
                if self.evaluation_is_due():
                    self.evaluate(signalled)
                stopping = self.world.any(signalled())
                step = self.state.progress.step
                over = step >= end or self.patience_is_over()
                if stopping or over or (step and step % self.config.save_every == 0):
                    self.save()
                if stopping:
                    log.info("stopped after step %d; --resume goes on from there", step)
                if stopping or over:
                    break
                self.update(next(batches))

    def batches(self) -> Iterator[Batch]:
        """The piece of this process of every batch from here on."""
        config = self.config
        cache: ImageCache | None = None
        if config.cache != "none":
            folder = config.out if config.cache == "disk" else None
            cache = ImageCache(self.dataset.annotations, folder=folder, copies=self.world.size)
            log.info("cache of %d decoded images: %s", len(self.dataset), cache.summary)
        return training_batches(
            self.dataset.annotations,
            size=self.state.model.settings.image_size_px,
            batch_size=config.batch_size,
            seed=config.seed,
            workers=config.workers,
            images_seen=self.state.progress.step * config.batch_size,
            augment=config.augment,
            on_bad_image=config.on_bad_image,
            cache=cache,
            rows=self.world.piece(config.batch_size),
        )

    def update(self, batch: Batch) -> None:
        """Make one step, and tell of it."""
        made, size = self.state.progress.step, self.config.batch_size
        attempt = None if self.world.size > 1 else lambda count: self.step.backward(batch.part(slice(count)))
        with explained(self.step.most_at_once(len(batch)), attempt):
            losses = self.step(batch, made)
        if made == 0:
            self.told.tell("on_first_batch", batch, self.state.model.mean.cpu())
        self.reports = []
        self.progress(step=made + 1, seconds=time.monotonic() - self.began)
        self.note_skipped(batch.skipped)
        row = StepRow(
            step=made + 1,
            images_seen=(made + 1) * size,
            seconds=self.state.progress.seconds,
            lr=self.config.learning_rate(made),
            localization=float(losses.localization),
            classification=float(losses.classification),
        )
        self.told.tell("on_step", row)
        if (epoch := (made + 1) * size // len(self.dataset)) > made * size // len(self.dataset):
            self.told.tell("on_epoch", epoch)

    def evaluation_is_due(self) -> bool:
        step, every = self.state.progress.step, self.config.eval_every
        due = step == self.config.steps or (every > 0 and step % every == 0)
        return due and self.validation is not None and self.state.progress.evaluated < step

    def evaluate(self, interrupted: Callable[[], bool]) -> None:
        """Evaluate the weights, and their average where there is one; the better of both may be the best so far.

        If it is interrupted nothing has happened, and the resumed run begins with it.
        """
        assert self.validation is not None
        reports = []
        for model in self.models():
            report = validate(
                model, self.card, self.validation, self.world,
                device=self.device, on_bad_image=self.config.on_bad_image, interrupted=interrupted,
            )  # fmt: skip
            if report is None:
                log.info("the evaluation was interrupted; --resume begins with it")
                return
            reports.append(report)
        self.reports = reports
        best = self.state.progress.best
        report, model = max(zip(reports, self.models(), strict=True), key=lambda pair: pair[0].map or 0)
        improved = best is None or (report.map or 0) > (best["map"] or 0)
        self.note_skipped(report.skipped)
        self.progress(evaluated=self.state.progress.step, stale=0 if improved else self.state.progress.stale + 1)
        if improved:
            self.progress(best=report.to_dict() | {"averaged": model is not self.state.model})
            if self.world.is_main:
                self.save_weights(run_layout.BEST_WEIGHTS, model, report)
        self.told.tell("on_evaluation", self.state.progress, *reports)

    def patience_is_over(self) -> bool:
        over = 0 < self.config.patience <= self.state.progress.stale
        if over:
            log.info("no better mAP in %d evaluations: the run ends, as --patience says", self.state.progress.stale)
        return over

    def save(self) -> None:
        """Write weights and state, unless they are written already."""
        skipped = (image for process in self.world.gather(self.state.progress.skipped) for image in process)
        self.progress(skipped=tuple(dict.fromkeys(skipped)))
        if self.state.progress == self.saved:
            return
        if self.world.is_main:
            models = self.models()
            reports: Sequence[Report | None] = self.reports or [None] * len(models)
            names = (run_layout.LAST_WEIGHTS, run_layout.LAST_AVERAGED_WEIGHTS)
            for name, model, report in zip(names, models, reports, strict=False):
                self.save_weights(name, model, report)
            if self.state.progress.best is None:
                self.save_weights(run_layout.BEST_WEIGHTS, models[-1], None)
            self.state.save()
        self.saved = self.state.progress
        self.told.tell("on_save", self.state.progress)

    def models(self) -> list[SSD]:
        """The detector, and its average where the run keeps one."""
        average = self.state.average
        return [self.state.model] if average is None else [self.state.model, cast(SSD, average.module)]

    def save_weights(self, name: str, model: SSD, report: Report | None) -> None:
        card = self.card
        if model is not self.state.model:
            card = replace(card, source={**card.source, "averaged": True})
        if report is not None:
            card = replace(card, metric={"name": report.metric, "value": report.map, "images": report.images})
        save_weights(self.config.out / name, model, card)

    def note_skipped(self, skipped: Sequence[str]) -> None:
        """Say each image that could not be read once, and count it."""
        known = self.state.progress.skipped
        fresh = [image for image in dict.fromkeys(skipped) if image not in known]
        for image in fresh:
            log.warning("skipped, as --on-bad-image says: %s", image)
        self.progress(skipped=(*known, *fresh))

    def progress(self, **changes: Any) -> None:
        self.state.progress = self.state.progress._replace(**changes)


def _check(dataset: Dataset) -> None:
    """Raises DataError for data that is empty, or labels that are none of its classes."""
    if not len(dataset):
        raise DataError("there are no images to train on", where=dataset.root)
    for annotation in dataset.annotations:
        if len(annotation) and not 0 <= annotation.labels.min() <= annotation.labels.max() < len(dataset.classes):
            raise DataError(
                f"an object has the label {annotation.labels.max()}, and there are {len(dataset.classes)} classes",
                where=annotation.image_path,
                fix="Labels are indices into the data set's classes, from 0.",
            )


def _block(config: TrainConfig) -> str:
    options = ", ".join(f"{name}={value}" for name, value in describe(config).items())
    return textwrap.fill(f"configuration: {options}", 110, subsequent_indent="  ", break_long_words=False)
