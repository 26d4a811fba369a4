"""Images with random objects of two classes, and detections near them and elsewhere."""

from pathlib import Path

import numpy as np

from ssd300.types import Annotation, DetectionTable

IMAGES = 12


def problem(seed):
    random = np.random.default_rng(seed)
    annotations, rows = [], []
    for image in range(IMAGES):
        low = random.integers(0, 60, (random.integers(0, 5), 2))
        boxes = np.concatenate([low, low + random.integers(8, 30, low.shape)], axis=1).astype(float)
        annotations.append(
            Annotation(
                image_id=str(image), image_path=Path(f"{image}.jpg"), size_hw=(100, 100), boxes_px=boxes,
                labels=random.integers(0, 2, len(boxes)), difficult=random.random(len(boxes)) < 0.2,
            )
        )  # fmt: skip
        for box, label in zip(boxes, annotations[-1].labels, strict=True):
            rows += [(image, label, random.random(), box + random.normal(0, 2, 4)) for _ in range(2)]
        rows.append((image, random.integers(0, 2), random.random(), np.array([1.0, 1.0, 40.0, 40.0])))
    return annotations, rows


def table(rows):
    return DetectionTable(
        image_index=np.array([row[0] for row in rows]), labels=np.array([row[1] for row in rows]),
        scores=np.array([row[2] for row in rows]), boxes_px=np.array([row[3] for row in rows]),
    )  # fmt: skip
