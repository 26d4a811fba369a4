"""Resident memory of a job of detection, by its number of images and its engine.

    python benchmarks/bulk_memory.py --weights m.onnx [--images 1000 10000] [--engines local ray] [--actors 2]

The images are names of a few drawn ones, so that many take little of the disk. Memory is read four times a second; the
peak of each process counts, and Ray's own processes are added up. Memory that processes share is counted for each.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

DIFFERENT = 200  # images that the names stand for
PAUSE_S = 0.25
ACTOR = "ray::_Actor"
MIB = 1 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True)
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--engines", nargs="+", choices=["local", "ray"], default=["local", "ray"])
    parser.add_argument("--actors", type=int, default=2)
    args = parser.parse_args()
    print(f"{'engine':8}{'images':>10}{'driver MiB':>12}{'largest actor':>15}{'rest of Ray':>13}{'images/s':>10}")
    for count in args.images:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_images(root / "images", count)
            for engine in args.engines:
                command = [
                    sys.executable, "-m", "ssd300", "detect", str(root / "images"), "--weights", args.weights,
                    "--save", "parquet", "--json", "--out", str(root / engine), "--engine", engine,
                    *(["--actors", str(args.actors)] if engine == "ray" else []),
                ]  # fmt: skip
                printed, peaks = watched(command)
                figures = [peaks[name] / MIB for name in ("driver", "actor", "rest")]
                print(
                    f"{engine:8}{count:>10,}{figures[0]:>12.0f}{figures[1]:>15.0f}{figures[2]:>13.0f}"
                    f"{printed['images_per_second']:>10.0f}",
                    flush=True,
                )


def write_images(folder: Path, count: int) -> None:
    """Names of the same few files: a file system allows some ten thousand names of one."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number:07d}.jpg"
        if number < DIFFERENT:
            Image.fromarray(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)).save(path, quality=90)
        else:
            path.hardlink_to(folder / f"{number % DIFFERENT:07d}.jpg")


def watched(command: list[str]) -> tuple[dict[str, float], dict[str, int]]:
    """What the command prints, and the peaks in bytes of the driver, the largest actor and the rest together."""
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    peaks: dict[str, int] = defaultdict(int)
    while driver.poll() is None:
        rest = 0
        for process in family(driver.pid):
            try:
                used, name = process.memory_info().rss, " ".join(process.cmdline())
            except psutil.Error:
                continue
            if process.pid == driver.pid:
                peaks["driver"] = max(peaks["driver"], used)
            elif name.startswith(ACTOR):
                peaks["actor"] = max(peaks["actor"], used)
            else:
                rest += used
        peaks["rest"] = max(peaks["rest"], rest)
        time.sleep(PAUSE_S)
    printed, _ = driver.communicate()
    if driver.returncode:
        sys.exit(f"the command ended with {driver.returncode}")
    return json.loads(printed), peaks


def family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


if __name__ == "__main__":
    main()
