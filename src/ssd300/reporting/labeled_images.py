"""One annotated image as a small picture: its objects, and the one at fault marked, also where it is not in the image.

Boxes are drawn as the annotation has them, in pixels of the image as it is shown.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ssd300.data.formats.annotations import AnnotatedImage, AnnotatedObject, Corners
from ssd300.errors import DataError
from ssd300.images.colors import Color, class_color
from ssd300.images.draw import draw_boxes, draw_dashes
from ssd300.images.read import read_reduced

TILE_PX = 480  # longest side of a picture
READ_PX = 1600  # longest side that is decoded, so that an enlarged part is sharp
NAMED, NAMED_PX = 12, 45  # all objects of a picture are named if they are no more, and of this size in it
SMALL_PX = 28  # the longer side of a marked box below which it is shown enlarged too
REACH = 1.0  # how far beyond the image a picture reaches for a box, as a share of the image's sides
SLIMMEST = 4  # a picture's longer side as a multiple of its shorter one
AT_FAULT, BESIDE = (230, 30, 30), (150, 156, 164)  # gray is no class's color
BEYOND, BLANK, STRIPE, INK = (196, 199, 204), (226, 228, 231), (255, 255, 255), (70, 75, 82)
DASH_PX, CROSS_PX = 5, 14
ZOOM, ZOOM_SHARE = 4, 0.4  # an enlarged part: its side in boxes, and in the picture's shorter side
UNKNOWN_HW = (300, 400)  # of a blank picture


class Drawn(NamedTuple):
    """A picture, and in words what it cannot show: of the image, why it is blank (`lack`), and of the marked box."""

    image: Image.Image
    lack: str | None
    remark: str | None


class _Source(NamedTuple):
    """The pixels, perhaps reduced, of an image of `size_hw` as it is shown; `lack` says why they are blank."""

    pixels: Image.Image
    size_hw: tuple[int, int]
    lack: str | None = None


class _Frame(NamedTuple):
    """A part of the image's plane (xyxy, pixels of the image), and how many pixels of the picture are one of them."""

    view: Corners
    scale: float

    @property
    def size_wh(self) -> tuple[int, int]:
        left, top, right, bottom = self.view
        return max(1, round((right - left) * self.scale)), max(1, round((bottom - top) * self.scale))

    def place(self, box: Corners) -> Corners:
        """A box in pixels of the picture."""
        left, top = self.view[:2]
        x1, y1, x2, y2 = ((corner - offset) * self.scale for corner, offset in zip(box, (left, top) * 2, strict=True))
        return x1, y1, x2, y2


def draw_labeled(
    image: AnnotatedImage, *, at_fault: int | None = None, colors: Mapping[str, Color] | None = None
) -> Drawn:
    """The image with its objects.

    `at_fault` is the number, from 1, of an object that is marked instead of naming objects; the picture is enlarged up
    to REACH for it. A missing or unreadable image becomes a blank picture. A class that `colors` lacks has the color of
    its name.
    """
    source = _source(image)
    marked = image.objects[at_fault - 1] if at_fault is not None and at_fault <= len(image.objects) else None
    drawable = marked is not None and _finite(marked.box_px)
    view = _view(source.size_hw, _sorted(marked.box_px) if marked is not None and drawable else None)
    frame = _Frame(view, TILE_PX / max(view[2] - view[0], view[3] - view[1]))
    canvas = _draw_objects(_compose(source, frame), frame, image.objects, marked, colors or {})
    remark = None
    if marked is not None and drawable:
        canvas = _mark(canvas, frame, marked)
        _enlarge(canvas, frame, source, marked)
        remark = None if _inside(_sorted(marked.box_px), view) else "The box goes on beyond the picture."
    elif marked is not None:
        remark = "The box cannot be drawn."
    return Drawn(canvas, source.lack, remark)


def _source(image: AnnotatedImage) -> _Source:
    if image.image_path is None:
        return _blank(image, "The image file is missing.")
    try:
        pixels, size_hw = read_reduced(image.image_path, READ_PX)
    except DataError as error:
        return _blank(image, f"Not shown: {error.what}.")
    return _Source(Image.fromarray(pixels), size_hw)


def _blank(image: AnnotatedImage, why: str) -> _Source:
    size_hw = image.size_hw if image.size_hw is not None and min(image.size_hw) > 0 else UNKNOWN_HW
    return _Source(Image.new("RGB", (1, 1), BLANK), size_hw, why)


def _view(size_hw: tuple[int, int], box: Corners | None) -> Corners:
    """The image, enlarged for a box that is not inside of it, and widened if it is a stripe."""
    height, width = size_hw
    left, top, right, bottom = 0.0, 0.0, float(width), float(height)
    if box is not None and not _inside(box, (left, top, right, bottom)):
        margin = max(width, height) / 20
        left = max(min(left, box[0] - margin), -REACH * width - margin)
        top = max(min(top, box[1] - margin), -REACH * height - margin)
        right = min(max(right, box[2] + margin), width + REACH * width + margin)
        bottom = min(max(bottom, box[3] + margin), height + REACH * height + margin)
    wider = max(0.0, (bottom - top) / SLIMMEST - (right - left)) / 2
    higher = max(0.0, (right - left) / SLIMMEST - (bottom - top)) / 2
    return left - wider, top - higher, right + wider, bottom + higher


def _compose(source: _Source, frame: _Frame) -> Image.Image:
    """The part of the image that is in the frame, on a background where there is no image."""
    canvas = Image.new("RGB", frame.size_wh, BEYOND)
    height, width = source.size_hw
    left, top, right, bottom = frame.view
    part = (max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height)))
    if part[0] >= part[2] or part[1] >= part[3]:
        return canvas
    x, y, x2, y2 = (round(corner) for corner in frame.place(part))
    across, down = source.pixels.width / width, source.pixels.height / height
    in_source = (part[0] * across, part[1] * down, part[2] * across, part[3] * down)
    size_wh = (max(1, x2 - x), max(1, y2 - y))
    canvas.paste(source.pixels.resize(size_wh, Image.Resampling.BICUBIC, box=in_source), (x, y))
    if source.lack is not None:
        _write(canvas, source.lack)
    return canvas


def _write(canvas: Image.Image, text: str) -> None:
    """A short text in the middle; its end is cut where the picture has no room, as the caption has it too."""
    font = ImageFont.load_default(size=max(11, canvas.width // 26))
    draw = ImageDraw.Draw(canvas)
    draw.text((canvas.width / 2, canvas.height / 2), text.rstrip("."), fill=INK, font=font, anchor="mm")


def _draw_objects(
    canvas: Image.Image,
    frame: _Frame,
    objects: Sequence[AnnotatedObject],
    marked: AnnotatedObject | None,
    colors_of: Mapping[str, Color],
) -> Image.Image:
    """All objects, named in the colors of their classes, or, beside a marked one, which is left out, in gray.

    Difficult ones have stripes.
    """
    shown = [item for item in objects if item is not marked and _visible(item.box_px, frame.view)]
    named = set(map(id, _to_name(shown, frame.scale))) if marked is None else set()
    boxes = [frame.place(_sorted(item.box_px)) for item in shown]
    texts = [item.name if id(item) in named else "" for item in shown]
    names = [item.name.strip() for item in shown]
    colors = [colors_of.get(name, class_color(name)) if marked is None else BESIDE for name in names]
    canvas = draw_boxes(np.asarray(canvas), _rows(boxes), texts, colors)
    draw = ImageDraw.Draw(canvas)
    for item, box in zip(shown, boxes, strict=True):
        if item.difficult:
            draw_dashes(draw, box, canvas.size, STRIPE, width=2, dash_px=DASH_PX)
    return canvas


def _to_name(objects: Sequence[AnnotatedObject], scale: float) -> list[AnnotatedObject]:
    """The largest of each class, and all that are large, unless they are many."""
    by_size = sorted(objects, key=lambda item: _longer(item.box_px))
    largest = {item.name.strip(): item for item in by_size}.values()
    large = [item for item in objects if _longer(item.box_px) * scale >= NAMED_PX]
    return [*largest, *(large if len(objects) <= NAMED else ())]


def _mark(canvas: Image.Image, frame: _Frame, item: AnnotatedObject) -> Image.Image:
    """The object at fault in the color of faults; a box that is inverted or empty is crossed out."""
    box = frame.place(_sorted(item.box_px))
    canvas = draw_boxes(np.asarray(canvas), _rows([box]), [item.name], [AT_FAULT])
    if item.box_px[0] >= item.box_px[2] or item.box_px[1] >= item.box_px[3]:
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        across, down = (max(CROSS_PX, box[2] - box[0]) / 2, max(CROSS_PX, box[3] - box[1]) / 2)
        draw = ImageDraw.Draw(canvas)
        draw.line((x - across, y - down, x + across, y + down), fill=AT_FAULT, width=2)
        draw.line((x - across, y + down, x + across, y - down), fill=AT_FAULT, width=2)
    return canvas


def _enlarge(canvas: Image.Image, frame: _Frame, source: _Source, item: AnnotatedObject) -> None:
    """A small object's surroundings, enlarged in the corner that is farthest from it."""
    box = _sorted(item.box_px)
    longer = _longer(box)
    if longer * frame.scale >= SMALL_PX or source.lack is not None or not _visible(box, frame.view):
        return
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half = max(longer, SMALL_PX / ZOOM / 2) * ZOOM / 2
    side = min(canvas.size) * ZOOM_SHARE
    if side / (2 * half) <= frame.scale:  # the image is so small that it is enlarged as it is
        return
    near = _Frame((x - half, y - half, x + half, y + half), side / (2 * half))
    part = _compose(source, near)
    ImageDraw.Draw(part).rectangle(near.place(box), outline=AT_FAULT, width=2)
    center = frame.place((x, y, x, y))
    left = 0 if center[0] > canvas.width / 2 else canvas.width - part.width
    top = 0 if center[1] > canvas.height / 2 else canvas.height - part.height
    canvas.paste(part, (left, top))
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((left, top, left + part.width - 1, top + part.height - 1), outline=STRIPE, width=3)
    draw.line((*center[:2], left + part.width / 2, top if top else part.height), fill=AT_FAULT, width=1)


def _rows(boxes: Sequence[Corners]) -> np.ndarray:
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)


def _finite(box: Corners) -> bool:
    return all(map(math.isfinite, box))


def _sorted(box: Corners) -> Corners:
    return min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])


def _longer(box: Corners) -> float:
    return max(abs(box[2] - box[0]), abs(box[3] - box[1]))


def _inside(box: Corners, view: Corners) -> bool:
    return box[0] >= view[0] and box[1] >= view[1] and box[2] <= view[2] and box[3] <= view[3]


def _visible(box: Corners, view: Corners) -> bool:
    """Whether some of the box is in the view. False for one with a corner that is not a number."""
    x1, y1, x2, y2 = _sorted(box)
    return _finite(box) and x1 < view[2] and y1 < view[3] and x2 > view[0] and y2 > view[1]
