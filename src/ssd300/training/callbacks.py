"""Callbacks: what a run reports while it trains, one method for each event."""

import logging
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, Concatenate, ParamSpec

from torch import Tensor

from ssd300.batches import Batch
from ssd300.data.dataset import Dataset
from ssd300.evaluation.scoring import Report
from ssd300.training.config import TrainConfig
from ssd300.training.records import StepRow
from ssd300.training.state import Progress

P = ParamSpec("P")

log = logging.getLogger(__name__)


class Callback:
    """Override the methods of the events that you need. The main process calls them, in the order of the run.

    An exception in a callback of your own is logged and does not end the run; the next event calls it again. It gets
    copies, never the model: what it writes into them changes neither the run nor what other callbacks get.
    """

    def on_start(self, config: TrainConfig, dataset: Dataset, progress: Progress) -> None:
        """Before the first step; `progress` tells where a resumed run continues."""

    def on_first_batch(self, batch: Batch, fill: Tensor) -> None:
        """After the first step of a new run: its batch, and `fill`, the network's mean color, RGB in 0..1."""

    def on_step(self, row: StepRow) -> None:
        """After every step."""

    def on_epoch(self, epoch: int) -> None:
        """After the step in which the number of images seen reaches `epoch` times the size of the dataset."""

    def on_evaluation(self, progress: Progress, report: Report, average: Report | None = None) -> None:
        """After an evaluation on the held-out images: of the weights, and of their average if the run has one."""

    def on_save(self, progress: Progress) -> None:
        """After weights and state were saved."""

    def on_end(self, summary: dict[str, Any]) -> None:
        """At the end, also of a run that stopped before its last step without an error."""

    def on_error(self, error: BaseException) -> None:
        """When an error or a signal ends the run, before the caller gets it. This is the exception itself, no copy."""


class Callbacks(Callback):
    """Many callbacks as one. An error of a `required` one, such as a full disk, ends the run."""

    def __init__(self, required: Sequence[Callback], optional: Sequence[Callback]) -> None:
        self.required, self.optional = required, optional

    def on_start(self, config: TrainConfig, dataset: Dataset, progress: Progress) -> None:
        self._forward(Callback.on_start, config, dataset, progress)

    def on_first_batch(self, batch: Batch, fill: Tensor) -> None:
        self._forward(Callback.on_first_batch, batch, fill)

    def on_step(self, row: StepRow) -> None:
        self._forward(Callback.on_step, row)

    def on_epoch(self, epoch: int) -> None:
        self._forward(Callback.on_epoch, epoch)

    def on_evaluation(self, progress: Progress, report: Report, average: Report | None = None) -> None:
        self._forward(Callback.on_evaluation, progress, report, average)

    def on_save(self, progress: Progress) -> None:
        self._forward(Callback.on_save, progress)

    def on_end(self, summary: dict[str, Any]) -> None:
        self._forward(Callback.on_end, summary)

    def on_error(self, error: BaseException) -> None:
        self._forward(Callback.on_error, error)

    def _forward(self, event: Callable[Concatenate[Callback, P], None], /, *values: P.args, **_named: P.kwargs) -> None:
        """Call the method of that name of each callback."""
        name = event.__name__
        for callback in self.required:
            getattr(callback, name)(*values)
        for callback in self.optional:
            if getattr(type(callback), name, None) is event:
                continue  # it does not override this one: nothing to copy for
            try:
                getattr(callback, name)(*map(_copy, values))
            except Exception as error:  # foreign code may raise anything
                log.warning(
                    "the callback %s failed in %s; the run continues: %s: %s",
                    type(callback).__name__, name, type(error).__name__, error,
                )  # fmt: skip
                log.debug("its traceback", exc_info=True)


def _copy(value: object) -> object:
    return value if isinstance(value, BaseException) else deepcopy(value)
