"""What a job on many images costs: machines or hours, bytes, money, and the limit that it meets first.

Plain arithmetic on numbers that are measured elsewhere (`trial`), assumed, or given.
"""

import math
from dataclasses import dataclass, fields
from typing import Literal

from ssd300.detection.bulk.plan import CHUNKS_PER_FILE
from ssd300.detection.bulk.stored_file import AHEAD
from ssd300.detection.defaults import CHUNK_IMAGES, COUNT_READERS
from ssd300.system.quantities import BITS, HOUR
from ssd300.system.wording import words

BESIDE = "planning, counting beside detecting"  # where no hours are asked for that it could exceed
LISTED_AT_ONCE = 1000  # names that a request to S3 lists
Unit = Literal["bytes", "bits/s", "requests/s", "files", "seconds"]
# Above 0, all of them; these may be 0 as well.
MAY_BE_ZERO = words(
    "detections_per_image row_bytes detection_bytes part_bytes id_bytes plan_image_bytes plan_chunk_bytes "
    "plan_image_seconds count_image_bytes count_image_seconds count_part_seconds count_part_reads store_latency "
    "price_per_hour"
)


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What the answers rest on. The numbers without a default are measured, or given.

    `images_per_second` are those of one detector alone, with one thread, from files to rows. A row takes `row_bytes`
    and `detection_bytes` for each detection, and a part file `part_bytes` besides. The machine that plans and counts
    needs `plan_image_bytes` of memory for each image that is a file of its own, `plan_chunk_bytes` for each part, and
    for counting `count_image_bytes` for each image; the seconds of `plan_image_seconds`, `count_image_seconds` and
    `count_part_seconds`, and `count_part_reads` requests to the store for each part.

    Raises ValueError that names the field, its value, and what is allowed.
    """

    images: int
    images_per_second: float
    image_bytes: float
    detections_per_image: float
    row_bytes: float
    detection_bytes: float
    part_bytes: float
    id_bytes: float
    plan_image_bytes: float
    plan_chunk_bytes: float
    plan_image_seconds: float
    count_image_bytes: float
    count_image_seconds: float
    count_part_seconds: float
    count_part_reads: float
    chunk_images: int = CHUNK_IMAGES
    images_per_file: int = 1  # 1: each is a file; more: tar files
    cores_per_machine: int = 16  # logical processors, as clouds sell them, each with a detector
    # What a detector keeps of its speed when all processors work: two logical ones share a core.
    efficiency: float = 0.6
    network: float = 10e9  # bits/s of a machine
    memory: float = 64e9  # of the machine that plans and counts
    store_requests: float = 5500.0  # reads per second: what Amazon promises for a prefix of S3
    store_latency: float = 0.03  # seconds of a request
    files_per_folder: int = 1_000_000  # above it, listing a folder takes minutes
    chunk_seconds: float = 600.0  # the work that a kill may cost a detector twice
    price_per_hour: float = 0.0  # of a machine

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least = "0 or more" if field.name in MAY_BE_ZERO else "above 0"
            if not math.isfinite(value) or value < 0 or (value == 0 and field.name not in MAY_BE_ZERO):
                raise ValueError(f"{field.name} is {value:g}; it must be {least}")
        if self.efficiency > 1:
            raise ValueError(f"efficiency is {self.efficiency:g}; it must be 1 or less")

    @property
    def images_per_part(self) -> int:
        """A tar file is a part as a whole."""
        return self.chunk_images if self.images_per_file == 1 else self.images_per_file

    @property
    def parts(self) -> int:
        return math.ceil(self.images / self.images_per_part)

    @property
    def network_images_per_second(self) -> float:
        """What the network of a machine carries."""
        return self.network / (BITS * self.image_bytes)

    @property
    def cpu_images_per_second(self) -> float:
        """What the processors of a machine do."""
        return self.images_per_second * self.cores_per_machine * self.efficiency

    @property
    def machine_images_per_second(self) -> float:
        return min(self.cpu_images_per_second, self.network_images_per_second)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """`used` of `most`, which rests on the fields `rests_on`; `reached_at` so many images, None if their number does
    not matter.
    """

    name: str
    used: float
    most: float
    unit: Unit
    rests_on: tuple[str, ...]
    reached_at: int | None

    @property
    def share(self) -> float:
        return self.used / self.most


@dataclass(frozen=True, kw_only=True)
class Cost:
    """`machines` None: the time that was asked for is too short for any number of them; then `hours` is that of
    planning and counting. `limits` begin with the one that is met first.
    """

    machines: int | None
    hours: float
    plan_hours: float
    detect_hours: float
    count_hours: float
    price: float
    images_per_second: float
    read_bytes: float
    written_bytes: float
    network_of_a_machine: float
    network_in_all: float
    rows: int
    parts: int
    files_read: int
    plan_bytes: float
    plan_files: int
    plan_memory: float
    count_memory: float
    limits: tuple[Limit, ...]


def cost_in_hours(given: Assumptions, hours: float) -> Cost:
    """What a job costs that is done after so many hours. Raises ValueError for hours that are not above 0."""
    _check("hours", hours)
    left = hours * HOUR - _plan_seconds(given) - _count_seconds(given)
    if left <= 0:
        return _cost(given, None, hours)
    return _cost(given, math.ceil(given.images / (left * given.machine_images_per_second)), hours)


def cost_with_machines(given: Assumptions, machines: int) -> Cost:
    """What a job costs with so many machines. Raises ValueError for less than one."""
    _check("machines", machines)
    return _cost(given, machines, None)


def _cost(given: Assumptions, machines: int | None, asked_hours: float | None) -> Cost:
    rate = (machines or 0) * given.machine_images_per_second
    plan, count = _plan_seconds(given), _count_seconds(given)
    detect = given.images / rate if rate else 0.0
    hours = (plan + detect + count) / HOUR
    read = given.images * given.image_bytes
    return Cost(
        machines=machines,
        hours=hours,
        plan_hours=plan / HOUR,
        detect_hours=detect / HOUR,
        count_hours=count / HOUR,
        price=(machines or 0) * hours * given.price_per_hour,
        images_per_second=rate,
        read_bytes=read,
        written_bytes=given.images * (given.row_bytes + given.detections_per_image * given.detection_bytes)
        + given.parts * given.part_bytes,
        network_of_a_machine=given.machine_images_per_second * given.image_bytes * BITS,
        network_in_all=rate * given.image_bytes * BITS,
        rows=given.images,
        parts=given.parts,
        files_read=math.ceil(given.images / given.images_per_file),
        plan_bytes=math.ceil(given.images / given.images_per_file) * given.id_bytes,
        plan_files=math.ceil(given.parts / CHUNKS_PER_FILE),
        plan_memory=_plan_memory(given),
        count_memory=_count_memory(given),
        limits=_limits(given, rate, detect, asked_hours),
    )


def _limits(given: Assumptions, rate: float, detect: float, asked_hours: float | None) -> tuple[Limit, ...]:
    """`rate` of all machines is in images/s; it grows with the images only where hours were asked for."""
    in_hours = asked_hours is not None
    whole = detect if asked_hours is None else asked_hours * HOUR
    rate = rate or given.images / whole  # where no number of machines is enough

    def limit(name: str, used: float, most: float, unit: Unit, *rests_on: str, grows: bool) -> Limit:
        reached_at = math.floor(given.images * most / used) if grows and used else None
        return Limit(name=name, used=used, most=most, unit=unit, rests_on=rests_on, reached_at=reached_at)

    parts = ("images_per_file", "chunk_images") if given.images_per_file == 1 else ("images_per_file",)
    speed = ("images_per_second", "efficiency")
    needed_rate = given.cpu_images_per_second * given.image_bytes * BITS
    part_seconds = given.images_per_part / (given.images_per_second * given.efficiency)
    limits = [
        limit("network of a machine", needed_rate, given.network, "bits/s",
              "network", "image_bytes", "cores_per_machine", *speed, grows=False),
        limit("reads of the store", rate * _requests_of_an_image(given), given.store_requests, "requests/s",
              "store_requests", "images_per_file", grows=in_hours),
        limit("memory for the plan", _plan_memory(given), given.memory, "bytes",
              "plan_image_bytes", "memory", *parts, grows=True),
        limit("memory for the count", _count_memory(given), given.memory, "bytes",
              "count_image_bytes", "memory", *parts, grows=True),
        limit("part files in one folder", float(given.parts), float(given.files_per_folder), "files",
              "files_per_folder", *parts, grows=True),
        limit("time of one part", part_seconds, given.chunk_seconds, "seconds",
              "chunk_seconds", *speed, *parts, grows=False),
        limit("planning and counting" if in_hours else BESIDE, _plan_seconds(given) + _count_seconds(given), whole,
              "seconds",
              "plan_image_seconds", "count_part_seconds", "count_part_reads", "store_latency", *parts, grows=in_hours),
    ]  # fmt: skip
    return tuple(sorted(limits, key=lambda one: -one.share))


def _requests_of_an_image(given: Assumptions) -> float:
    """A file of its own is one request, a tar file one for each block that is read ahead."""
    if given.images_per_file == 1:
        return 1.0
    return math.ceil(given.images_per_file * given.image_bytes / AHEAD) / given.images_per_file


def _plan_memory(given: Assumptions) -> float:
    own_files = given.images if given.images_per_file == 1 else 0
    return own_files * given.plan_image_bytes + given.parts * given.plan_chunk_bytes


def _count_memory(given: Assumptions) -> float:
    return given.images * given.count_image_bytes + given.parts * given.plan_chunk_bytes


def _plan_seconds(given: Assumptions) -> float:
    """The files are listed, of a tar file its size is asked for, and the plan is written, one after the other."""
    named = math.ceil(given.images / given.images_per_file)
    requests = named / LISTED_AT_ONCE + given.parts / CHUNKS_PER_FILE + (named if given.images_per_file > 1 else 0)
    return named * given.plan_image_seconds + requests * given.store_latency


def _count_seconds(given: Assumptions) -> float:
    """The parts are listed one after the other, and read COUNT_READERS at a time."""
    requests = given.count_part_reads / COUNT_READERS + 1 / LISTED_AT_ONCE
    reading = given.images * given.count_image_seconds
    return reading + given.parts * (given.count_part_seconds + requests * given.store_latency)


def _check(name: str, value: float | int) -> None:
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"{name} is {value:g}; it must be above 0")
