"""Images of labels beside detections, each said to be right or wrong, and of what kind its error is."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ssd300.data.dataset import Dataset
from ssd300.data.samples import read_sample
from ssd300.errors import DataError
from ssd300.images.draw import draw_boxes
from ssd300.metrics.error_kinds import FALSE_KINDS, KINDS, MISSED, NO_ERROR, Errors
from ssd300.reporting.montage import draw_labels, montage

RIGHT, WRONG, LOST, IGNORED = (15, 157, 88), (217, 48, 37), (240, 140, 0), (140, 140, 140)
COLORS_SAID = "right ones are green, wrong ones red with the kind of their error, missed objects orange"
TILE_PX = 600
TEXT_SHARE = 1 / 40  # there is much to say


class ErrorImages(NamedTuple):
    """Images, and the ids of those that could not be read."""

    images: list[Image.Image]
    unread: list[str]


def draw_errors(
    dataset: Dataset, images: Sequence[int], sides: Mapping[str, Errors], *, tile_px: int = TILE_PX
) -> ErrorImages:
    """The labels of each image beside the detections of each side, as one image."""
    drawn: list[Image.Image] = []
    unread: list[str] = []
    for index in images:
        annotation = dataset.annotations[index]
        try:
            image = read_sample(annotation).image
        except DataError:
            unread.append(annotation.image_id)
            continue
        labelled = draw_labels(image, annotation.boxes_px, annotation.labels, dataset.classes)
        tiles = [(f"{annotation.image_id}: labels", labelled)]
        for name, errors in sides.items():
            tiles.append((f"{name}: {_counted(errors, index)}", _draw_judged(image, errors, index, dataset.classes)))
        drawn.append(montage(tiles, columns=len(tiles), tile_px=tile_px))
    return ErrorImages(drawn, unread)


def _draw_judged(image: UInt8[np.ndarray, "h w 3"], errors: Errors, index: int, classes: Sequence[str]) -> Image.Image:
    detections = errors.detections
    rows = np.flatnonzero(detections.image_index == index)
    counted = np.concatenate([np.zeros(0, np.int64), *(one.rows for one in errors.judged)])
    boxes, texts, colors = [], [], []
    for row in rows[np.argsort(detections.scores[rows], kind="stable")]:
        kind = errors.kinds[row]
        boxes.append(detections.boxes_px[row])
        if kind == NO_ERROR:
            texts.append("")
            colors.append(RIGHT if row in counted else IGNORED)
        else:
            texts.append(f"{classes[detections.labels[row]]} {detections.scores[row]:.2f} {FALSE_KINDS[kind]}")
            colors.append(WRONG)
    for row in np.flatnonzero(errors.missed & (errors.objects.images == index)):
        boxes.append(errors.objects.boxes_px[row])
        texts.append(f"{MISSED} {classes[errors.objects.labels[row]]}")
        colors.append(LOST)
    order = sorted(range(len(boxes)), key=lambda place: bool(texts[place]))  # what is wrong lies on top
    return draw_boxes(
        image,
        np.array([boxes[place] for place in order], dtype=np.float64).reshape(-1, 4),
        [texts[place] for place in order],
        [colors[place] for place in order],
        text_share=TEXT_SHARE,
    )


def _counted(errors: Errors, index: int) -> str:
    """In words: '2 missed, 1 duplicate'."""
    kinds = errors.kinds[errors.detections.image_index == index]
    counts = {kind: int((kinds == number).sum()) for number, kind in enumerate(FALSE_KINDS)}
    counts[MISSED] = int(errors.missed[errors.objects.images == index].sum())
    return ", ".join(f"{counts[kind]} {kind}" for kind in reversed(KINDS) if counts[kind]) or "all right"
