"""How fast a detector is on this machine: time by stage, and images a second against batch, threads and precision."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice, pairwise
from pathlib import Path
from typing import Any

from ssd300.detection.detector import is_exported, load_network
from ssd300.detection.network import Network, detect
from ssd300.images.read import read_image
from ssd300.types import Selection

STAGES = ("decode", "preprocess", "network", "select")
AS_FAST = 0.97  # of the fastest: a smaller batch, or fewer threads, that reaches this is preferred


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How detection is run. `precision` is torch's, or what an exported file was made in."""

    batch: int
    threads: int
    precision: str
    compiled: bool = False


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Wall time of decoded images to detections: the median of some rounds, and the slowest and fastest round."""

    setting: Setting
    images_per_second: float
    slowest: float
    fastest: float


def stage_ms(network: Network, images: Sequence[Path], selection: Selection) -> dict[str, float]:
    """Milliseconds of wall time of each of STAGES: the median over the images, one at a time."""
    seconds: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for path in (images[0], *images):  # the first to warm up
        marks = [time.perf_counter()]
        image = read_image(path)
        marks.append(time.perf_counter())
        prepared = network.prepare(image)
        marks.append(time.perf_counter())
        predictions = network.predict([prepared], selection)
        marks.append(time.perf_counter())
        network.select(predictions, selection)
        marks.append(time.perf_counter())
        for stage, (start, end) in zip(STAGES, pairwise(marks), strict=True):
            seconds[stage].append(end - start)
    return {stage: statistics.median(values[1:]) * 1e3 for stage, values in seconds.items()}


def throughput(
    open_network: Callable[[Setting], Network],
    settings: Sequence[Setting],
    images: Sequence[Any],
    selection: Selection,
    *,
    rounds: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Speed]:
    """Every setting once a round, in turn, so that what else the machine does meets all alike; one round to warm up.

    `images` are decoded, and taken again from the first where a batch is larger.
    """
    networks = [open_network(setting) for setting in settings]
    seconds: list[list[float]] = [[] for _ in settings]
    for number in range(rounds + 1):
        for place, (setting, network) in enumerate(zip(settings, networks, strict=True)):
            batch = list(islice(cycle(images), setting.batch))
            with torch_threads(setting.threads, network):
                start = time.perf_counter()
                detect(network, batch, selection)
                seconds[place].append((time.perf_counter() - start) / setting.batch)
            progress(number * len(settings) + place + 1, (rounds + 1) * len(settings))
    return [
        Speed(
            setting=setting,
            images_per_second=1 / statistics.median(times[1:]),
            slowest=1 / max(times[1:]),
            fastest=1 / min(times[1:]),
        )
        for setting, times in zip(settings, seconds, strict=True)
    ]


def recommended(speeds: Sequence[Speed]) -> Speed:
    """The fastest, or the one of the smallest batch and fewest threads among those that are as fast but for noise."""
    best = max(speed.images_per_second for speed in speeds)
    nearly = [speed for speed in speeds if speed.images_per_second >= AS_FAST * best]
    return min(nearly, key=lambda speed: (speed.setting.batch, speed.setting.threads))


def quickest_answer(speeds: Sequence[Speed]) -> Speed | None:
    """The fastest with a batch of 1, for one image at a time; None if none was measured."""
    single = [speed for speed in speeds if speed.setting.batch == 1]
    return max(single, key=lambda speed: speed.images_per_second) if single else None


def opener(weights: str, device: str, say: Callable[[str], None]) -> Callable[[Setting], Network]:
    """What opens the detector for a setting, once for those that share it; `say` is told how long compiling took."""
    opened: dict[tuple[Any, ...], Network] = {}

    def open_it(setting: Setting) -> Network:
        if is_exported(weights):
            key: tuple[Any, ...] = (setting.threads,)
        elif setting.compiled:
            key = (setting.precision, setting.threads, setting.batch)
        else:
            key = (setting.precision,)
        if key not in opened:
            opened[key] = _open(weights, device, setting, say)
        return opened[key]

    return open_it


def _open(weights: str, device: str, setting: Setting, say: Callable[[str], None]) -> Network:
    if is_exported(weights):
        from ssd300.runtime import load_exported

        return load_exported(Path(weights), threads=setting.threads)
    network = load_network(weights, device=device, precision=setting.precision)  # type: ignore[arg-type]  # torch's, here
    if setting.compiled:
        from ssd300.detection.torch_network import TorchNetwork

        if isinstance(network, TorchNetwork):
            with torch_threads(setting.threads, network):
                took = network.compile(setting.batch)
            say(f"compiled for batches of {setting.batch}, {setting.threads} threads, in {took:.1f} s")
    return network


@contextmanager
def torch_threads(threads: int, network: Network) -> Iterator[None]:
    """Torch's number of threads while the block runs; an exported file has its own from when it was opened."""
    from ssd300.runtime import ExportedNetwork

    if isinstance(network, ExportedNetwork):
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
