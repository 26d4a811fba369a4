"""A finding of `ssd300 check`: what is wrong, where, by which rule, and what to do."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """`object` counts from 1 in its file; None where the problem is the file's or the data set's."""

    level: Level
    file: str
    object: int | None
    rule: str
    message: str
    fix: str
