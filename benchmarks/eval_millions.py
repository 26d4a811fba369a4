"""Time and peak memory of `ssd300 eval --predictions` on millions of detections in Parquet.

    python benchmarks/eval_millions.py [--millions 1 3 10] [--images 50000] [--metrics voc07 voc12] [--held]

Boxes are random; no data is needed. The number of images is the same for all, so that memory grows with detections or
not at all: the annotations are in memory. Each evaluation is a process of its own, which tells its own peak.
`--held` measures the table in memory too, and compares the mAP.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

CLASSES = 20
OBJECTS_PER_IMAGE = 3
IMAGE_SIDE = 500
FOUND = 0.9  # part of the objects that have a detection near them
ROWS_PER_PART = 5_000
FLOAT_BITS = np.float32  # of a network's numbers, which detections store as float64


def random_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    size = rng.integers(16, 300, (count, 2))
    corner = np.floor(rng.random((count, 2)) * (IMAGE_SIDE - size))
    return np.concatenate([corner, corner + size], axis=1)


def write_data(path: Path, images: int) -> tuple[np.ndarray, np.ndarray]:
    """COCO annotations; returns the boxes and labels of the objects, so many per image."""
    rng = np.random.default_rng(0)
    boxes, labels = random_boxes(rng, images * OBJECTS_PER_IMAGE), rng.integers(0, CLASSES, images * OBJECTS_PER_IMAGE)
    objects = [
        {"id": number + 1, "image_id": number // OBJECTS_PER_IMAGE, "category_id": int(label), "iscrowd": 0,
         "bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
        for number, ((x1, y1, x2, y2), label) in enumerate(zip(boxes.tolist(), labels, strict=True))
    ]  # fmt: skip
    side = {"width": IMAGE_SIDE, "height": IMAGE_SIDE}
    content = {
        "images": [{"id": index, "file_name": f"{index:08}.jpg"} | side for index in range(images)],
        "categories": [{"id": label, "name": f"class {label}"} for label in range(CLASSES)],
        "annotations": objects,
    }
    path.write_text(json.dumps(content))
    return boxes, labels


def write_parts(folder: Path, images: int, per_image: int, truth: tuple[np.ndarray, np.ndarray]) -> None:
    """Parts as detection in bulk writes them: a row per image, the best score first."""
    folder.mkdir()
    rng, names = np.random.default_rng(1), pa.array([f"class {label}" for label in range(CLASSES)])
    for number, start in enumerate(range(0, images, ROWS_PER_PART)):
        rows = min(ROWS_PER_PART, images - start)
        boxes = random_boxes(rng, rows * per_image).reshape(rows, per_image, 4)
        labels = rng.integers(0, CLASSES, (rows, per_image))
        scores = 0.01 + 0.99 * rng.beta(0.3, 8, (rows, per_image))
        near = slice(start * OBJECTS_PER_IMAGE, (start + rows) * OBJECTS_PER_IMAGE)
        found = rng.random((rows, OBJECTS_PER_IMAGE)) < FOUND
        true = truth[0][near].reshape(rows, -1, 4) + rng.normal(0, 8, (rows, OBJECTS_PER_IMAGE, 4))
        boxes[:, :OBJECTS_PER_IMAGE][found] = true[found]
        labels[:, :OBJECTS_PER_IMAGE][found] = truth[1][near].reshape(rows, -1)[found]
        scores[:, :OBJECTS_PER_IMAGE][found] = rng.beta(3, 1.5, int(found.sum()))
        boxes, scores = boxes.astype(FLOAT_BITS).astype(float), scores.astype(FLOAT_BITS).astype(float)
        order = np.argsort(-scores, axis=1, kind="stable")
        flat = (np.take_along_axis(scores, order, 1).ravel(), np.take_along_axis(labels, order, 1).ravel())
        corners = np.take_along_axis(boxes, order[:, :, None], 1).reshape(-1, 4)
        box = pa.StructArray.from_arrays(
            [pa.array(side) for side in corners.T.copy()], ["xmin", "ymin", "xmax", "ymax"]
        )
        found_ones = pa.StructArray.from_arrays(
            [names.take(pa.array(flat[1])), pa.array(flat[1].astype(np.int32)), pa.array(flat[0]), box],
            ["label", "label_id", "score", "box"],
        )
        lists = pa.ListArray.from_arrays(
            pa.array(np.arange(0, len(flat[0]) + 1, per_image, dtype=np.int32)), found_ones
        )
        sides = pa.array(np.full(rows, IMAGE_SIDE, dtype=np.int32))
        columns = {
            "id": pa.array([f"photos/{index:08}.jpg" for index in range(start, start + rows)]),
            "width": sides, "height": sides, "detections": lists,
            "error": pa.nulls(rows, pa.string()), "seconds": pa.array(np.full(rows, 0.03)),
        }  # fmt: skip
        parquet.write_table(pa.table(columns), folder / f"part-{number:05}.parquet", row_group_size=256)


PEAK = (
    "import json, sys, time; from pathlib import Path\n"
    "from ssd300.data import load_dataset\n"
    "from ssd300.evaluation.stored import evaluate_stored\n"
    "from ssd300.system.memory import peak_memory_bytes\n"
    "data, parts, hold, metrics = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == 'held', sys.argv[4:]\n"
    "dataset = load_dataset(data, purpose='test', require_images=False)\n"
    "before, start, cpu = peak_memory_bytes(), time.perf_counter(), time.process_time()\n"
    "report = evaluate_stored(parts, dataset, metrics=metrics, hold=hold)\n"
    "took, cpu = time.perf_counter() - start, time.process_time() - cpu\n"
    "print(json.dumps([took, cpu, before, peak_memory_bytes(), [s.map for s in report.scores], report.held is None]))\n"
)


def measure(
    data: Path, parts: Path, way: str, metrics: list[str]
) -> tuple[float, float, float, float, list[float], bool]:
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(data), str(parts), way, *metrics], capture_output=True, text=True, check=True
    )
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 3, 10], help="millions of detections")
    parser.add_argument("--images", type=int, default=50_000, help="annotated images")
    parser.add_argument("--metrics", nargs="+", default=["voc07", "voc12"], choices=["voc07", "voc12", "coco"])
    parser.add_argument("--held", action="store_true", help="measure the table in memory too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = write_data(folder / "test.json", options.images)
        objects, metrics = options.images * OBJECTS_PER_IMAGE, " and ".join(options.metrics)
        print(f"{options.images:,} images, {objects:,} objects, {metrics}\n")
        columns = (
            "detections | Parquet | way | seconds | on a processor | µs per detection | memory before | peak | mAP"
        )
        print(f"| {columns} |")
        print("|---|---|---|---|---|---|---|---|---|")
        for million in options.millions:
            per_image = max(round(million * 1e6 / options.images), OBJECTS_PER_IMAGE)
            parts = folder / f"{million:g}"
            write_parts(parts, options.images, per_image, truth)
            size = sum(file.stat().st_size for file in parts.iterdir())
            count, maps = per_image * options.images, []
            for way in ("blocks", *(["held"] if options.held else [])):
                took, cpu, before, peak, found, in_blocks = measure(folder / "test.json", parts, way, options.metrics)
                maps.append(found)
                each = f"{cpu / count * 1e6:.1f}"  # on a processor, as other work may share the machine
                print(
                    f"| {count:,} | {size / 1e6:.0f} MB | {'blocks' if in_blocks else 'table'} | {took:.1f} | "
                    f"{cpu:.1f} | {each} | {before / 1e6:.0f} MB | {peak / 1e6:.0f} MB | {found[0]:.6f} |",
                    flush=True,
                )
            assert np.ptp(maps, axis=0).max() < 1e-12, f"the ways differ: {maps}"
            for file in parts.iterdir():
                file.unlink()


if __name__ == "__main__":
    main()
