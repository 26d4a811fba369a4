"""Boxes, names and scores on a copy of an image. Lines and letters grow with the image."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from ssd300.images.colors import Color, label_colors, readable_on
from ssd300.images.tags import MANY, place_tags
from ssd300.types import Detections

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
LINE_SHARE, TEXT_SHARE = 1 / 190, 1 / 36  # of the geometric mean of the sides
CROWDED = 0.75  # lines and letters of an image of many boxes, as a share of the usual ones
MIN_TEXT_PX = 12
EDGED_PX = 3  # the width of a line from which on it has an edge of the opposite brightness


def draw_detections(image: UInt8[np.ndarray, "h w 3"], detections: Detections) -> Image.Image:
    """A copy of `image` with its detections (boxes in its pixels), the best on top.

    Each box is drawn, and its name and score beside it where there is room.
    """
    texts = [f"{name} {score:.2f}" for name, score in zip(detections.names, detections.scores, strict=True)]
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
    font, height, top = _font(max(MIN_TEXT_PX, round(side * text_share)))
    pad = max(1, height // 5)
    sizes = [(round(font.getlength(text)) + 2 * pad, height + 2 * pad) if text else None for text in texts]
    corners = place_tags(boxes_px[::-1], sizes[::-1], canvas.size)[::-1]
    for corner, size, text, color in zip(corners, sizes, texts, colors, strict=True):
        if corner is not None and size is not None:
            x, y = corner
            draw.rectangle((x, y, x + size[0] - 1, y + size[1] - 1), fill=color)
            draw.text((x + pad, y + pad - top), text, fill=readable_on(color), font=font)
    return canvas


def _draw_box(draw: ImageDraw.ImageDraw, box: list[int], color: Color, line: int) -> None:
    """The outline of a box, inside of its border, with a thin edge, so that it is seen on its own color too."""
    if line >= EDGED_PX:
        edge = max(1, line // 6)
        outer = (box[0] - edge, box[1] - edge, box[2] + edge, box[3] + edge)
        draw.rectangle(outer, outline=readable_on(color), width=edge)
    draw.rectangle(tuple(box), outline=color, width=line)


@lru_cache(maxsize=32)
def _font(size: int) -> tuple[Font, int, int]:
    """A font with the height of its capitals and tails in pixels, and how far below the pen they begin."""
    font = ImageFont.load_default(size=size)
    _, top, _, bottom = font.getbbox("Hg|")
    return font, round(bottom - top), round(top)
