"""What all formats of labels have in common: the objects of one image, and how an edited list of them is written.

An object that comes from a file keeps its `part`: the text or JSON that it was read from, whatever else that holds.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ssd300.data.formats.annotations import Corners
from ssd300.errors import SSDError

NEW = "new"  # the version of labels that are not there yet


@dataclass(frozen=True, kw_only=True)
class LabeledObject:
    """One object; `box_px` is xyxy in pixels of the image as it is shown, None where the file has no usable box.

    `fault` says then what is wrong with it. Such an object is kept as it is, or removed.
    """

    name: str
    box_px: Corners | None
    difficult: bool = False
    truncated: bool = False
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Read:
    """An object as a file has it, and the part of the file that it is. `is_crowd` is COCO's: a region of many."""

    object: LabeledObject
    part: Any
    is_crowd: bool = False


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The labels of one image as they were read. `fault` is why they cannot be edited, "" if they can.

    `exists` is whether there are labels at all: an image without objects may be labeled too.
    """

    objects: tuple[Read, ...] = ()
    exists: bool = False
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An object that is to be written: `after`, made from `before`; None for an object that is in no file yet.

    `number` is its place among the objects of the file as it is now, None for one that is not there.
    """

    after: LabeledObject
    before: Read | None = None
    number: int | None = None

    @property
    def is_unchanged(self) -> bool:
        """Whether what was read need not be touched. An object without a usable box cannot be changed at all."""
        return self.before is not None and (
            self.before.object.box_px is None or replace(self.after, fault="") == replace(self.before.object, fault="")
        )


class ConflictError(SSDError):
    """The labels are no longer those that the page began with: somebody else has changed them."""


def version_of(content: bytes | None) -> str:
    """The version of labels by what their file holds; `NEW` for None."""
    return NEW if content is None else hashlib.sha256(content).hexdigest()[:32]


def in_file_order(entries: Sequence[Entry]) -> list[Entry]:
    """The entries; one whose place in the file is before that of an earlier entry counts as one that is not there."""
    last, ordered = -1, []
    for entry in entries:
        if entry.number is not None and entry.number <= last:
            entry = replace(entry, number=None)
        last = last if entry.number is None else entry.number
        ordered.append(entry)
    return ordered
