"""The colors of classes in images and pages: by the place of a class in the list of classes."""

import hashlib
from collections.abc import Iterable, Sequence

Color = tuple[int, int, int]

# The first ones differ most, also for people who see red and green alike; each differs clearly from the one before it.
PALETTE: tuple[Color, ...] = (
    (0, 140, 255), (255, 140, 0), (0, 230, 200), (230, 0, 80), (255, 225, 25), (130, 60, 255), (0, 190, 80),
    (255, 120, 200), (170, 255, 60), (120, 215, 255), (170, 85, 30), (220, 0, 220), (65, 70, 190), (255, 165, 145),
    (150, 150, 0), (0, 140, 135), (200, 165, 255), (150, 0, 60), (180, 255, 205), (255, 60, 30),
)  # fmt: skip


def label_colors(labels: Iterable[int]) -> list[Color]:
    """RGB, 0..255, of each label (0-based). The palette begins again after its last color."""
    return [PALETTE[label % len(PALETTE)] for label in labels]


def class_colors(classes: Sequence[str]) -> dict[str, Color]:
    """The color of each class by its name, as `label_colors` gives it to its label."""
    return dict(zip(classes, label_colors(range(len(classes))), strict=True))


def class_color(name: str) -> Color:
    """A color for a name whose list of classes is not known, by a hash of it. Two names may have the same color."""
    return PALETTE[int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") % len(PALETTE)]


def readable_on(color: Color) -> Color:
    """Black or white, whichever is easier to read on the background `color` (ITU-R BT.601 luma)."""
    luma = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
    return (0, 0, 0) if luma > 120 else (255, 255, 255)
