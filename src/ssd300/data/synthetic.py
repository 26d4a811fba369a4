"""A synthetic dataset in PASCAL VOC's layout: scenes of balls, crates, stars and cones, for the demo and for tests.

A seed decides every image. Boxes fit tightly around the pixels of their objects.
"""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ssd300.data.formats.voc_xml import to_xml
from ssd300.images.encode import write_image
from ssd300.system.progress import Progress, Task, silent

SIZE_HW = (300, 400)
FINER = 3  # painted this much larger, then shrunk: smooth edges
OBJECTS = (1, 5)
EXTENT = (0.16, 0.5)  # of the shorter side
MOST_COVERED = 0.25  # of the smaller of two boxes, by the other
EMPTY_EVERY = 20  # images; one of them has no objects
MASK_LEVEL = 127

Point = tuple[float, float]
Shade = tuple[int, int, int]


def write_synthetic_dataset(root: Path, *, train: int, test: int, seed: int = 0, progress: Progress = silent) -> None:
    """Write `train` images as the split trainval, and `test` others as the split test, into the folder `root`."""
    with progress("drawing images", train + test) as task:
        _write_splits(root, {"trainval": train, "test": test}, seed, task)


def _write_splits(root: Path, counts: Mapping[str, int], seed: int, task: Task) -> None:
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for split, count in counts.items():
        ids = [f"{split}_{number:04d}" for number in range(count)]
        for number, image_id in enumerate(ids):
            random = np.random.default_rng([seed, split == "test", number])
            empty = number % EMPTY_EVERY == EMPTY_EVERY - 1
            image, objects = draw_scene(random, objects=0 if empty else int(random.integers(*OBJECTS, endpoint=True)))
            write_image(root / "JPEGImages" / f"{image_id}.jpg", image, "JPEG", quality=92)
            text = to_xml(
                f"{image_id}.jpg", SIZE_HW, ((name, tuple(map(float, box)), False, False) for name, box in objects)
            )
            (root / "Annotations" / f"{image_id}.xml").write_text(text, encoding="utf-8")
            task.advance()
        (root / "ImageSets" / "Main" / f"{split}.txt").write_text("".join(f"{i}\n" for i in ids), encoding="utf-8")


def draw_scene(
    random: np.random.Generator, *, objects: int
) -> tuple[Image.Image, list[tuple[str, tuple[int, int, int, int]]]]:
    """An image and its (name, box) pairs, boxes xyxy, 0-based half-open. Fewer objects where there is no room."""
    height, width = SIZE_HW
    image = _background(random)
    placed: list[tuple[str, tuple[int, int, int, int]]] = []
    for _ in range(objects):
        for _attempt in range(20):
            extent = random.uniform(*EXTENT) * min(SIZE_HW)
            x, y = random.uniform(0, width - extent), random.uniform(0, height - extent)
            if all(_covered((x, y, x + extent, y + extent), box) < MOST_COVERED for _, box in placed):
                name = list(SHAPES)[random.integers(len(SHAPES))]
                placed.append((name, _draw_object(image, random, name, (x, y), extent)))
                break
    return image, placed


def _background(random: np.random.Generator) -> Image.Image:
    """A dull gradient with soft patches and a few scratches, so that nothing but the objects is bright."""
    height, width = SIZE_HW
    ends = random.uniform(60, 190, (2, 1, 1, 3)) * random.uniform(0.85, 1.15, (2, 1, 1, 3))
    angle = random.uniform(0, 2 * math.pi)
    y, x = np.mgrid[0:height, 0:width]
    slope = (np.cos(angle) * x / width + np.sin(angle) * y / height + 1)[..., None] / 2
    pixels = ends[0] * (1 - slope) + ends[1] * slope
    patches = random.normal(0, 18, (5, 7, 3)).mean(axis=2, keepdims=True)
    soft = Image.fromarray(patches[..., 0].astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    pixels = pixels + np.asarray(soft)[..., None] + random.normal(0, 4, (height, width, 1))
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(3, 9))):
        x1, y1, x2, y2 = random.uniform(0, 1, 4) * [width, height, width, height]
        tone = int(random.integers(60, 200))
        draw.line((x1, y1, x2, y2), fill=(tone, tone, tone), width=int(random.integers(1, 3)))
    return image.filter(ImageFilter.GaussianBlur(0.8))


def _draw_object(
    image: Image.Image, random: np.random.Generator, name: str, corner: Point, extent: float
) -> tuple[int, int, int, int]:
    """Paint one object within the square at `corner`. Returns the box of its pixels."""
    side = math.ceil(extent) * FINER
    mask = Image.new("L", (side, side))
    radius = side / 2 - 1
    points = SHAPES[name](random)
    outline = [(side / 2 + radius * x, side / 2 + radius * y) for x, y in points]
    ImageDraw.Draw(mask).polygon(outline, fill=255)
    color = _bright(random)
    paint = Image.new("RGB", (side, side), color)
    brush = ImageDraw.Draw(paint)
    dark: Shade = (color[0] // 2, color[1] // 2, color[2] // 2)
    DETAILS[name](brush, side, dark)
    brush.line([*outline, outline[0], outline[1]], fill=dark, width=max(2, side // 18), joint="curve")
    small = (side // FINER, side // FINER)
    mask, paint = mask.resize(small, Image.Resampling.BOX), paint.resize(small, Image.Resampling.BOX)
    left, top = round(corner[0]), round(corner[1])
    image.paste(paint, (left, top), mask)
    seen = mask.point(lambda level: 255 if level > MASK_LEVEL else 0).getbbox() or (0, 0, *small)
    width, height = image.size
    return (left + seen[0], top + seen[1], min(left + seen[2], width), min(top + seen[3], height))


def _bright(random: np.random.Generator) -> Shade:
    red, green, blue = np.roll([random.integers(200, 256), random.integers(20, 200), random.integers(10, 60)],
                               random.integers(3)).tolist()  # fmt: skip
    return red, green, blue


def _round(_random: np.random.Generator) -> list[Point]:
    return [(math.cos(angle), math.sin(angle)) for angle in np.linspace(0, 2 * math.pi, 90)]


def _square(random: np.random.Generator) -> list[Point]:
    angles = random.uniform(-0.25, 0.25) + math.pi / 4 + np.arange(4) * math.pi / 2
    return [(math.cos(angle), math.sin(angle)) for angle in angles]


def _star(random: np.random.Generator) -> list[Point]:
    turn = random.uniform(0, 2 * math.pi)
    radii = [1.0 if k % 2 == 0 else 0.45 for k in range(10)]
    return [(r * math.cos(turn + k * math.pi / 5), r * math.sin(turn + k * math.pi / 5)) for k, r in enumerate(radii)]


def _cone(random: np.random.Generator) -> list[Point]:
    turn = random.uniform(-0.3, 0.3)
    corners = ((0.0, -1.0), (0.62, 0.78), (-0.62, 0.78))
    return [(x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)) for x, y in corners]


def _shine(brush: ImageDraw.ImageDraw, side: int, _dark: Shade) -> None:
    brush.ellipse((side * 0.22, side * 0.18, side * 0.48, side * 0.42), fill=(255, 255, 255))


def _planks(brush: ImageDraw.ImageDraw, side: int, dark: Shade) -> None:
    for share in (0.35, 0.5, 0.65):
        brush.line((0, side * share, side, side * share), fill=dark, width=max(2, side // 25))


def _plain(brush: ImageDraw.ImageDraw, side: int, dark: Shade) -> None:
    brush.ellipse((side * 0.42, side * 0.42, side * 0.58, side * 0.58), fill=dark)


def _stripe(brush: ImageDraw.ImageDraw, side: int, _dark: Shade) -> None:
    brush.rectangle((0, side * 0.5, side, side * 0.66), fill=(255, 255, 255))


SHAPES: dict[str, Callable[[np.random.Generator], list[Point]]] = {
    "ball": _round, "cone": _cone, "crate": _square, "star": _star,
}  # fmt: skip
DETAILS: dict[str, Callable[[ImageDraw.ImageDraw, int, Shade], None]] = {
    "ball": _shine, "cone": _stripe, "crate": _planks, "star": _plain,
}  # fmt: skip


def _covered(box: tuple[float, float, float, float], other: tuple[int, int, int, int]) -> float:
    """The share of the smaller of two boxes that the other covers."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    areas = ((box[2] - box[0]) * (box[3] - box[1]), (other[2] - other[0]) * (other[3] - other[1]))
    return max(width, 0) * max(height, 0) / max(min(areas), 1)
