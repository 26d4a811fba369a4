"""A trial of a job on this machine: a few images through the code of a job, and its plan and count on made-up names.

What it measures is what the answers of `cost` rest on.
"""

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ssd300.detection.bulk.chunks import Shard
from ssd300.detection.bulk.counts import count
from ssd300.detection.bulk.fingerprint import PARTS
from ssd300.detection.bulk.job import Job
from ssd300.detection.bulk.plan import SUFFIX, Plan
from ssd300.detection.bulk.rows import PartFormat, Row, encoded, part_name, read_part
from ssd300.detection.bulk.work import Work
from ssd300.detection.bulk.worker import Worker
from ssd300.detection.network import Network
from ssd300.errors import DataError
from ssd300.system.progress import Progress, silent
from ssd300.system.stores import Folder, open_store

CHUNK = 16  # images of a part of the trial, so that rounds end soon after their time
NAMES, ROWS_PER_PART = 10_240, 256  # of the made-up job: enough that what does not grow with them is small
UNKNOWN_DETECTION_BYTES = 40.0  # score and box without compression, where the trial found nothing


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Images per second from files to rows: the median of the rounds, the slowest, the fastest; and what was done.

    `cpu_share` is the time on a processor, of all: far below 1 where other work shares the machine.
    """

    images_per_second: float
    slowest: float
    fastest: float
    rounds: int
    images: int
    seconds: float
    cpu_share: float


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Bytes, in the mean: of an image's file, of its row without detections, of a detection in it, of an empty part."""

    image_bytes: float
    detections_per_image: float
    row_bytes: float
    detection_bytes: float
    part_bytes: float


@dataclass(frozen=True, kw_only=True)
class Bookkeeping:
    """What planning and counting take, on a disk of this machine: bytes of memory and seconds of an image or part."""

    id_bytes: float
    plan_image_bytes: float
    plan_chunk_bytes: float
    plan_image_seconds: float
    count_image_bytes: float
    count_image_seconds: float
    count_part_seconds: float
    count_part_reads: float


def try_images(
    network: Network,
    images: Sequence[Path],
    work: Work,
    *,
    seconds: float,
    rounds: int,
    progress: Progress = silent,
) -> tuple[Speed, Sizes]:
    """Do the images as a job does, in `work.out`, again and again: `rounds` of equal length, `seconds` in all or more.

    Raises DataError where an image cannot be read.
    """
    plan = Plan(open_store(work.out))
    plan.extend([str(image.absolute()) for image in images], CHUNK, _no_note)
    worker = Worker(work, lambda: network, network=network)
    rows: list[Row] = []
    for entry in plan.entries:  # it warms up, too
        worker.do(entry)
        rows += read_part(worker.store, part_name(entry.name, work.form))
    if broken := [row for row in rows if row["error"] is not None]:
        raise DataError(str(broken[0]["error"]), where=broken[0]["id"])
    speeds: list[float] = []
    done, place, started, on_cpu = 0, 0, time.perf_counter(), time.process_time()
    with progress("measuring", rounds, unit="rounds") as task:
        for _ in range(rounds):
            of_round, begun = 0, time.perf_counter()
            while not of_round or time.perf_counter() - begun < seconds / rounds:
                of_round += worker.do(plan.entries[place % len(plan.entries)]).rows
                place += 1
            speeds.append(of_round / (time.perf_counter() - begun))
            done += of_round
            task.advance()
    took, on_cpu = time.perf_counter() - started, time.process_time() - on_cpu
    speed = Speed(
        images_per_second=statistics.median(speeds),
        slowest=min(speeds),
        fastest=max(speeds),
        rounds=rounds,
        images=done,
        seconds=took,
        cpu_share=on_cpu / took,
    )
    return speed, _sizes(images, rows, work)


def _sizes(images: Sequence[Path], rows: Sequence[Row], work: Work) -> Sizes:
    found = sum(len(row["detections"]) for row in rows)
    nothing, bare = len(encoded([], work.form)), len(encoded([{**row, "detections": []} for row in rows], work.form))
    whole = len(encoded(rows, work.form))
    return Sizes(
        image_bytes=statistics.fmean(image.stat().st_size for image in images),
        detections_per_image=found / len(rows),
        row_bytes=max(bare - nothing, 0) / len(rows),
        detection_bytes=max(whole - bare, 0) / found if found else UNKNOWN_DETECTION_BYTES,
        part_bytes=float(nothing),
    )


def try_bookkeeping(out: str, form: PartFormat, id_length: int, names: int = NAMES) -> Bookkeeping:
    """Plan and count made-up jobs of so many images, whose ids have `id_length` characters, in folders of `out`."""
    planned = _job(f"{out}/planned", form)
    plan_seconds = _seconds(lambda: planned.plan.extend(_ids(id_length, names), ROWS_PER_PART, _no_note))
    plan_bytes = sum(planned.store.size(file) for file in planned.store.names(SUFFIX))
    planned.close()
    single = _job(f"{out}/single", form)  # an image in each chunk, so that little waits to be written
    plan_memory = _traced(lambda: single.plan.extend(_ids(id_length, names), 1, _no_note)).peak
    chunk_memory = _traced(lambda: Plan(single.store)).kept
    single.close()
    counted = _job(f"{out}/counted", form)
    parts = _write_parts(counted, id_length, names, ROWS_PER_PART)
    counted.store = counting = _Counting(Path(counted.out))
    count_seconds, reads = _seconds(lambda: count(counted)), counting.reads
    count_memory = _traced(lambda: count(counted)).peak
    counted.close()
    whole = _job(f"{out}/whole", form)  # the same rows in one part
    _write_parts(whole, id_length, names, names)
    whole_seconds = _seconds(lambda: count(whole))
    whole.close()
    return Bookkeeping(
        id_bytes=plan_bytes / names,
        plan_image_bytes=max(plan_memory - chunk_memory, 0) / names,
        plan_chunk_bytes=chunk_memory / names,
        plan_image_seconds=plan_seconds / names,
        count_image_bytes=count_memory / names,
        count_image_seconds=min(whole_seconds, count_seconds) / names,
        count_part_seconds=max(count_seconds - whole_seconds, 0.0) / parts,
        count_part_reads=reads / parts,
    )


def _job(out: str, form: PartFormat) -> Job:
    return Job(out, dict.fromkeys(PARTS), form, {}, overwrite=False)


def _ids(length: int, count: int) -> Iterator[str]:
    """As a folder gives them: all names are listed and sorted, then each becomes a path."""
    digits = len(str(count))
    names = sorted(f"{number:0{digits}}.jpg" for number in range(count))
    folder = "f" * max(length - digits - len("/.jpg"), 1)
    for name in names:
        yield f"{folder}/{name}"


def _write_parts(job: Job, id_length: int, count: int, each: int) -> int:
    """A part for each chunk of a plan that has no ids, whose files would be in memory too; how many there are."""
    job.plan.extend([Shard(kind="parquet", file="made-up", size=0, rows=count, column="")], each, _no_note)
    same = {"width": 1, "height": 1, "detections": [], "error": None, "seconds": 0.0}
    ids = _ids(id_length, count)
    for entry in job.plan.entries:
        rows = [{"id": one, **same} for one in islice(ids, entry.images)]
        job.store.write(part_name(entry.name, job.form), encoded(rows, job.form))
    return len(job.plan.entries)


class _Counting(Folder):
    """A folder that counts what would be requests at an address."""

    reads = 0

    def size(self, name: str) -> int:
        self.reads += 1
        return super().size(name)

    def read(self, name: str, start: int = 0, count: int | None = None) -> bytes:
        self.reads += 1
        return super().read(name, start, count)


class _Memory(NamedTuple):
    """Bytes that Python's and numpy's objects took: at the most, and by what was returned."""

    peak: int
    kept: int


def _traced(work: Callable[[], object]) -> _Memory:
    gc.collect()
    tracemalloc.start()
    try:
        result = work()
        kept, peak = tracemalloc.get_traced_memory()
        del result
    finally:
        tracemalloc.stop()
    return _Memory(peak, kept)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _no_note(_line: str) -> None:
    pass
