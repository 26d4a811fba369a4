"""Several images as one, each with its caption in a band above it; and such an image taken apart again."""

import json
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import Image, ImageDraw, ImageFont

from ssd300.images.colors import label_colors
from ssd300.images.draw import draw_boxes

GAP_PX = 8
TEXT_SHARE, MIN_TEXT_PX = 1 / 25, 15  # of a tile, so that a caption can be read where the tile is as wide as a phone
BAND_SHARE = 1.6  # of the text
GRIDS = {1: 1, 2: 2, 3: 3, 4: 4, 6: 3, 8: 4, 12: 4, 16: 4}  # columns by number of tiles, so that no place is empty
PAPER, INK = (255, 255, 255), (28, 32, 36)


def draw_labels(
    image: UInt8[np.ndarray, "h w 3"],
    boxes_px: Float[np.ndarray, "n 4"],
    labels: Int[np.ndarray, " n"],
    classes: Sequence[str],
) -> Image.Image:
    """Annotated objects, drawn with the names of their classes on a copy of the image."""
    return draw_boxes(image, boxes_px, [classes[label] for label in labels], label_colors(labels.tolist()))


def full_grid(count: int) -> tuple[int, int]:
    """How many of `count` images, 1 or more, fill a grid without an empty place, and its columns."""
    shown = max(number for number in GRIDS if number <= count)
    return shown, GRIDS[shown]


def montage(images: Sequence[tuple[str, Image.Image]], *, columns: int, tile_px: int) -> Image.Image:
    """Images with captions, in rows of `columns`, each scaled so that its longer side is `tile_px`.

    A caption that is wider than its tile is cut. No images give a blank one. As a comment, which a JPEG keeps, the
    image holds where its tiles are, and their captions: for `take_apart`.
    """
    font = ImageFont.load_default(size=_text_px(tile_px))
    band = round(BAND_SHARE * _text_px(tile_px))
    tiles = [(caption, _fitted(image, tile_px)) for caption, image in images]
    rows = [tiles[first : first + columns] for first in range(0, len(tiles), columns)]
    heights = [band + max(image.height for _, image in row) for row in rows]
    width = min(columns, max(len(tiles), 1)) * (tile_px + GAP_PX) - GAP_PX
    canvas = Image.new("RGB", (width, max(sum(heights) + GAP_PX * (len(rows) - 1), 1)), PAPER)
    draw = ImageDraw.Draw(canvas)
    top = 0
    places = []
    for row, height in zip(rows, heights, strict=True):
        for column, (caption, image) in enumerate(row):
            left = column * (tile_px + GAP_PX)
            draw.text((left, top + 2), _cut(caption, font, tile_px), fill=INK, font=font)
            canvas.paste(image, (left, top + band))
            places.append((caption, (left, top + band, left + image.width, top + band + image.height)))
        top += height + GAP_PX
    canvas.info["comment"] = json.dumps(places).encode()
    return canvas


def take_apart(image: Image.Image) -> list[tuple[str, Image.Image]]:
    """The tiles of a montage, each with its caption, which is no longer in the picture.

    Any other image is one tile without a caption.
    """
    try:
        places = json.loads(image.info["comment"])
        return [(str(caption), image.crop(place)) for caption, place in places]
    except (KeyError, TypeError, ValueError):
        return [("", image)]


def _text_px(tile_px: int) -> int:
    return max(MIN_TEXT_PX, round(tile_px * TEXT_SHARE))


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
