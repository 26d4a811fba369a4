"""CPU time of a training step of the light model, on one thread, with memory given back and with it kept.

    python benchmarks/freed_memory.py [--images 8] [--precision bfloat16] [--rounds 5]

Each measurement is a process of its own, in turn, as the C library cannot forget what it has kept. "given back" is its
own way.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from statistics import median

from ssd300.system.memory import OF_MALLOC, keep_freed_memory, peak_memory_bytes
from ssd300.system.torch_settings import SETTINGS

WAYS = ("given back", "kept")
WARM, STEPS = 3, 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each way")
    parser.add_argument("--images", type=int, default=8, help="images of a step")
    parser.add_argument("--precision", choices=["bfloat16", "float32"], default="bfloat16")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(measure(arguments.way, arguments.images, arguments.precision)))
        return
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    environment = {name: value for name, value in os.environ.items() if name not in OF_MALLOC}
    environment |= SETTINGS | {"OMP_NUM_THREADS": "1"}
    for _ in range(arguments.rounds):
        for way in WAYS:
            command = [sys.executable, __file__, *sys.argv[1:], "--way", way]
            printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
            found[way].append(json.loads(printed))
    print("| freed memory | s per step | of these in the system | peak memory, GB |\n|---|---|---|---|")
    for way, rows in found.items():
        cells = [in_words([row[column] for row in rows]) for column in ("step_s", "system_s", "peak_gb")]
        print(f"| {way} | {' | '.join(cells)} |")


def measure(way: str, images: int, precision: str) -> dict[str, float]:
    """CPU seconds of a step, those of them that the system took, and the peak memory in GB."""
    import torch

    from ssd300.model import ssd300_efficientnet_lite0
    from train_step import CLASSES, random_batch, train_step

    if way == "kept":
        keep_freed_memory()
    step, batch = train_step(ssd300_efficientnet_lite0(CLASSES), getattr(torch, precision)), random_batch(images)
    for _ in range(WARM):
        step(batch, 0)
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(STEPS):
        step(batch, 0)
    after = resource.getrusage(resource.RUSAGE_SELF)
    system = after.ru_stime - before.ru_stime
    both = system + after.ru_utime - before.ru_utime
    return {"step_s": both / STEPS, "system_s": system / STEPS, "peak_gb": peak_memory_bytes() / 1e9}


def in_words(values: list[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
