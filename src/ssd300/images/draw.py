"""Boxes, names and scores on a copy of an image. Lines and letters grow with the image."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from ssd300.images.colors import class_color, readable_on
from ssd300.types import Detections

Color = tuple[int, int, int]
LINE_SHARE, TEXT_SHARE = 1 / 180, 1 / 28  # of the geometric mean of the sides
MIN_TEXT_PX = 11


def draw_detections(image: UInt8[np.ndarray, "h w 3"], detections: Detections) -> Image.Image:
    """A copy of `image` with its detections (boxes in its pixels), the best on top."""
    texts = [f"{name} {score:.2f}" for name, score in zip(detections.names, detections.scores, strict=True)]
    colors = [class_color(name) for name in detections.names]
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

    A text that is empty, or too large for the image, is not drawn. `text_share` is the size of letters as a share of
    the geometric mean of the image's sides.
    """
    canvas = Image.fromarray(image).copy()
    draw = ImageDraw.Draw(canvas)
    side = float(np.sqrt(canvas.width * canvas.height))
    line = max(1, round(side * LINE_SHARE))
    font = ImageFont.load_default(size=max(MIN_TEXT_PX, round(side * text_share)))
    limits = np.array([canvas.width - 1, canvas.height - 1] * 2)
    corners = [tuple(np.clip(box, 0, limits).round().astype(int).tolist()) for box in boxes_px]
    for box, color in zip(corners, colors, strict=True):
        draw.rectangle((box[0], box[1], max(box[2], box[0]), max(box[3], box[1])), outline=color, width=line)
    for box, text, color in zip(corners, texts, colors, strict=True):
        if text:
            _draw_tag(draw, (box[0], box[1]), text, color, font, canvas.size)
    return canvas


def _draw_tag(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    text: str,
    color: Color,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    size_wh: tuple[int, int],
) -> None:
    """A filled tag with its text: above the box's upper edge or, where the image has no room there, below the edge."""
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    pad = max(1, round((bottom - top) / 5))
    width, height = round(right - left) + 2 * pad, round(bottom - top) + 2 * pad
    if width > size_wh[0] or height > size_wh[1]:
        return
    x = min(corner[0], size_wh[0] - width)
    y = corner[1] - height if corner[1] >= height else min(corner[1], size_wh[1] - height)
    draw.rectangle((x, y, x + width - 1, y + height - 1), fill=color)
    draw.text((x + pad - left, y + pad - top), text, fill=readable_on(color), font=font)
