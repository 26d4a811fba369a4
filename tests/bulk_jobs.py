"""Small images for jobs, and the rows that a job wrote."""

import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
from PIL import Image

from ssd300.types import Selection

SELECTION = Selection(min_score=0.2, max_overlap=0.5, top_k=200)


def jpeg(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()


def write_images(folder: Path, count: int, *, first: int = 0, broken: tuple[int, ...] = ()) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        content = b"no image" if number in broken else jpeg(number)
        (folder / f"{number:05d}.jpg").write_bytes(content)
    return folder


def rows_of(out: Path) -> list[dict]:
    """All rows of the parts, in the order of the plan."""
    return [row for part in sorted((out / "parts").glob("*.parquet")) for row in parquet.read_table(part).to_pylist()]


def without_seconds(rows: list[dict]) -> list[dict]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]
