"""The images of a run folder: the first batch as the network gets it, and held-out images with their detections."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ssd300 import run_layout
from ssd300.batches import Batch
from ssd300.data.photometric import apply_photometric
from ssd300.data.samples import read_sample
from ssd300.evaluation.error_analysis import ErrorAnalysis
from ssd300.evaluation.scoring import Report
from ssd300.evaluation.shown import is_shown
from ssd300.images.draw import draw_detections
from ssd300.images.encode import write_image
from ssd300.images.to_tensor import WHITE, to_float
from ssd300.reporting.evaluation import worst_images
from ssd300.reporting.montage import draw_labels, full_grid, montage
from ssd300.reporting.run import SHOWN_IMAGES
from ssd300.system.files import write_atomically
from ssd300.types import Annotation, Detections

TILE_PX, BATCH_TILE_PX, MOST_OF_A_BATCH = 480, 240, 16


def save_training_batch(folder: Path, batch: Batch, fill: Tensor, classes: Sequence[str]) -> None:
    """Images of the batch after augmentation, with their boxes; `fill` is the mean color, RGB in 0..1.

    They are the first that have objects left, if any has, and as many as fill a grid.
    """
    images = batch.images
    pixels = to_float(images) if batch.photometric is None else apply_photometric(images, batch.photometric, fill)
    shown = (pixels[:MOST_OF_A_BATCH] * WHITE).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    tiles = []
    rows = list(range(len(shown)))
    rows = [row for row in rows if (batch.targets.labels[row] > 0).any()] or rows
    count, columns = full_grid(len(rows))
    for row in rows[:count]:
        image = shown[row]
        real = batch.targets.labels[row] > 0  # 0 is padding
        boxes = batch.targets.boxes[row][real].numpy() * np.tile(image.shape[1::-1], 2)
        labels = batch.targets.labels[row][real].numpy() - 1
        tiles.append((batch.image_ids[row], draw_labels(image, boxes, labels, classes)))
    grid = montage(tiles, columns=columns, tile_px=BATCH_TILE_PX)
    _save_jpeg(folder / run_layout.TRAINING_BATCH_IMAGE, grid)


def save_validation_images(folder: Path, report: Report, errors: ErrorAnalysis) -> None:
    """Some images with objects, labels beside detections; and the worst by `errors`, in place of older ones."""
    for number, index in enumerate(_spread(report.dataset.annotations, SHOWN_IMAGES), start=1):
        image = _labels_beside_detections(report, index, errors.min_scores)
        _save_jpeg(folder / run_layout.VALIDATION_IMAGE.format(number=number), image)
    for leftover in folder.glob(run_layout.WORST_IMAGE.format(number="*")):
        leftover.unlink()
    for number, image in enumerate(worst_images(report, errors), start=1):
        _save_jpeg(folder / run_layout.WORST_IMAGE.format(number=number), image)


def _spread(annotations: Sequence[Annotation], count: int) -> list[int]:
    """`count` images at even distances among those with objects; all of them if they are fewer."""
    with_objects = [index for index, annotation in enumerate(annotations) if len(annotation)]
    places = np.linspace(0, len(with_objects) - 1, min(count, len(with_objects))).round().astype(int)
    return [with_objects[place] for place in places]


def _labels_beside_detections(report: Report, index: int, min_scores: Mapping[str, float]) -> Image.Image:
    annotation, classes, table = report.dataset.annotations[index], report.dataset.classes, report.detections
    image = read_sample(annotation).image
    rows = np.flatnonzero((table.image_index == index) & is_shown(table.labels, table.scores, min_scores))
    rows = rows[np.argsort(-table.scores[rows], kind="stable")]
    found = Detections(
        boxes=table.boxes_px[rows], scores=table.scores[rows], labels=table.labels[rows], classes=classes
    )
    tiles = [
        (f"{annotation.image_id}: labels", draw_labels(image, annotation.boxes_px, annotation.labels, classes)),
        ("detections", draw_detections(image, found)),
    ]
    return montage(tiles, columns=2, tile_px=TILE_PX)


def _save_jpeg(path: Path, image: Image.Image) -> None:
    write_atomically(path, lambda temporary: write_image(temporary, image, "JPEG", quality=90))
