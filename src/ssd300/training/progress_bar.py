"""A callback that shows a run's progress: steps, time left, learning rate, losses, speed, memory."""

from contextlib import ExitStack
from typing import Any

from ssd300.data.dataset import Dataset
from ssd300.system.memory import gigabytes, used_memory_bytes
from ssd300.system.progress import Progress as Shows
from ssd300.system.progress import shown
from ssd300.training.callbacks import Callback
from ssd300.training.config import TrainConfig
from ssd300.training.records import StepRow, rate_in_words
from ssd300.training.state import Progress


class ProgressBar(Callback):
    """Draws on stderr or in a notebook; log lines appear above it."""

    def __init__(self, progress: Shows = shown) -> None:
        self.shows, self.open = progress, ExitStack()

    def on_start(self, config: TrainConfig, dataset: Dataset, progress: Progress) -> None:
        self.batch_size = config.batch_size
        self.task = self.open.enter_context(self.shows("training", config.steps, unit="steps", done=progress.step))
        self.task.earlier_s = progress.seconds

    def on_step(self, row: StepRow) -> None:
        self.task.update(row.step)
        self.task.notes = (
            f"{self.task.per_second * self.batch_size:.1f} images/s",
            f"box loss {row.localization:.2f}",
            f"class loss {row.classification:.2f}",
            f"rate {rate_in_words(row.lr)}",
            f"{gigabytes(used_memory_bytes())} of memory",
        )

    def on_end(self, summary: dict[str, Any]) -> None:
        self.open.close()

    def on_error(self, error: BaseException) -> None:
        self.open.close()
