"""Several images as one, each with its caption in a band above it."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image, ImageDraw, ImageFont

from ssd300.images.colors import label_colors
from ssd300.images.draw import draw_boxes

GAP_PX, BAND_PX, TEXT_PX = 8, 24, 15
PAPER, INK = (255, 255, 255), (28, 32, 36)


def draw_labels(
    image: UInt8[np.ndarray, "h w 3"],
    boxes_px: Float[np.ndarray, "n 4"],
    labels: Int[np.ndarray, " n"],
    classes: Sequence[str],
) -> Image.Image:
    """Annotated objects, drawn with the names of their classes on a copy of the image."""
    return draw_boxes(image, boxes_px, [classes[label] for label in labels], label_colors(labels.tolist()))


def montage(images: Sequence[tuple[str, Image.Image]], *, columns: int, tile_px: int) -> Image.Image:
    """Images with captions, in rows of `columns`, each scaled so that its longer side is `tile_px`.

    A caption that is wider than its tile is cut. No images give a blank one.
    """
    font = ImageFont.load_default(size=TEXT_PX)
    tiles = [(caption, _fitted(image, tile_px)) for caption, image in images]
    rows = [tiles[first : first + columns] for first in range(0, len(tiles), columns)]
    heights = [BAND_PX + max(image.height for _, image in row) for row in rows]
    width = min(columns, max(len(tiles), 1)) * (tile_px + GAP_PX) - GAP_PX
    canvas = Image.new("RGB", (width, max(sum(heights) + GAP_PX * (len(rows) - 1), 1)), PAPER)
    draw = ImageDraw.Draw(canvas)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        for column, (caption, image) in enumerate(row):
            left = column * (tile_px + GAP_PX)
            draw.text((left, top + 2), _cut(caption, font, tile_px), fill=INK, font=font)
            canvas.paste(image, (left, top + BAND_PX))
        top += height + GAP_PX
    return canvas


def _fitted(image: Image.Image, tile_px: int) -> Image.Image:
    scale = tile_px / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _cut(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width_px: int) -> str:
    text = " ".join(text.split())
    if font.getlength(text) <= width_px:
        return text
    while text and font.getlength(text + "…") > width_px:
        text = text[:-1]
    return text + "…"
