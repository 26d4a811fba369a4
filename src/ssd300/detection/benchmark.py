"""The speed of a detector on this machine: time per stage, and images/s by batch size, threads and precision."""

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from itertools import cycle, islice, pairwise
from pathlib import Path
from typing import Any

from ssd300.detection.backends import backend_for
from ssd300.detection.network import Network, detect_batch, prepare
from ssd300.images.read import read_image
from ssd300.system.memory import peak_memory_bytes
from ssd300.system.processors import processors
from ssd300.system.wording import plural
from ssd300.types import Selection

STAGES = ("decode", "preprocess", "network", "select")
Progress = Callable[[int, int], None]  # takes how many timings are done, and how many there are
AS_FAST = 0.97  # of the fastest speed: a smaller batch, or fewer threads, with at least this speed is preferred


@dataclass(frozen=True, kw_only=True)
class Setting:
    """How detection is run. `precision` is torch's, or that of an exported file."""

    batch: int
    threads: int
    precision: str
    compiled: bool = False


@dataclass(frozen=True, kw_only=True)
class Speed:
    """From decoded images to detections, in images/s: the median of the rounds, the slowest and the fastest round."""

    setting: Setting
    images_per_second: float
    slowest: float
    fastest: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self.setting) | {
            "images_per_second": self.images_per_second,
            "ms_per_image": 1e3 / self.images_per_second,
            "slowest": self.slowest,
            "fastest": self.fastest,
        }


@dataclass(frozen=True, kw_only=True)
class SpeedReport:
    """What `measure` found. `stages_ms` are for one image at a time, run with `stages_setting`."""

    weights: str
    device: str
    images: int
    stages_ms: dict[str, float]
    stages_setting: Setting
    speeds: Sequence[Speed]
    peak_memory_bytes: int

    @property
    def recommended(self) -> Speed:
        return recommended(self.speeds)

    @property
    def quickest_answer(self) -> Speed | None:
        return quickest_answer(self.speeds)

    def to_dict(self) -> dict[str, Any]:
        quickest = self.quickest_answer
        return {
            "weights": self.weights,
            "device": self.device,
            "images": self.images,
            "stages_ms": self.stages_ms,
            "stages_setting": asdict(self.stages_setting),
            "throughput": [speed.to_dict() for speed in self.speeds],
            "peak_memory_bytes": self.peak_memory_bytes,
            "recommended": self.recommended.to_dict(),
            "quickest_answer": None if quickest is None else quickest.to_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The settings to time: all combinations. Empty `threads` are one and all; empty `precisions` the backend's.

    With `compiled` each batch size is also timed with torch.compile, but only with the most threads: each setting is
    compiled, which takes long.
    """

    batch_sizes: Sequence[int]
    threads: Sequence[int] = ()
    precisions: Sequence[str] = ()
    compiled: bool = False

    def settings(self, usual_precisions: Sequence[str]) -> list[Setting]:
        threads = sorted(set(self.threads or (1, processors())))
        return [
            Setting(batch=batch, threads=count, precision=precision, compiled=compiled)
            for precision in self.precisions or usual_precisions
            for compiled in ((False, True) if self.compiled else (False,))
            for count in (threads[-1:] if compiled else threads)
            for batch in self.batch_sizes
        ]


def measure(
    networks: "Networks",
    paths: Sequence[Path],
    grid: Grid,
    selection: Selection,
    *,
    rounds: int,
    progress: Progress,
) -> SpeedReport:
    """Time each stage on the images at `paths`, one at a time, then every setting of the grid.

    Raises:
        DataError: an image cannot be read.
        WeightsError, UsageError: as of `Backend.load`, `running_on` and `compile`.
    """
    settings = grid.settings(networks.precisions())
    one_at_a_time = Setting(batch=1, threads=max(s.threads for s in settings), precision=settings[0].precision)
    with networks.running_on(one_at_a_time.threads):
        stages = stage_ms(networks.of(one_at_a_time), paths, selection)
    images = [read_image(path) for path in paths]
    speeds = throughput(networks, settings, images, selection, rounds=rounds, progress=progress)
    return SpeedReport(
        weights=networks.weights,
        device=networks.device,
        images=len(images),
        stages_ms=stages,
        stages_setting=one_at_a_time,
        speeds=speeds,
        peak_memory_bytes=peak_memory_bytes(),
    )


class Networks:
    """The networks of one set of weights: settings that can share a network get the same one.

    `report` takes a line for the user: how long compiling took.
    """

    def __init__(self, weights: str, device: str, report: Callable[[str], None]) -> None:
        self._backend = backend_for(weights)
        self.weights, self.device = weights, self._backend.choose_device(device)
        self._report = report
        self._loaded: dict[tuple[Any, ...], Network] = {}

    def of(self, setting: Setting) -> Network:
        own_threads = setting.compiled or self._backend.threads_at_load
        key = (setting.precision, setting.threads if own_threads else None, setting.batch if setting.compiled else None)
        if key not in self._loaded:
            self._loaded[key] = self._load(setting)
        return self._loaded[key]

    def precisions(self) -> list[str]:
        """The precisions that are worth timing on this machine, the usual one first."""
        return self._backend.precisions(self.device)

    def running_on(self, threads: int) -> AbstractContextManager[None]:
        return self._backend.running_on(threads)

    def _load(self, setting: Setting) -> Network:
        own = setting.threads if self._backend.threads_at_load else None
        network = self._backend.load(device=self.device, precision=setting.precision, threads=own)
        if setting.compiled:
            with self.running_on(setting.threads):
                took = self._backend.compile(network, setting.batch)
            threads = plural(setting.threads, "thread")
            self._report(f"compiled for batches of {setting.batch}, {threads}, in {took:.1f} s")
        return network


def stage_ms(network: Network, images: Sequence[Path], selection: Selection) -> dict[str, float]:
    """Wall time of each of STAGES in milliseconds: the median over the images, one at a time."""
    seconds: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for path in (images[0], *images):  # the first one twice, to warm up
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
    networks: Networks,
    settings: Sequence[Setting],
    images: Sequence[Any],
    selection: Selection,
    *,
    rounds: int,
    progress: Progress,
) -> list[Speed]:
    """Time each setting once per round, in turn, so that other load on the machine affects all alike.

    A further round before warms up. `images` are decoded; a larger batch repeats them.
    """
    loaded = [networks.of(setting) for setting in settings]
    seconds: list[list[float]] = [[] for _ in settings]
    for number in range(rounds + 1):
        for place, (setting, network) in enumerate(zip(settings, loaded, strict=True)):
            batch = list(islice(cycle(images), setting.batch))
            with networks.running_on(setting.threads):
                start = time.perf_counter()
                detect_batch(network, [prepare(network, image) for image in batch], selection)
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
    """The smallest batch, then the fewest threads, among the settings that are almost as fast as the fastest."""
    best = max(speed.images_per_second for speed in speeds)
    fast = [speed for speed in speeds if speed.images_per_second >= AS_FAST * best]
    return min(fast, key=lambda speed: (speed.setting.batch, speed.setting.threads))


def quickest_answer(speeds: Sequence[Speed]) -> Speed | None:
    """The fastest setting with a batch of 1; None if none was timed."""
    single = [speed for speed in speeds if speed.setting.batch == 1]
    return max(single, key=lambda speed: speed.images_per_second) if single else None
