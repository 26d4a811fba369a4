"""The files of a run that people and scripts read: what it was given, its rows, plots, images and report.

Weights and state are the loop's. Nothing here draws a random number or changes the model.
"""

import logging
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from PIL import Image
from torch import Tensor

from ssd300 import run_layout
from ssd300.batches import Batch
from ssd300.data.dataset import Dataset
from ssd300.data.photometric import apply_photometric
from ssd300.data.samples import read_sample
from ssd300.evaluation.error_analysis import analyze_errors
from ssd300.evaluation.saving import store_evaluation
from ssd300.evaluation.scoring import SHOWN_SCORE, Report
from ssd300.images.draw import draw_detections
from ssd300.images.to_tensor import WHITE, to_float
from ssd300.reporting import plots
from ssd300.reporting.evaluation import evaluation_figures, worst_images
from ssd300.reporting.html import write_report
from ssd300.reporting.montage import draw_labels, montage
from ssd300.reporting.plot_style import save_figure
from ssd300.reporting.run import SHOWN_IMAGES, duration, run_page
from ssd300.system.device import dtype_name
from ssd300.system.environment import environment, source_commit
from ssd300.system.files import write_atomically, write_json, write_text
from ssd300.system.memory import gigabytes, used_memory_bytes
from ssd300.training.callbacks import Callback
from ssd300.training.config import TrainConfig
from ssd300.training.records import Records, StepRow
from ssd300.training.state import Progress, describe
from ssd300.types import Annotation, Detections, DetectionTable

TILE_PX, BATCH_TILE_PX, BATCH_COLUMNS, MOST_OF_A_BATCH = 480, 240, 4, 16

log = logging.getLogger(__name__)


class RunFolder(Callback):
    """Hears what happens in a run and keeps its folder up to date. What it cannot write ends the run."""

    def __init__(
        self,
        config: TrainConfig,
        dataset: Dataset,
        validation: Dataset | None,
        *,
        device: torch.device,
        resumed: bool,
    ) -> None:
        self.config, self.dataset, self.validation = config, dataset, validation
        self.folder, self.device, self.resumed = config.out, device, resumed
        self.records = Records(config.out)
        self.log_file: logging.Handler | None = None

    def on_start(self, config: TrainConfig, dataset: Dataset, progress: Progress) -> None:
        """Write what the run was given; take away what another run left here, or what this one did after its state."""
        self.last = progress.step * config.batch_size, progress.seconds
        if self.resumed:
            self._start_log()
            self.records.resume(progress.step)
            return
        for name in run_layout.OF_A_RUN:
            path = self.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        self._start_log()
        self.records.start()
        write_text(self.folder / run_layout.CONFIG, yaml.safe_dump(describe(self.config), sort_keys=False))
        write_json(self.folder / run_layout.ENVIRONMENT, environment())
        held_out = None if self.validation is None else _describe_data(self.validation)
        write_json(self.folder / run_layout.DATA, _describe_data(self.dataset) | {"validation": held_out})
        figure = plots.plot_label_statistics(self.dataset.annotations, self.dataset.classes)
        save_figure(self.folder / run_layout.LABELS_PLOT, figure)

    def on_first_batch(self, batch: Batch, fill: Tensor) -> None:
        """Keep the first images of the batch as the network sees them."""
        images = batch.images
        pixels = to_float(images) if batch.photometric is None else apply_photometric(images, batch.photometric, fill)
        shown = (pixels[:MOST_OF_A_BATCH] * WHITE).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        tiles = []
        for row, image in enumerate(shown):
            real = batch.targets.labels[row] > 0  # 0 is padding
            boxes = batch.targets.boxes[row][real].numpy() * np.tile(image.shape[1::-1], 2)
            labels = batch.targets.labels[row][real].numpy() - 1
            tiles.append((batch.image_ids[row], draw_labels(image, boxes, labels, self.dataset.classes)))
        grid = montage(tiles, columns=BATCH_COLUMNS, tile_px=BATCH_TILE_PX)
        _save_jpeg(self.folder / run_layout.TRAINING_BATCH_IMAGE, grid)

    def on_step(self, row: StepRow) -> None:
        """Add a row and a line of the log, every so many steps."""
        if row.step % self.config.log_every and row.step != self.config.steps:
            return
        images, seconds = self.last
        speed = (row.images_seen - images) / max(row.seconds - seconds, 1e-9)
        memory = torch.cuda.max_memory_allocated() if self.device.type == "cuda" else used_memory_bytes()
        self.last = row.images_seen, row.seconds
        self.records.add(
            row._asdict()
            | {"seconds": round(row.seconds, 1), "images_per_second": round(speed, 2), "memory_bytes": memory}
        )
        left = (self.config.steps * self.config.batch_size - row.images_seen) / speed
        log.info(
            "step %d/%d  lr %.2e  localization %.3f  classification %.3f  %.1f images/s  %s  %s, %s left",
            row.step, self.config.steps, row.lr, row.localization, row.classification, speed, gigabytes(memory),
            duration(row.seconds), duration(left),
        )  # fmt: skip

    def on_evaluation(self, progress: Progress, report: Report, average: Report | None = None) -> None:
        """Add the evaluation's row; if it is the best so far, keep its detections, curves and images."""
        aps = {name: result.ap for name, result in report.per_class.items()}
        row = {
            "step": progress.step,
            "images_seen": progress.step * self.config.batch_size,
            "seconds": round(progress.seconds, 1),
            "metric": report.metric,
            "map": report.map,
            "per_class": aps,
        }
        log.info("step %d: %s %.4f on %d images", progress.step, report.metric, report.map or 0, report.images)
        if average is not None:
            row["map_ema"] = average.map
            log.info("step %d: %s %.4f of the averaged weights", progress.step, average.metric, average.map or 0)
        self.records.add(row)
        if progress.stale == 0 and progress.best is not None:
            self._keep(average if average is not None and progress.best["averaged"] else report)

    def on_save(self, progress: Progress) -> None:
        """Bring summary, curves and report up to date."""
        write_json(self.folder / run_layout.SUMMARY, summarize(self.config, progress, self.device))
        logged, evaluations = self.records.logged, self.records.evaluations
        if logged:
            save_figure(self.folder / run_layout.LOSS_PLOT, plots.plot_losses(logged))
            save_figure(self.folder / run_layout.LEARNING_RATE_PLOT, plots.plot_learning_rate(logged))
        if evaluations:
            save_figure(self.folder / run_layout.MAP_PLOT, plots.plot_map(evaluations))
        write_report(self.folder / run_layout.REPORT, run_page(self.folder))

    def on_end(self, summary: dict[str, Any]) -> None:
        self._end_log()

    def on_error(self, error: BaseException) -> None:
        """The log says how the run ended too."""
        if self.log_file is not None and isinstance(error, Exception):  # a signal is none
            log.error("the run ended by an error: %s", str(error) or type(error).__name__)
        self._end_log()

    def _start_log(self) -> None:
        """From here on what the run says is in its folder too, and the command that it was started with."""
        with (self.folder / run_layout.COMMAND).open("a" if self.resumed else "w", encoding="utf-8") as file:
            file.write(shlex.join(sys.argv) + "\n")
        mode = "a" if self.resumed else "w"
        self.log_file = logging.FileHandler(self.folder / run_layout.LOG, mode=mode, encoding="utf-8")
        self.log_file.setFormatter(logging.Formatter("%(message)s"))
        package = logging.getLogger("ssd300")
        self.level = package.level
        package.addHandler(self.log_file)
        package.setLevel(min(package.getEffectiveLevel(), logging.INFO))

    def _end_log(self) -> None:
        if self.log_file is not None:
            package = logging.getLogger("ssd300")
            package.removeHandler(self.log_file)
            package.setLevel(self.level)
            self.log_file.close()
            self.log_file = None

    def _keep(self, report: Report) -> None:
        store_evaluation(self.folder / run_layout.EVALUATION, report)
        failures = analyze_errors(report.dataset, report.detections)
        write_json(self.folder / run_layout.EVALUATION / run_layout.ERRORS, failures.to_dict())
        for name, figure in evaluation_figures(report, failures).items():
            save_figure(self.folder / run_layout.EVALUATION_PLOT.format(name=name), figure)
        annotations, classes = report.dataset.annotations, report.dataset.classes
        for number, index in enumerate(_spread(annotations, SHOWN_IMAGES), start=1):
            image = _labels_beside_detections(annotations[index], report.detections, index, classes)
            _save_jpeg(self.folder / run_layout.VALIDATION_IMAGE.format(number=number), image)
        for leftover in self.folder.glob(run_layout.WORST_IMAGE.format(number="*")):
            leftover.unlink()
        for number, image in enumerate(worst_images(report, failures), start=1):
            _save_jpeg(self.folder / run_layout.WORST_IMAGE.format(number=number), image)


def summarize(config: TrainConfig, progress: Progress, device: torch.device) -> dict[str, Any]:
    """`summary.json`: the best evaluation, what was spent, and with what."""
    return {
        **(progress.best or {"metric": None, "map": None, "per_class": None, "images": None, "averaged": None}),
        "steps": progress.step,
        "images_seen": progress.step * config.batch_size,
        "seconds": round(progress.seconds, 1),
        "skipped_images": len(progress.skipped),
        "seed": config.seed,
        "device": str(device),
        "precision": dtype_name(progress.precision),
        "git": source_commit(),
        "versions": environment(),
    }


def _describe_data(dataset: Dataset) -> dict[str, Any]:
    return {
        "images": len(dataset),
        "objects": dataset.objects_per_class(),
        "classes": list(dataset.classes),
        "split": dataset.split,
        "fingerprint": dataset.fingerprint(),
        "dropped": dict(dataset.dropped),
    }


def _spread(annotations: Sequence[Annotation], count: int) -> list[int]:
    """`count` images at even distances among those with objects; all that there are if they are fewer."""
    with_objects = [index for index, annotation in enumerate(annotations) if len(annotation)]
    places = np.linspace(0, len(with_objects) - 1, min(count, len(with_objects))).round().astype(int)
    return [with_objects[place] for place in places]


def _labels_beside_detections(
    annotation: Annotation, table: DetectionTable, index: int, classes: Sequence[str]
) -> Image.Image:
    image = read_sample(annotation).image
    rows = np.flatnonzero((table.image_index == index) & (table.scores >= SHOWN_SCORE))
    rows = rows[np.argsort(-table.scores[rows], kind="stable")]
    found = Detections(
        boxes=table.boxes_px[rows], scores=table.scores[rows], labels=table.labels[rows], classes=classes
    )
    labelled = draw_labels(image, annotation.boxes_px, annotation.labels, classes)
    images = [
        (f"{annotation.image_id}: labels", labelled),
        (f"detections, score from {SHOWN_SCORE:g}", draw_detections(image, found)),
    ]
    return montage(images, columns=2, tile_px=TILE_PX)


def _save_jpeg(path: Path, image: Image.Image) -> None:
    write_atomically(path, lambda temporary: image.save(temporary, format="JPEG", quality=90))
