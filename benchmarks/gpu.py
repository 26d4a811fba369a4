"""Images/s of training on a GPU, from synthetic images and from those of a dataset.

    python benchmarks/gpu.py [--data DATA] [--models vgg16 light] [--rounds 5]

Synthetic images are in memory, so that nothing waits for files: in float32 and bfloat16, compiled by torch, and with
the gradient exchange of several processes (NCCL) in one process. With --data, `ssd300 train` is timed on that dataset,
where worker processes decode and augment images.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from alternate import alternate, table
from network import CLASSES
from ssd300.model import SSD, ssd300_efficientnet_lite0, ssd300_vgg16
from ssd300.training.distributed import ALONE, BACKENDS, World
from train_step import random_batch, train_step


class Kind(NamedTuple):
    """A model, the images of a step by its preset, and the preset."""

    make: Callable[[int], SSD]
    batch: int
    preset: str


KINDS = {"vgg16": Kind(ssd300_vgg16, 32, "paper"), "light": Kind(ssd300_efficientnet_lite0, 8, "best")}


class Joined(World):
    """One process that exchanges gradients and sums as several do."""

    def sum(self, value: Tensor) -> Tensor:
        dist.all_reduce(total := value.clone())
        return total

    def parallel(self, model: nn.Module, device: torch.device) -> nn.Module:
        return DistributedDataParallel(model, device_ids=[0] if device.type == "cuda" else None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a dataset with the split trainval")
    parser.add_argument("--only-data", action="store_true", help="no synthetic images")
    parser.add_argument("--models", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each way")
    parser.add_argument("--steps", type=int, default=20, help="in a measurement")
    parser.add_argument("--steps-of-data", type=int, default=200, help="of the run that is timed on --data")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--port", default="29591", help="of this machine, for NCCL")
    options = parser.parse_args()
    name = torch.cuda.get_device_name() if options.device == "cuda" else "CPU"
    print("device:", name, "| torch", torch.__version__, flush=True)
    if not options.only_data:
        synthetic(options)
    if options.data:
        for name in options.models:
            print(f"{name}, of {options.data.name}: {of_data(KINDS[name], options):.0f} images/s", flush=True)


def synthetic(options: argparse.Namespace) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": options.port, "RANK": "0", "WORLD_SIZE": "1"}
    dist.init_process_group(BACKENDS if options.device == "cuda" else "gloo")
    for name in options.models:
        kind = KINDS[name]
        ways = ways_of(kind, options.device, options.steps)
        times = alternate(ways, rounds=options.rounds, threads=os.cpu_count() or 1, clock=time.perf_counter)
        images = options.steps * kind.batch
        print(
            table(f"{name}, {images} synthetic images in batches of {kind.batch}", times, unit="s", clock="wall-clock")
        )
        for way, measured in times.items():
            print(f"{name}, {way}: {images / measured.median:.0f} images/s", flush=True)
    dist.destroy_process_group()


def ways_of(kind: Kind, device: str, steps: int) -> dict[str, Callable[[], object]]:
    batch = random_batch(kind.batch)

    def way(precision: torch.dtype, *, world: World = ALONE, compiled: bool = False) -> Callable[[], object]:
        step = train_step(kind.make(CLASSES), precision, device, world)
        if compiled:
            step.network = torch.compile(step.network)  # type: ignore[assignment]  # a module too
            started = time.perf_counter()
            step(batch, 0)
            print(f"compiled in {time.perf_counter() - started:.0f} s", flush=True)

        def run() -> None:
            for _ in range(steps):
                step(batch, 0)
            if device == "cuda":
                torch.cuda.synchronize()

        return run

    return {
        "float32": way(torch.float32),
        "bfloat16": way(torch.bfloat16),
        "bfloat16, torch.compile": way(torch.bfloat16, compiled=True),
        "bfloat16, NCCL with one process": way(torch.bfloat16, world=Joined()),
    }


def of_data(kind: Kind, options: argparse.Namespace) -> float:
    """Images/s of the second half of a run, so that starting does not count. No evaluation."""
    steps, workers = options.steps_of_data, max((os.cpu_count() or 1) - 2, 1)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                sys.executable, "-m", "ssd300", "train", options.data, "--split", "trainval", "--out", f"{folder}/run",
                "--preset", kind.preset, "--init", "none", "--lr", "1e-5", "--eval-every", "0",
                "--steps", str(2 * steps), "--workers", str(workers), "--log-every", str(steps),
                "--batch-size", str(kind.batch), "--device", options.device, "--yes",
            ],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        rows = list(csv.DictReader(Path(folder, "run/results.csv").read_text().splitlines()))
    return float(rows[1]["images_per_second"])


if __name__ == "__main__":
    main()
