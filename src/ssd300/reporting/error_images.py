"""Images of annotations beside detections, where each detection is marked right or wrong, with its kind of error."""

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
from ssd300.reporting.error_words import WORDS
from ssd300.reporting.montage import draw_labels, montage

RIGHT, WRONG, LOST, IGNORED = (15, 157, 88), (217, 48, 37), (240, 140, 0), (140, 140, 140)
COLOR_KEY = (
    "right boxes are green, false ones red with what is wrong, missed objects orange; gray ones do not count, as their "
    "objects are marked as difficult"
)
TILE_PX = 600
TEXT_SHARE = 1 / 40  # small, as an image may have many texts


class ErrorImages(NamedTuple):
    """Images, and the ids of those that could not be read."""

    images: list[Image.Image]
    unread: list[str]


class _Marks(NamedTuple):
    """Boxes to draw, each with its text and color."""

    boxes_px: list[np.ndarray]
    texts: list[str]
    colors: list[tuple[int, int, int]]

    def add(self, box_px: np.ndarray, text: str, color: tuple[int, int, int]) -> None:
        self.boxes_px.append(box_px)
        self.texts.append(text)
        self.colors.append(color)


def draw_errors(
    dataset: Dataset, images: Sequence[int], sides: Mapping[str, Errors], *, tile_px: int = TILE_PX
) -> ErrorImages:
    """For each index of `images`, its annotated objects beside the detections of each side, as one image."""
    drawn: list[Image.Image] = []
    unread: list[str] = []
    for index in images:
        annotation = dataset.annotations[index]
        try:
            image = read_sample(annotation).image
        except DataError:
            unread.append(annotation.image_id)
            continue
        annotated = draw_labels(image, annotation.boxes_px, annotation.labels, dataset.classes)
        tiles = [(f"{annotation.image_id}: labels", annotated)]
        for name, errors in sides.items():
            tiles.append((f"{name}: {_counted(errors, index)}", _draw_judged(image, errors, index, dataset.classes)))
        drawn.append(montage(tiles, columns=len(tiles), tile_px=tile_px))
    return ErrorImages(drawn, unread)


def _draw_judged(image: UInt8[np.ndarray, "h w 3"], errors: Errors, index: int, classes: Sequence[str]) -> Image.Image:
    marks = _marks(errors, index, classes)
    order = sorted(range(len(marks.texts)), key=lambda place: bool(marks.texts[place]))  # errors lie on top
    return draw_boxes(
        image,
        np.array([marks.boxes_px[place] for place in order], dtype=np.float64).reshape(-1, 4),
        [marks.texts[place] for place in order],
        [marks.colors[place] for place in order],
        text_share=TEXT_SHARE,
    )


def _marks(errors: Errors, index: int, classes: Sequence[str]) -> _Marks:
    """Detections of one image by rising score, then its missed objects; only errors have a text."""
    marks, detections = _Marks([], [], []), errors.detections
    rows = np.flatnonzero(detections.image_index == index)
    counted = np.concatenate([np.zeros(0, np.int64), *(one.rows for one in errors.judged)])
    for row in rows[np.argsort(detections.scores[rows], kind="stable")]:
        kind, box_px = errors.kinds[row], detections.boxes_px[row]
        if kind != NO_ERROR:
            text = f"{classes[detections.labels[row]]} {detections.scores[row]:.2f} {WORDS[FALSE_KINDS[kind]]}"
            marks.add(box_px, text, WRONG)
        else:
            marks.add(box_px, "", RIGHT if row in counted else IGNORED)
    for row in np.flatnonzero(errors.missed & (errors.objects.images == index)):
        marks.add(errors.objects.boxes_px[row], f"{MISSED} {classes[errors.objects.labels[row]]}", LOST)
    return marks


def _counted(errors: Errors, index: int) -> str:
    """The errors of one image in words: '2 missed, 1 double'."""
    kinds = errors.kinds[errors.detections.image_index == index]
    counts = {kind: int((kinds == number).sum()) for number, kind in enumerate(FALSE_KINDS)}
    counts[MISSED] = int(errors.missed[errors.objects.images == index].sum())
    return ", ".join(f"{counts[kind]} {WORDS[kind]}" for kind in reversed(KINDS) if counts[kind]) or "all right"
