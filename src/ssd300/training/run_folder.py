"""The files of a run for people and scripts: configuration, data, rows, summary, plots, report; images by `run_images`.

Weights and state are written by `checkpoints`. Nothing here takes a random number or changes the model.
"""

import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from ssd300 import run_layout
from ssd300.batches import Batch
from ssd300.data.dataset import Dataset
from ssd300.data.image_digests import image_digests
from ssd300.evaluation.error_analysis import analyze_errors
from ssd300.evaluation.saving import store_evaluation
from ssd300.evaluation.scoring import Report
from ssd300.metrics.words import map_in_words
from ssd300.reporting import plots
from ssd300.reporting.evaluation import evaluation_figures
from ssd300.reporting.html import write_report
from ssd300.reporting.plot_style import save_figure
from ssd300.reporting.run import run_page
from ssd300.system.duration import rough_duration
from ssd300.system.environment import environment
from ssd300.system.files import write_json, write_text
from ssd300.system.memory import used_memory_bytes
from ssd300.system.wording import plural
from ssd300.training.callbacks import Callback
from ssd300.training.config import TrainConfig
from ssd300.training.launch import make_own
from ssd300.training.records import Records, StepRow, rate_in_words
from ssd300.training.run_images import save_training_batch, save_validation_images
from ssd300.training.run_log import RunLog
from ssd300.training.state import Progress, describe
from ssd300.training.summary import summarize

SILENCE_S = 30.0  # the longest time between two lines of steps, but for a step that takes longer

log = logging.getLogger(__name__)


class RunFolder(Callback):
    """Keeps the folder up to date during a run. A file that it cannot write ends the run."""

    def __init__(
        self,
        config: TrainConfig,
        dataset: Dataset,
        validation: Dataset | None,
        *,
        device: torch.device,
        resumed: bool,
        run_log: RunLog,
    ) -> None:
        self.config, self.dataset, self.validation = config, dataset, validation
        self.folder, self.device, self.resumed = config.out, device, resumed
        self.records, self.log = Records(config.out), run_log
        self.last = 0, 0.0  # images and seconds at the last logged step
        self.last_line_s = 0.0
        self.start = 0, 0.0  # steps and seconds before this process

    def on_start(self, config: TrainConfig, dataset: Dataset, progress: Progress) -> None:
        """A new run removes files of an earlier run and writes its own; a resumed one cuts rows after its state."""
        self.last = progress.images_seen, progress.seconds
        self.last_line_s = progress.seconds
        self.start = progress.step, progress.seconds
        make_own(self.folder)  # before any other file
        if self.resumed:
            self.log.start(append=True)
            if progress.step and not (self.folder / run_layout.METRICS_JSONL).is_file():
                log.warning("%s is gone: the rows so far are lost", self.folder / run_layout.METRICS_JSONL)
            self.records.resume(progress.step, evaluated=not progress.begins_with_evaluation)
            self._write_options()
            return
        for name in run_layout.OF_A_RUN:
            path = self.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        self.log.start(append=False)
        self.records.start()
        self._write_options()
        write_json(self.folder / run_layout.ENVIRONMENT, environment())
        figure = plots.plot_label_statistics(self.dataset.sample, self.dataset.classes)
        save_figure(self.folder / run_layout.LABELS_PLOT, figure)

    def _write_options(self) -> None:
        """Also of a resumed run, which may have others by --override."""
        write_text(self.folder / run_layout.CONFIG, yaml.safe_dump(describe(self.config), sort_keys=False))
        write_json(self.folder / run_layout.DATA, _describe_training(self.dataset, self.validation))

    def on_first_batch(self, batch: Batch, fill: Tensor) -> None:
        save_training_batch(self.folder, batch, fill, self.dataset.classes)

    def on_step(self, row: StepRow) -> None:
        """Every `log_every` steps, and at the last one: a row and a line of the log. Slow steps have lines between."""
        images, seconds = self.last
        speed = (row.images_seen - images) / max(row.seconds - seconds, 1e-9)
        if row.step % self.config.log_every and row.step != self.config.steps:
            if row.seconds - self.last_line_s >= SILENCE_S:
                self._say(row, speed)
            return
        memory = torch.cuda.max_memory_allocated() if self.device.type == "cuda" else used_memory_bytes()
        self.last = row.images_seen, row.seconds
        self.records.add(
            row._asdict()
            | {"seconds": round(row.seconds, 1), "images_per_second": round(speed, 2), "memory_bytes": memory}
        )
        self._say(row, speed)

    def _say(self, row: StepRow, speed: float) -> None:
        self.last_line_s = row.seconds
        log.info("%s", self._line(row, speed))

    def _line(self, row: StepRow, speed: float) -> str:
        """What fits into 80 columns; the rest of the row is in the files. Time left is by the speed of all steps since
        the start or the resume, as in the bar.
        """
        steps = self.config.steps
        line = (
            f"step {row.step}/{steps}  loss {row.localization:.2f} box, {row.classification:.2f} class"
            f"  rate {rate_in_words(row.lr)}  {speed:.{0 if speed >= 100 else 1}f} images/s"
        )
        if row.step == steps:
            return line
        step, seconds = self.start
        return f"{line}  {rough_duration((row.seconds - seconds) / (row.step - step) * (steps - row.step))} left"

    def on_evaluation(self, progress: Progress, report: Report, average: Report | None = None) -> None:
        """Add a row; store detections, plots and images if this evaluation is the best so far."""
        aps = {name: result.ap for name, result in report.per_class.items()}
        row = {
            "step": progress.step,
            "images_seen": progress.images_seen,
            "seconds": round(progress.seconds, 1),
            "metric": report.metric,
            "map": report.map,
            "per_class": aps,
        }
        images = plural(report.images, "held-out image")
        log.info("step %d: %s, on %s", progress.step, map_in_words(report.metric, report.map or 0.0), images)
        if average is not None:
            row["map_ema"] = average.map
            log.info("step %d: mAP %.4f of the averaged weights", progress.step, average.map or 0)
        self.records.add(row)
        if progress.stale == 0 and progress.best is not None:
            best = average if average is not None and progress.best["averaged"] else report
            self._store(best, progress.best.get("min_scores") or {})

    def on_save(self, progress: Progress) -> None:
        """Bring summary, curves and report up to date; a line of the log tells the first time."""
        write_json(self.folder / run_layout.SUMMARY, summarize(self.config, progress, self.device))
        logged, evaluations = self.records.logged, self.records.evaluations
        if logged:
            save_figure(self.folder / run_layout.LOSS_PLOT, plots.plot_losses(logged))
            save_figure(self.folder / run_layout.LEARNING_RATE_PLOT, plots.plot_learning_rate(logged))
        if evaluations:
            save_figure(self.folder / run_layout.MAP_PLOT, plots.plot_map(evaluations))
        first = not (self.folder / run_layout.REPORT).exists()
        write_report(self.folder / run_layout.REPORT, run_page(self.folder))
        if first and progress.step < self.config.steps:
            log.info("the report so far, updated with each saved state: %s", self.folder / run_layout.REPORT)

    def on_error(self, error: BaseException) -> None:
        """Log the error, unless it is a signal or came before the log."""
        if self.log.is_open and isinstance(error, Exception):
            log.error("the run ended with an error: %s", str(error) or type(error).__name__)

    def _store(self, report: Report, min_scores: Mapping[str, float]) -> None:
        for note in store_evaluation(self.folder / run_layout.EVALUATION, report):
            log.info("%s", note)
        errors = analyze_errors(report.dataset, report.detections, min_scores=min_scores)
        write_json(self.folder / run_layout.EVALUATION / run_layout.ERRORS, errors.to_dict())
        for name, figure in evaluation_figures(report, errors).items():
            save_figure(self.folder / run_layout.EVALUATION_PLOT.format(name=name), figure)
        save_validation_images(self.folder, report, errors)


def is_held_out_of_run(folder: Path, validation: Dataset | None) -> bool:
    """Whether the run in `folder` is measured on the images of `validation`, or does not say on which."""
    try:
        known = json.loads((folder / run_layout.DATA).read_text(encoding="utf-8"))["validation"]
        fingerprint = None if known is None else known["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError):
        return True
    return bool(fingerprint == (None if validation is None else validation.fingerprint()))


def _describe_training(dataset: Dataset, validation: Dataset | None) -> dict[str, Any]:
    """With the digests of the training images, one behind the other, by which an evaluation recognizes them; without
    them for images that are not read before the training.
    """
    described = {
        **_describe_data(dataset),
        "validation": None if validation is None else _describe_data(validation),
    }
    if not dataset.in_memory:
        return described
    digests = image_digests(annotation.image_path for annotation in dataset.annotations)
    return described | {"image_digests": "".join(filter(None, digests))}


def _describe_data(dataset: Dataset) -> dict[str, Any]:
    return {
        "images": len(dataset),
        "objects": dataset.objects_per_class(),
        "classes": list(dataset.classes),
        "other_classes": list(dataset.other_classes),
        "split": dataset.split,
        "fingerprint": dataset.fingerprint(),
        "dropped": dict(dataset.dropped),
        "example": _example(dataset),
    }


def _example(dataset: Dataset) -> str | None:
    """The file of an image to detect on; None if there is none, or its images lie in shards."""
    first = dataset.annotations[0] if len(dataset) else None
    return None if first is None or first.content is not None else str(first.image_path.absolute())
