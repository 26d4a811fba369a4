"""Not a benchmark itself: measures the time of several ways to do one thing, in alternating rounds of one process.

Machines are noisy. Read the ratios, which compare measurements next to each other in time, and not the times.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Times:
    """Seconds of one way, one value per round."""

    seconds: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def alternate(
    ways: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    threads: int = 1,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, Times]:
    """Run each way once to warm up, then all of them in turn, `rounds` times. On one thread by default, in CPU time."""
    torch.set_num_threads(threads)
    for work in ways.values():
        work()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            start = clock()
            work()
            seconds[name].append(clock() - start)
    return {name: Times(values) for name, values in seconds.items()}


def table(title: str, times: Mapping[str, Times], *, unit: str = "ms", clock: str = "CPU") -> str:
    """A Markdown table: median, range, and the speed relative to the first way (the median of the rounds' ratios)."""
    scale = {"ms": 1e3, "s": 1.0}[unit]
    first = next(iter(times.values())).seconds
    rows = [f"| {title} | {clock} {unit}, median | range | speed relative to the first |", "|---|---|---|---|"]
    for name, way in times.items():
        ratio = statistics.median(slow / fast for slow, fast in zip(first, way.seconds, strict=True))
        low, high = min(way.seconds) * scale, max(way.seconds) * scale
        rows.append(f"| {name} | {way.median * scale:.3g} | {low:.3g} to {high:.3g} | {ratio:.3g} |")
    return "\n".join(rows)
