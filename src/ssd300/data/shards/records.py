"""An annotation as JSON, as it lies beside its image in a shard. Boxes come back as they were, bit for bit."""

import json
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from ssd300.errors import DataError
from ssd300.images.header import SUFFIXES
from ssd300.types import Annotation

OTHER_SUFFIX = ".jpg"  # for a file without an ending that is known; what it is says its content


def to_record(annotation: Annotation, size_hw: tuple[int, int]) -> bytes:
    """`boxes` are xyxy in pixels of the image as it is shown, 0-based and half-open; `labels` count from 0 into the
    classes of index.json. `file` is the name that the image had.
    """
    record = {
        "image_id": annotation.image_id,
        "file": annotation.image_path.name,
        "width": size_hw[1],
        "height": size_hw[0],
        "boxes": annotation.boxes_px.tolist(),
        "labels": annotation.labels.tolist(),
        "difficult": annotation.difficult.tolist(),
        "crowd": annotation.crowd.tolist(),
    }
    return json.dumps(record).encode()


def member_suffix(file: str) -> str:
    """The ending that an image has in a shard: that of its file, which tells other programs its format."""
    suffix = PurePath(file).suffix.lower()
    return suffix if suffix in SUFFIXES else OTHER_SUFFIX


def from_record(
    content: bytes, stem: Path, classes: int, *, where: str, read: Callable[[], bytes] | None = None
) -> Annotation:
    """The annotation of the image at `stem`, which lacks its ending, and whose content `read` gives.

    Raises DataError that names `where`.
    """
    try:
        record: dict[str, Any] = json.loads(content)
        annotation = Annotation(
            image_id=str(record["image_id"]),
            image_path=stem.with_name(stem.name + member_suffix(record["file"])),
            size_hw=(int(record["height"]), int(record["width"])),
            boxes_px=np.array(record["boxes"], dtype=np.float64).reshape(-1, 4),
            labels=np.array(record["labels"], dtype=np.int64),
            difficult=np.array(record["difficult"], dtype=bool),
            crowd=np.array(record["crowd"], dtype=bool),
            content=read,
        )
        if len(annotation) and not 0 <= annotation.labels.min() <= annotation.labels.max() < classes:
            raise ValueError(f"the label {annotation.labels.max()} is none of {classes} classes")
    except (ValueError, LookupError, TypeError) as error:
        fix = "Write the shards again with `ssd300 shard`."
        raise DataError(f"the annotation cannot be read ({error})", where=where, fix=fix) from error
    return annotation
