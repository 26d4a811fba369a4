"""Pictures of disagreements: the place in the image, enlarged, with the label and the detection in two styles."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from ssd300.errors import DataError
from ssd300.evaluation.disagreement import Disagreement
from ssd300.images.draw import draw_dashes
from ssd300.images.read import read_image
from ssd300.types import Annotation

LABEL, OTHER_LABEL, DETECTION, BESIDE = (0, 140, 255), (220, 0, 220), (255, 140, 0), (130, 136, 144)
STYLES = (
    "the label in question is a solid blue line, a second one violet, other labels are gray; the detection is a dashed "
    "orange line"
)
EDGE = (255, 255, 255)  # below a line, so that it is seen on its own color too
TILE_PX = 360  # longest side of a picture
AROUND = 0.7  # how far a picture reaches around the boxes, as a share of their longer side
LEAST_SHARE = 0.2  # of the image's shorter side, for a small object among its surroundings
LINE_PX, BESIDE_PX, DASH_PX = 3, 2, 8
Box = tuple[float, float, float, float]


class CasePictures(NamedTuple):
    """The picture of each case whose image can be read, by the case's place in the list, and the other images."""

    pictures: dict[int, Image.Image]
    unread: list[str]


def draw_cases(cases: Sequence[Disagreement], annotations: Sequence[Annotation]) -> CasePictures:
    """The pictures of the cases; `annotations` are those that they number images by. Each image is read once."""
    pictures: dict[int, Image.Image] = {}
    unread: dict[str, None] = {}
    pixels: tuple[Path, UInt8[np.ndarray, "h w 3"]] | None = None
    for place in sorted(range(len(cases)), key=lambda place: cases[place].image_index):
        case = cases[place]
        try:
            if pixels is None or pixels[0] != case.image_path:
                pixels = case.image_path, read_image(case.image_path)
        except DataError:
            unread[case.image_id] = None
        else:
            pictures[place] = draw_case(pixels[1], case, annotations[case.image_index])
    return CasePictures(pictures, list(unread))


def draw_case(image: UInt8[np.ndarray, "h w 3"], case: Disagreement, annotation: Annotation) -> Image.Image:
    """The part of the image around the label and the detection, its longer side TILE_PX."""
    own = [one for one in (case.label, case.other_label) if one is not None]
    boxes = [one.box_px for one in (*own, case.detection) if one is not None]
    view = _view(boxes, (image.shape[0], image.shape[1]))
    scale = TILE_PX / max(view[2] - view[0], view[3] - view[1])
    size_wh = (max(1, round((view[2] - view[0]) * scale)), max(1, round((view[3] - view[1]) * scale)))
    picture = Image.fromarray(image).resize(size_wh, Image.Resampling.BICUBIC, box=view)
    draw = ImageDraw.Draw(picture)
    mine = {one.index for one in own}
    for number, box in enumerate(annotation.boxes_px.tolist()):
        if number not in mine:
            _outline(draw, _placed(box, view, scale), BESIDE, BESIDE_PX)
    if case.other_label is not None:
        _outline(draw, _placed(case.other_label.box_px, view, scale), OTHER_LABEL, LINE_PX + 2)
    if case.label is not None:
        _outline(draw, _placed(case.label.box_px, view, scale), LABEL, LINE_PX)
    if case.detection is not None:
        placed = _placed(case.detection.box_px, view, scale)
        _outline(draw, placed, EDGE, 1)
        draw_dashes(draw, placed, size_wh, DETECTION, width=LINE_PX, dash_px=DASH_PX)
    return picture


def _view(boxes: Iterable[Sequence[float]], size_hw: tuple[int, int]) -> Box:
    """A part of the image that holds the boxes and what is around them: a square, unless the boxes need more width."""
    rows = np.array(list(boxes))
    corners = rows[:, :2].min(axis=0), rows[:, 2:].max(axis=0)
    longer, narrower = float(max(corners[1] - corners[0])), float(min(size_hw))
    side = max(longer * (1 + 2 * AROUND), narrower * LEAST_SHARE)
    side = max(min(side, narrower), longer)
    low, high = [], []
    for start, end, length in zip(*corners, size_hw[::-1], strict=True):
        within = min(side, float(length))
        first = min(max((float(start) + float(end) - within) / 2, 0.0), length - within)
        low.append(first)
        high.append(first + within)
    return low[0], low[1], high[0], high[1]


def _placed(box: Sequence[float], view: Box, scale: float) -> Box:
    """A box in pixels of the picture."""
    x1, y1, x2, y2 = ((corner - offset) * scale for corner, offset in zip(box, view[:2] * 2, strict=True))
    return x1, y1, x2, y2


def _outline(draw: ImageDraw.ImageDraw, box: Box, color: tuple[int, int, int], width: int) -> None:
    draw.rectangle((box[0], box[1], max(box[0], box[2] - 1), max(box[1], box[3] - 1)), outline=color, width=width)
