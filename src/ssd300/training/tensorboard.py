"""A callback that writes a run's numbers for TensorBoard. Needs the extra 'tensorboard'."""

from typing import Any

from ssd300.data.dataset import Dataset
from ssd300.errors import UsageError, install_hint
from ssd300.evaluation.scoring import Report
from ssd300.training.callbacks import Callback
from ssd300.training.config import TrainConfig
from ssd300.training.records import StepRow
from ssd300.training.state import Progress

FOLDER = "tensorboard"


class TensorBoard(Callback):
    """Writes events below the run folder. The constructor raises UsageError if the package is not installed."""

    def __init__(self) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UsageError(
                "TensorBoard is not installed", fix=f"{install_hint('tensorboard')} Or omit --tensorboard."
            ) from error
        self.open: Any = SummaryWriter

    def on_start(self, config: TrainConfig, dataset: Dataset, progress: Progress) -> None:
        self.writer: Any = self.open(str(config.out / FOLDER), purge_step=progress.step + 1)

    def on_step(self, row: StepRow) -> None:
        for name in ("lr", "localization", "classification"):
            self.writer.add_scalar(f"train/{name}", getattr(row, name), row.step)

    def on_evaluation(self, progress: Progress, report: Report, average: Report | None = None) -> None:
        for name, of in (("weights", report), ("average", average)):
            if of is not None and of.map is not None:
                self.writer.add_scalar(f"{of.metric}/{name}", of.map, progress.step)

    def on_end(self, summary: dict[str, Any]) -> None:
        self.writer.close()

    def on_error(self, error: BaseException) -> None:
        self.writer.close()
