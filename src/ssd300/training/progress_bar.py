"""A callback that draws a progress bar on a terminal: step, time left, learning rate, losses, speed, memory."""

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichBar

from ssd300.data.dataset import Dataset
from ssd300.system.memory import gigabytes, used_memory_bytes
from ssd300.training.callbacks import Callback
from ssd300.training.config import TrainConfig
from ssd300.training.records import StepRow
from ssd300.training.state import Progress


class ProgressBar(Callback):
    """Draws on stderr; log lines appear above it."""

    def on_start(self, config: TrainConfig, dataset: Dataset, progress: Progress) -> None:
        self.batch_size = config.batch_size
        columns = (
            TextColumn("step {task.completed}/{task.total}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[values]}"),
        )
        self.bar = RichBar(*columns, console=Console(stderr=True))
        self.task = self.bar.add_task("training", total=config.steps, completed=progress.step, values="")
        self.bar.start()

    def on_step(self, row: StepRow) -> None:
        self.bar.update(self.task, completed=row.step)
        speed = self.bar.tasks[0].speed
        values = f"lr {row.lr:.2e}  box {row.localization:.2f}  class {row.classification:.2f}"
        if speed:
            values += f"  {speed * self.batch_size:.1f} images/s"
        values += f"  {gigabytes(used_memory_bytes())}"
        self.bar.update(self.task, values=values)

    def on_end(self, summary: dict[str, Any]) -> None:
        self.bar.stop()

    def on_error(self, error: BaseException) -> None:
        self.bar.stop()
