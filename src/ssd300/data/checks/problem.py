"""A finding of `ssd300 check`: what is wrong, where, by which rule, and what to do."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """`object` counts from 1 in its file, None for a problem of the whole file. `file` is "" for one of the dataset."""

    level: Level
    file: str
    object: int | None
    rule: str
    message: str
    fix: str
