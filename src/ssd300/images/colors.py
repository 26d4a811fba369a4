"""The color of a class in images and pages, from its name alone: the same in each process and for each dataset."""

import colorsys
import hashlib

HUES, LIGHTNESSES, SATURATION = 24, (0.45, 0.6), 0.85


def class_color(name: str) -> tuple[int, int, int]:
    """RGB, 0..255, chosen by a hash of the name among saturated colors. Two names may have the same color."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    hue = number % HUES / HUES
    lightness = LIGHTNESSES[number // HUES % len(LIGHTNESSES)]
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, SATURATION)
    return round(red * 255), round(green * 255), round(blue * 255)


def readable_on(color: tuple[int, int, int]) -> tuple[int, int, int]:
    """Black or white, whichever is easier to read on the background `color` (ITU-R BT.601 luma)."""
    luma = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
    return (0, 0, 0) if luma > 140 else (255, 255, 255)
