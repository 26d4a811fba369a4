"""A job of detection on Ray whose processes are killed at random moments; its rows against those of the local engine.

    python benchmarks/bulk_kill.py [--images 10000] [--kills 20] [--seed 0] [--actors 2]

Images are drawn, one in a hundred is broken, and the weights are random, exported to ONNX at 64 px: no data is needed.
Actors and the driver get SIGKILL; after a kill of the driver the same command is started again. What a killed driver
leaves running is ended by process id. The exit code is 1 if a count or a row is not as it must be.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image
from pyarrow import parquet

from ssd300.model import ssd300_efficientnet_lite0
from ssd300.model.shapes import SHAPES
from ssd300.weights import Card, save_weights

NAME = "ssd300_efficientnet_lite0"
SIDE_PX = 64  # of the network's input
BROKEN_EVERY = 100
CHUNK_IMAGES = 50
DRIVERS = 0.4  # part of the kills that hit the driver
LONGEST_DELAY_S = 3.0  # between a moment of the job's progress and its kill
IMAGES_SPARED = 0.1  # the last part of the job, so that all kills come before its end
ACTOR = "ray::_Actor"
POLL_S = 0.05


@dataclass(frozen=True)
class Kill:
    """When so many parts are there, and after a delay, the process is killed."""

    parts: int
    delay_s: float
    driver: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--actors", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_images(root / "images", args.images)
        weights = export_weights(root)
        command = [
            sys.executable, "-m", "ssd300", "detect", str(root / "images"), "--weights", str(weights),
            "--save", "parquet", "--chunk-images", str(CHUNK_IMAGES), "--json",
        ]  # fmt: skip
        started = time.monotonic()
        subprocess.run([*command, "--out", str(root / "local")], check=True, capture_output=True)
        local_s = time.monotonic() - started
        ray = [*command, "--out", str(root / "ray"), "--engine", "ray", "--actors", str(args.actors)]
        kills = moments(random.Random(args.seed), args.kills, args.images // CHUNK_IMAGES)
        started = time.monotonic()
        counts, starts, hit = finished(ray, kills, root / "ray")
        seconds = time.monotonic() - started
        different = differences(rows_of(root / "local"), rows_of(root / "ray"))
    table = {
        "images": args.images,
        "kills of an actor / of the driver": f"{hit['actor']} / {hit['driver']}",
        "starts": starts,
        **{f"{name} at the end": counts[name] for name in ("planned", "rows", "missing", "twice", "errors")},
        "rows that differ from the local engine's": different,
        "seconds: local engine / Ray with the kills": f"{local_s:.0f} / {seconds:.0f}",
    }
    for name, value in table.items():
        print(f"{name:46}{value:>14}" if isinstance(value, str) else f"{name:46}{value:>14,}")
    right = (args.images, args.images, 0, 0, len(range(0, args.images, BROKEN_EVERY)))
    is_right = right == tuple(counts[name] for name in ("planned", "rows", "missing", "twice", "errors"))
    sys.exit(0 if is_right and not different else 1)


def write_images(folder: Path, count: int) -> None:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number:06d}.jpg"
        if number % BROKEN_EVERY:
            Image.fromarray(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)).save(path, quality=90)
        else:
            path.write_bytes(b"no image")


def export_weights(root: Path) -> Path:
    torch.manual_seed(0)
    model = ssd300_efficientnet_lite0(2, settings=SHAPES[NAME].default_boxes("paper", SIDE_PX))
    card = Card(model=NAME, classes=("a", "b"), settings=model.settings, normalization=model.normalization)
    save_weights(root / "w.safetensors", model, card)
    weights = root / "w.onnx"
    export = [sys.executable, "-m", "ssd300", "export", "--weights", str(root / "w.safetensors"), "--out", str(weights)]
    subprocess.run(export, check=True, capture_output=True)
    return weights


def moments(chance: random.Random, count: int, parts: int) -> list[Kill]:
    """Kills at random progress, in its order."""
    last = int(parts * (1 - IMAGES_SPARED))
    places = sorted(chance.randrange(last) for _ in range(count))
    return [Kill(place, chance.uniform(0, LONGEST_DELAY_S), chance.random() < DRIVERS) for place in places]


def finished(command: list[str], kills: list[Kill], out: Path) -> tuple[dict[str, int], int, Counter[str]]:
    """Start the command until it ends by itself. Returns the counts that it prints, its starts, and the kills."""
    left, starts, hit = list(kills), 0, Counter[str]()
    while True:
        starts += 1
        driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        seen: dict[int, psutil.Process] = {}
        while left and driver.poll() is None:
            if parts_of(out) < left[0].parts:
                seen |= {one.pid: one for one in below(driver.pid)}
                time.sleep(POLL_S)
                continue
            time.sleep(left[0].delay_s)
            if left[0].driver:
                seen |= {one.pid: one for one in below(driver.pid)}
                driver.kill()
                if driver.wait() == -signal.SIGKILL:  # else it has just ended by itself
                    left.pop(0)
                    hit["driver"] += 1
            elif actors := [one for one in below(driver.pid) if name_of(one).startswith(ACTOR)]:
                left.pop(0)
                random.Random(len(left)).choice(actors).kill()
                hit["actor"] += 1
        printed, said = driver.communicate()
        end(seen.values())
        if driver.returncode != -signal.SIGKILL:
            if driver.returncode:
                sys.exit(f"the command ended with {driver.returncode}: {said}")
            return json.loads(printed), starts, hit


def parts_of(out: Path) -> int:
    return len(list((out / "parts").glob("*.parquet")))


def below(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def name_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def end(processes: Iterable[psutil.Process]) -> None:
    """End what is left. psutil refuses a process that has another one's number."""
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def rows_of(out: Path) -> dict[str, dict]:
    parts = sorted((out / "parts").glob("*.parquet"))
    return {row["id"]: row | {"seconds": None} for part in parts for row in parquet.read_table(part).to_pylist()}


def differences(ours: dict[str, dict], theirs: dict[str, dict]) -> int:
    return sum(ours.get(name) != theirs.get(name) for name in ours.keys() | theirs.keys())


if __name__ == "__main__":
    main()
