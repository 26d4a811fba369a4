"""Peak memory of training on shards, and on the files that they were written from, by the number of images.

    python benchmarks/shards_memory.py [--images 1000 10000 100000] [--steps 60] [--workers 0] [--files]

Images are small JPEG files of noise with two boxes each; no data is needed. Each training is a process of its own:
preset light, batches of 8, no held-out images. `--files` trains on the files too. Writing is timed as well.
"""

import argparse
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 64
KINDS = 200  # different images; each file is one of them
KIB = 1024
BATCH = 8


def write_data(folder: Path, images: int) -> Path:
    """COCO annotations of small files, a few contents again and again."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)
    contents = []
    for _ in range(KINDS):
        file = io.BytesIO()
        Image.fromarray(random.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)).save(file, "JPEG", quality=80)
        contents.append(file.getvalue())
    (folder / "train").mkdir()
    for number in range(images):
        (folder / f"train/{number:09}.jpg").write_bytes(contents[number % KINDS])
    corners = random.integers(0, SIDE // 2, (2 * images, 2))
    sizes = random.integers(8, SIDE // 2, (2 * images, 2))
    objects = [
        {"id": row + 1, "image_id": row // 2 + 1, "category_id": row % 3 + 1, "iscrowd": 0,
         "bbox": [*corner, *size], "area": size[0] * size[1]}
        for row, (corner, size) in enumerate(zip(corners.tolist(), sizes.tolist(), strict=True))
    ]  # fmt: skip
    content = {
        "images": [
            {"id": number + 1, "file_name": f"{number:09}.jpg", "width": SIDE, "height": SIDE}
            for number in range(images)
        ],
        "annotations": objects,
        "categories": [{"id": label, "name": f"class {label}"} for label in (1, 2, 3)],
    }
    (folder / "annotations").mkdir()
    (folder / "annotations/instances_train.json").write_text(json.dumps(content))
    return folder


def train(data: Path, out: Path, steps: int, workers: int) -> None:
    """One training in this process; its peak memory in bytes is printed."""
    from ssd300.data import load_dataset
    from ssd300.training.loop import train as run
    from ssd300.training.presets import PRESETS

    options = {"init": "none", "workers": workers, "batch_size": BATCH, "steps": steps, "amp": "off", "image_size": 128}
    started = time.perf_counter()
    dataset = load_dataset(data)
    loaded = time.perf_counter() - started
    run(dataset, PRESETS["light"](out, **options), verbose=False)
    peaks = [resource.getrusage(who).ru_maxrss * KIB for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps({"bytes": peaks[0], "child_bytes": peaks[1], "load_s": loaded}))


def measured(data: Path, out: Path, steps: int, workers: int) -> dict:
    words = [sys.executable, __file__, "--one", str(data), str(out), str(steps), str(workers)]
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--files", action="store_true")
    parser.add_argument("--size", default="16MB")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        data, out, steps, workers = options.one
        train(Path(data), Path(out), int(steps), int(workers))
        return
    for images in options.images:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            data = write_data(root / "data", images)
            words = ["shard", str(data), "--out", str(root / "shards"), "--size", options.size]
            started = time.perf_counter()
            subprocess.run([sys.executable, "-m", "ssd300", *words], check=True, capture_output=True)
            wrote = time.perf_counter() - started
            index = (root / "shards/index.json").stat().st_size
            print(f"{images:,} images: written in {wrote:.1f} s, index.json {index:,} bytes", flush=True)
            for what, place in [("shards", root / "shards"), *([("files", data)] if options.files else [])]:
                found = measured(place, root / f"run-{what}", options.steps, options.workers)
                child = f", of a worker {found['child_bytes'] / 1e6:.0f} MB" if options.workers else ""
                print(
                    f"  {what}: peak {found['bytes'] / 1e6:.0f} MB{child}, read in {found['load_s']:.2f} s", flush=True
                )


if __name__ == "__main__":
    main()
