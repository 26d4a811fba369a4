"""The work on a job: what is done with every chunk, and what is reported of one that is done."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ssd300.detection.bulk.rows import PartFormat, Row
from ssd300.types import Selection

Kept = Mapping[tuple[int, str], Row]  # rows of an earlier start by place and id
Tick = Callable[[], None]  # is called after each image


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is done with every chunk. `base` is the folder that relative paths start from, `out` the place of the job.

    Detections of the classes `suppress` are dropped. With `retry` the rows with an error are done again.
    """

    out: str
    base: str
    form: PartFormat
    selection: Selection
    suppress: Collection[str]
    batch_size: int
    retry: bool = False


@dataclass(frozen=True)
class Done:
    """A chunk that is done: how many rows its part has, how many were made now, and how many of all have an error.

    `others` are members of a tar file that are no images.
    """

    chunk: str
    rows: int
    new: int
    errors: int
    others: int
    seconds: float
