"""The default boxes of a new run: those of a name, fitted to the objects that it trains on, or those of its start."""

import logging

import numpy as np
from jaxtyping import Float, Int

from ssd300.data.dataset import Dataset
from ssd300.errors import DataError, UsageError
from ssd300.images.header import image_size_hw
from ssd300.model.default_boxes import DefaultBoxSettings
from ssd300.model.fitted_boxes import covered, fit_default_boxes
from ssd300.model.shapes import Shape
from ssd300.system.wording import plural
from ssd300.training.config import TrainConfig
from ssd300.types import Annotation
from ssd300.weights.start_boxes import default_boxes_of_start

log = logging.getLogger(__name__)


def settings_for(config: TrainConfig, dataset: Dataset, shape: Shape) -> DefaultBoxSettings:
    """The default boxes that the configuration names, for a detector of a shape. The log says what fitted ones cover.

    Raises:
        DataError: the size of an image is needed, and it cannot be read.
        UsageError: the model has no boxes of this name; or the start is a backbone, or for another number of maps.
        WeightsError: the start cannot be read, or does not say its default boxes.
    """
    if config.default_boxes == "start":
        return _of_start(config, shape)
    if config.default_boxes != "fitted":
        try:
            return shape.default_boxes(config.default_boxes, config.image_size)
        except ValueError as error:
            raise UsageError(str(error), fix="Leave --default-boxes out, or name one of these.") from error
    paper = shape.default_boxes("paper", config.image_size)
    boxes, labels = _relative_objects(dataset, skip=config.on_bad_image == "skip")
    fitted = fit_default_boxes(paper, boxes, labels)
    if len(boxes):
        before, after = (covered(settings, boxes).mean() for settings in (paper, fitted))
        log.info(
            "default boxes fitted to %s: %.0f %% have one with an IoU of 0.5 or more; with the paper's, %.0f %% have",
            plural(len(boxes), "object"), 100 * after, 100 * before,
        )  # fmt: skip
    return fitted


def _of_start(config: TrainConfig, shape: Shape) -> DefaultBoxSettings:
    boxes = default_boxes_of_start(config.init, config.init_key)
    try:
        return shape.scaled(boxes, config.image_size or shape.image_size_px)
    except ValueError as error:
        fix = "Leave out --default-boxes start, or train with the --model of these weights."
        raise UsageError(str(error), where=config.init, fix=fix) from error


def _relative_objects(dataset: Dataset, *, skip: bool) -> tuple[Float[np.ndarray, "n 4"], Int[np.ndarray, " n"]]:
    """Boxes relative to their images, and labels. With `skip`, images that cannot be read are left out."""
    boxes, labels = [np.zeros((0, 4))], [np.zeros(0, np.int64)]
    for annotation in dataset.sample:
        if not len(annotation):
            continue
        try:
            height, width = _size_hw(annotation)
        except DataError:
            if skip:
                continue
            raise
        boxes.append(annotation.boxes_px / np.array([width, height, width, height]))
        labels.append(annotation.labels)
    return np.concatenate(boxes), np.concatenate(labels)


def _size_hw(annotation: Annotation) -> tuple[int, int]:
    return annotation.size_hw or image_size_hw(annotation.image_path)
