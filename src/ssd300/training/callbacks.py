"""What a run tells those who listen: start, step, epoch, evaluation, end and error."""

import logging
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ssd300.batches import Batch
from ssd300.data.dataset import Dataset
from ssd300.evaluation.scoring import Report
from ssd300.training.config import TrainConfig
from ssd300.training.records import StepRow
from ssd300.training.state import Progress

log = logging.getLogger(__name__)


class Callback:
    """Overwrite what you want to hear of. Every call comes from the process that writes, in the order of the run.

    A callback that raises is logged and told again the next time; it never ends a run. It gets values, not the model:
    what it does cannot change the numbers.
    """

    def on_start(self, config: TrainConfig, dataset: Dataset, progress: Progress) -> None:
        """Before the first step; `progress` says where a resumed run goes on."""

    def on_first_batch(self, batch: Batch, fill: Tensor) -> None:
        """The first batch of a new run; `fill` is the mean colour, RGB in 0..1."""

    def on_step(self, row: StepRow) -> None:
        """After every update of the weights."""

    def on_epoch(self, epoch: int) -> None:
        """When every image has been seen `epoch` times."""

    def on_evaluation(self, progress: Progress, report: Report, average: Report | None = None) -> None:
        """After an evaluation on the held-out images: of the weights, and of their average where the run has one."""

    def on_save(self, progress: Progress) -> None:
        """After weights and state were saved."""

    def on_end(self, summary: dict[str, Any]) -> None:
        """At the end, also of a run that was stopped before its last step."""

    def on_error(self, error: BaseException) -> None:
        """When the run ends by an error, before it reaches the caller."""


class Callbacks:
    """Tells those whose failure ends the run, as a full disk does, then those who cannot end it."""

    def __init__(self, required: Sequence[Callback], others: Sequence[Callback]) -> None:
        self.required, self.others = required, others

    def tell(self, event: str, *values: object) -> None:
        """Call the method `event` of each."""
        for callback in self.required:
            getattr(callback, event)(*values)
        for callback in self.others:
            try:
                getattr(callback, event)(*values)
            except Exception as error:  # a stranger's code may raise anything, and must not end a run
                log.warning(
                    "the callback %s failed in %s and the run goes on: %s: %s",
                    type(callback).__name__, event, type(error).__name__, error,
                )  # fmt: skip
                log.debug("its traceback", exc_info=True)
