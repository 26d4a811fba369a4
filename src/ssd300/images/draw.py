"""Boxes, names and scores on a copy of an image. Lines and letters grow with the image."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from ssd300.images.colors import Color, label_colors, readable_on
from ssd300.images.fonts import Run, drawable, own_font, runs
from ssd300.images.tags import MANY, place_tags
from ssd300.types import Detections

LINE_SHARE, TEXT_SHARE = 1 / 190, 1 / 36  # of the geometric mean of the sides
CROWDED = 0.75  # lines and letters of an image of many boxes, as a share of the usual ones
MIN_TEXT_PX = 12
EDGED_PX = 3  # the width of a line from which on it has an edge of the opposite brightness


def draw_detections(image: UInt8[np.ndarray, "h w 3"], detections: Detections) -> Image.Image:
    """A copy of `image` with its detections (boxes in its pixels), the best on top.

    Each box is drawn, and its caption beside it where there is room. A name for which there is no font
    (`fonts.undrawable`) becomes the number of its class, from 0.
    """
    names = [drawable(name, f"class {label}") for name, label in zip(detections.names, detections.labels, strict=True)]
    texts = detections.captions(names)
    colors = label_colors(detections.labels.tolist())
    return draw_boxes(image, detections.boxes[::-1], texts[::-1], colors[::-1])


def draw_boxes(
    image: UInt8[np.ndarray, "h w 3"],
    boxes_px: Float[np.ndarray, "n 4"],
    texts: Sequence[str],
    colors: Sequence[Color],
    *,
    text_share: float = TEXT_SHARE,
) -> Image.Image:
    """A copy of `image` with boxes (xyxy, in its pixels, cut at its border) in this order, then their texts.

    A text that is empty, or without room (see `place_tags`), is not drawn; the last box chooses first. `text_share` is
    the size of letters as a share of the geometric mean of the image's sides.
    """
    canvas = Image.fromarray(image)  # copies the pixels
    draw = ImageDraw.Draw(canvas)
    side = float(np.sqrt(canvas.width * canvas.height)) * (CROWDED if len(boxes_px) > MANY else 1)
    limits = np.array([canvas.width - 1, canvas.height - 1] * 2)
    boxes_px = np.clip(boxes_px, 0, limits).round()
    boxes_px[:, 2:] = np.maximum(boxes_px[:, :2], boxes_px[:, 2:])
    line = max(1, round(side * LINE_SHARE))
    for box, color in zip(boxes_px.astype(int).tolist(), colors, strict=True):
        _draw_box(draw, box, color, line)
    letters_px = max(MIN_TEXT_PX, round(side * text_share))
    height, top, base = _heights(letters_px)
    pad = max(1, height // 5)
    pieces = [runs(text, letters_px) for text in texts]
    widths = [[run.font.getlength(run.text) for run in row] for row in pieces]
    sizes = [(round(sum(row)) + 2 * pad, height + 2 * pad) if any(row) else None for row in widths]
    corners = place_tags(boxes_px[::-1], sizes[::-1], canvas.size)[::-1]
    for corner, size, row, advances, color in zip(corners, sizes, pieces, widths, colors, strict=True):
        if corner is not None and size is not None:
            x, y = corner
            draw.rectangle((x, y, x + size[0] - 1, y + size[1] - 1), fill=color)
            _draw_runs(draw, (x + pad, y + pad - top), base, row, advances, readable_on(color))
    return canvas


def draw_dashes(
    draw: ImageDraw.ImageDraw, box: Sequence[float], size_wh: tuple[int, int], color: Color, *, width: int, dash_px: int
) -> None:
    """Dashes along the border of a box (xyxy, in pixels of the image of `size_wh`, cut at its border)."""
    left, right = (min(max(round(corner), 0), size_wh[0] - 1) for corner in (box[0], box[2]))
    top, bottom = (min(max(round(corner), 0), size_wh[1] - 1) for corner in (box[1], box[3]))
    for x in range(left, right, 2 * dash_px):
        for y in (top, bottom):
            draw.line((x, y, min(x + dash_px, right), y), fill=color, width=width)
    for y in range(top, bottom, 2 * dash_px):
        for x in (left, right):
            draw.line((x, y, x, min(y + dash_px, bottom)), fill=color, width=width)


def _draw_runs(
    draw: ImageDraw.ImageDraw, pen: tuple[int, int], base: int, row: list[Run], advances: list[float], color: Color
) -> None:
    """The pieces of a text side by side, all on the base line of the first font, `base` below the pen."""
    x, y = float(pen[0]), pen[1]
    for run, advance in zip(row, advances, strict=True):
        if len(row) == 1 and run.text.isascii():
            draw.text((x, y), run.text, fill=color, font=run.font)
        else:
            draw.text((x, y + base), run.text, fill=color, font=run.font, anchor="ls")
        x += advance


def _draw_box(draw: ImageDraw.ImageDraw, box: list[int], color: Color, line: int) -> None:
    """The outline of a box, inside of its border, with a thin edge, so that it is seen on its own color too."""
    if line >= EDGED_PX:
        edge = max(1, line // 6)
        outer = (box[0] - edge, box[1] - edge, box[2] + edge, box[3] + edge)
        draw.rectangle(outer, outline=readable_on(color), width=edge)
    draw.rectangle(tuple(box), outline=color, width=line)


@lru_cache(maxsize=32)
def _heights(size: int) -> tuple[int, int, int]:
    """Of the usual font in pixels: the height of capitals and tails, how far below the pen they begin, and how far the
    base line is.
    """
    font = own_font(size)
    _, top, _, bottom = font.getbbox("Hg|")
    base = font.getmetrics()[0] if isinstance(font, ImageFont.FreeTypeFont) else bottom
    return round(bottom - top), round(top), round(base)
