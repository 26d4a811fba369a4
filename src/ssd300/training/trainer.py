"""The parts of the training loop: batches, log, evaluation, saving. Their order is that of `loop`."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from ssd300 import run_layout
from ssd300.batches import Batch
from ssd300.data.augmented_images import Mixing
from ssd300.data.cache import ImageCache
from ssd300.data.dataset import Dataset
from ssd300.data.loader import training_batches
from ssd300.errors import SSDError
from ssd300.evaluation.scoring import Report
from ssd300.evaluation.thresholds import best_f1
from ssd300.model.predictions import Losses
from ssd300.system.wording import plural
from ssd300.training.callbacks import Callbacks
from ssd300.training.checkpoints import Checkpoints
from ssd300.training.distributed import World
from ssd300.training.records import StepRow
from ssd300.training.state import Progress, TrainState
from ssd300.training.step import TrainStep
from ssd300.training.validation import Validator

FIRST_SAVE_S = 20.0  # so that the report can be looked at soon, and what cannot be written is known early

log = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class Trainer:
    """A run under way. `step` computes a step, `validator` evaluates, `checkpoints` writes weights and state."""

    state: TrainState
    dataset: Dataset
    world: World
    step: TrainStep
    validator: Validator | None
    checkpoints: Checkpoints
    callbacks: Callbacks
    reports: list[Report] = field(default_factory=list)  # of the present weights, and of their average
    saved: Progress | None = field(init=False)
    resumed: Progress = field(init=False)  # with which this process began
    started_s: float = field(init=False)
    next_save_s: float = field(init=False)

    def __post_init__(self) -> None:
        progress = self.state.progress
        averaged = () if self.state.average is None else (run_layout.LAST_AVERAGED_WEIGHTS,)
        files = [self.state.config.out / name for name in (*run_layout.OF_A_SAVE, *averaged)]
        lacks_files = self.world.any(self.world.is_main and not all(file.is_file() for file in files))
        self.resumed = progress
        self.saved = progress if self.state.is_saved and not lacks_files else None
        self.started_s = time.monotonic() - progress.seconds
        minutes = self.state.config.save_minutes
        self.next_save_s = time.monotonic() + min(FIRST_SAVE_S, minutes * 60)

    @property
    def step_count(self) -> int:
        """Steps done, in this run and those that it resumes."""
        return self.state.progress.step

    def batches(self) -> Iterator[Batch]:
        """The pieces of this process of all batches from the present step on."""
        config, seen = self.state.config, self.state.progress.images_seen
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
            images_seen=seen,
            augment=config.augment,
            on_bad_image=config.on_bad_image,
            cache=cache,
            rows=list(chain(*self.world.rows(config.batch_size, config.accumulate))),
            sampling=config.sampling,
            mixing=Mixing(
                config.mosaic, config.mixup, seen + (config.mixing_steps - self.step_count) * config.batch_size
            ),
        )

    def log(self, batch: Batch, losses: Losses) -> None:
        """Count the step, and report it."""
        done, config, seen = self.step_count, self.state.config, self.state.progress.images_seen
        if done == 0:
            self.callbacks.on_first_batch(batch, self.state.model.mean.cpu())
        self.reports = []
        seconds = time.monotonic() - self.started_s
        self.state.progress = self.state.progress._replace(
            step=done + 1, images_seen=seen + config.batch_size, seconds=seconds
        )
        self.note_skipped(batch.skipped)
        row = StepRow(
            step=done + 1,
            images_seen=seen + config.batch_size,
            seconds=seconds,
            lr=config.learning_rate(done),
            localization=float(losses.localization),
            classification=float(losses.classification),
        )
        self.callbacks.on_step(row)
        epochs = row.images_seen // len(self.dataset)
        if epochs > seen // len(self.dataset):
            self.callbacks.on_epoch(epochs)

    def evaluation_is_due(self) -> bool:
        step, every = self.step_count, self.state.config.eval_every
        first = self.state.progress.begins_with_evaluation
        due = first or step == self.state.config.steps or (every > 0 and step % every == 0)
        return due and self.validator is not None and self.state.progress.evaluated < step

    def evaluate(self, interrupted: Callable[[], bool]) -> None:
        """Evaluate the weights, and their average if there is one; the better of the two may be the best so far.

        An interrupted evaluation changes nothing: the resumed run begins with it.
        """
        assert self.validator is not None
        models, reports = self.state.models(), []
        for model in models:
            try:
                report = self.validator.evaluate(model, interrupted)
            except SSDError:
                self.save_alone()
                raise
            if report is None:
                log.info("the evaluation was interrupted; a resumed run begins with it")
                return
            reports.append(report)
        self.reports = reports
        report, model = max(zip(reports, models, strict=True), key=lambda pair: pair[0].map or 0)
        self.note_skipped(report.skipped)
        progress = self.state.progress
        improved = progress.best is None or (report.map or 0) > (progress.best["map"] or 0)
        stale = 0 if improved else progress.stale + 1
        progress = progress._replace(evaluated=progress.step, stale=stale, begins_with_evaluation=False)
        if improved:
            progress = progress._replace(
                best=report.to_dict()
                | {"averaged": model is not self.state.model, "min_scores": best_f1(report).min_scores}
            )
        self.state.progress = progress
        if improved and self.world.is_main:
            self.checkpoints.save_best(model, report)
        self.callbacks.on_evaluation(progress, *reports)

    def patience_is_over(self) -> bool:
        evaluations = self.state.progress.stale
        over = 0 < self.state.config.patience <= evaluations
        if over:
            log.info("no better mAP in %s: the run ends (--patience)", plural(evaluations, "evaluation"))
        return over

    def save_is_due(self) -> bool:
        """Whether a number of steps or of minutes is over. All processes must ask."""
        step, config = self.step_count, self.state.config
        late = config.save_minutes > 0 and self.world.any(time.monotonic() >= self.next_save_s)
        return step > 0 and (step % config.save_every == 0 or late)

    def save(self) -> None:
        """Write weights and state, unless they are written already. Weights that have not changed since the start are
        written only if they are missing, as those that are there may know their mAP.
        """
        skipped = (image for images in self.world.gather(self.state.progress.skipped) for image in images)
        self.state.progress = self.state.progress._replace(skipped=tuple(dict.fromkeys(skipped)))
        if self.state.progress == self.saved:
            return
        if self.world.is_main:
            self.checkpoints.save(self.reports, keep=self._weights_to_keep())
        self.saved = self.state.progress
        self.callbacks.on_save(self.state.progress)
        self.next_save_s = time.monotonic() + self.state.config.save_minutes * 60

    def _weights_to_keep(self) -> list[str]:
        """Those that have not changed since this process began, nor been measured."""
        progress = self.state.progress
        if progress.step > self.resumed.step or not progress.step or self.reports:
            return []
        is_best_anew = progress.best is None and not self.state.is_saved
        return [
            run_layout.LAST_WEIGHTS,
            run_layout.LAST_AVERAGED_WEIGHTS,
            *([] if is_best_anew else [run_layout.BEST_WEIGHTS]),
        ]

    def save_alone(self) -> None:
        """Save what was trained before an error ends the run; not in several processes, which would have to agree."""
        if self.world.size == 1:
            self.save()
            log.info("the state after step %d is saved; --resume begins with the evaluation", self.step_count)

    def note_skipped(self, skipped: Sequence[str]) -> None:
        """Log and count the images that could not be read, each once."""
        known = self.state.progress.skipped
        fresh = [image for image in dict.fromkeys(skipped) if image not in known]
        for image in fresh:
            log.warning("skipped (--on-bad-image skip): %s", image)
        self.state.progress = self.state.progress._replace(skipped=(*known, *fresh))
