"""CPU time of the VOC metric at the size of VOC2007 test, compared with the usual loop over detections.

    python benchmarks/voc_metric.py [--rounds 5]

Boxes are random; no data is needed. The loop is that of py-faster-rcnn's voc_eval, with numpy inside and the
development kit's IoU >= 0.5. Rounds alternate in one process, as machines are noisy: read the ratio, not the times.
"""

import argparse
from pathlib import Path

import numpy as np

from alternate import alternate, table
from ssd300.metrics.voc import mean_ap, voc_average_precision
from ssd300.types import Annotation, DetectionTable

IMAGES, CLASSES, PER_IMAGE = 4_952, 20, 200  # VOC2007 test; SSD returns 200 detections per image
COUNTABLE, DIFFICULT = 12_032, 2_944  # VOC2007 test: 14,976 objects
IMAGE_SIDE = 500
FOUND = 0.9  # part of the objects that have a detection near them


def problem(seed: int = 0) -> tuple[list[Annotation], DetectionTable]:
    """Random objects; for most of them a detection nearby with a high score; other detections with low scores."""
    rng = np.random.default_rng(seed)
    objects = COUNTABLE + DIFFICULT
    image = np.sort(np.concatenate([np.arange(IMAGES), rng.integers(0, IMAGES, objects - IMAGES)]))
    boxes = random_boxes(rng, objects)
    kinds = rng.integers(0, CLASSES, (IMAGES, 2))  # an image has one class or two
    labels = kinds[image, rng.integers(0, 2, objects)]
    difficult = rng.permutation(objects) < DIFFICULT
    annotations = [
        Annotation(
            image_id=f"{index:06}",
            image_path=Path(f"{index:06}.jpg"),
            size_hw=(IMAGE_SIDE, IMAGE_SIDE),
            boxes_px=boxes[rows],
            labels=labels[rows],
            difficult=difficult[rows],
        )
        for index, rows in enumerate(np.split(np.arange(objects), np.searchsorted(image, np.arange(1, IMAGES))))
    ]
    rows = IMAGES * PER_IMAGE
    found = np.flatnonzero(rng.random(objects) < FOUND)
    noise = rows - len(found)
    jittered = boxes[found] + np.round(rng.normal(0, 8, (len(found), 4)))
    table = DetectionTable(
        image_index=np.concatenate([image[found], rng.integers(0, IMAGES, noise)]),
        labels=np.concatenate([labels[found], rng.integers(0, CLASSES, noise)]),
        scores=np.concatenate([rng.beta(3, 1.5, len(found)), 0.01 + 0.99 * rng.beta(0.3, 8, noise)]),
        boxes_px=np.concatenate([jittered, random_boxes(rng, noise)]),
    )
    order = np.lexsort((-table.scores, table.image_index))  # as in an evaluation: image by image
    return annotations, table.select(order)


def random_boxes(rng: np.random.Generator, n: int) -> np.ndarray:
    size = rng.integers(16, 300, (n, 2))
    corner = np.floor(rng.random((n, 2)) * (IMAGE_SIDE - size))
    return np.concatenate([corner, corner + size], axis=1)


def loop(annotations: list[Annotation], table: DetectionTable) -> list[float]:
    """11-point AP per class, one detection after another."""
    aps = []
    for label in range(CLASSES):
        truth = {}
        for index, annotation in enumerate(annotations):
            mine = annotation.labels == label
            boxes = annotation.boxes_px[mine] + (1, 1, 0, 0)
            truth[index] = (boxes, annotation.difficult[mine], [False] * len(boxes))
        objects = sum(int((~difficult).sum()) for _, difficult, _ in truth.values())
        rows = np.flatnonzero(table.labels == label)
        rows = rows[np.argsort(-table.scores[rows], kind="stable")]
        boxes, images = table.boxes_px[rows] + (1, 1, 0, 0), table.image_index[rows].tolist()
        tp, fp = np.zeros(len(rows)), np.zeros(len(rows))
        for row, index in enumerate(images):
            gt, difficult, taken = truth[index]
            overlap = -np.inf
            if len(gt):
                box = boxes[row]
                width = np.maximum(np.minimum(gt[:, 2], box[2]) - np.maximum(gt[:, 0], box[0]) + 1, 0)
                height = np.maximum(np.minimum(gt[:, 3], box[3]) - np.maximum(gt[:, 1], box[1]) + 1, 0)
                shared = width * height
                area = (box[2] - box[0] + 1) * (box[3] - box[1] + 1)
                overlaps = shared / (area + (gt[:, 2] - gt[:, 0] + 1) * (gt[:, 3] - gt[:, 1] + 1) - shared)
                nearest = int(np.argmax(overlaps))
                overlap = overlaps[nearest]
            if overlap < 0.5:
                fp[row] = 1
            elif not difficult[nearest]:
                (fp if taken[nearest] else tp)[row] = 1
                taken[nearest] = True
        tp, fp = np.cumsum(tp), np.cumsum(fp)
        precision = tp / np.maximum(tp + fp, 1)
        at = [precision[10 * tp >= k * objects] for k in range(11)]
        aps.append(sum(part.max() if len(part) else 0.0 for part in at) / 11)
    return aps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each way")
    rounds = parser.parse_args().rounds
    annotations, table_ = problem()
    results = voc_average_precision(annotations, table_, CLASSES)
    difference = max(abs(float(a.ap or 0) - b) for a, b in zip(results, loop(annotations, table_), strict=True))
    assert difference < 1e-9, f"AP differs by {difference}"

    print(
        f"{len(annotations):,} images, {len(table_):,} detections, "
        f"{sum(result.objects for result in results):,} countable objects"
    )
    print(f"mAP {mean_ap(results):.4f}; largest difference of an AP {difference:.1e}\n")
    ways = {
        "numpy, one detection after another": lambda: loop(annotations, table_),
        "ours": lambda: voc_average_precision(annotations, table_, CLASSES),
    }
    print(table("VOC07 metric", alternate(ways, rounds=rounds), unit="s"))


if __name__ == "__main__":
    main()
