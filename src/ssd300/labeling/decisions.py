"""What people decided about disagreements of labels and a detector: a file beside the labels, so that nothing is asked
twice, in the next session and with other weights too.

Each decision is a line that is added. The last one about a case counts.
"""

import json
import os
import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from ssd300.boxes import CORNERS, iou_px
from ssd300.errors import as_text
from ssd300.evaluation.disagreement import Disagreement, ReviewRules
from ssd300.labeling.folder_lock import alone_in
from ssd300.system.files import absolute, appending, read_if_there

NAME = "label-review.jsonl"
Decision = Literal["label", "detector", "edited", "open"]  # who is right; "open" takes a decision back
SAME_PX = 0.5  # so far a corner of a label may be off: formats round differently
AT_PLACE = ("missed", "other-class", "loose")  # kinds that are about the detection at a place
RULES = ReviewRules()


class Decided(NamedTuple):
    """A decision and the case that it is about, as `Disagreement.to_dict` has it."""

    decision: Decision
    case: dict[str, Any]

    def is_about(self, case: dict[str, Any]) -> bool:
        """Whether this is the case: the same kind and labels, and a detection of the class at the same place.

        Its score may differ, and so may its box, as those of other weights do.
        """
        mine = self.case
        labels = all(_same_label(mine[which], case[which]) for which in ("label", "other_label"))
        if mine["kind"] != case["kind"] or not labels:
            return False
        return case["kind"] not in AT_PLACE or _same_place(mine["detection"], case["detection"])


class Decisions:
    """The decisions on the labels in `folder`. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        """Raises DataError if the file is there and cannot be opened. A line that is not whole is passed over."""
        self.file = folder / NAME
        self.count = 0  # of all that were made or read
        self._lock = threading.Lock()
        self._of_image: dict[str, list[Decided]] = defaultdict(list)
        for line in (read_if_there(self.file) or b"").splitlines():
            if (found := _read(line)) is not None:
                self._take(*found)

    def of(self, image: Path) -> Sequence[Decided]:
        """The decisions on an image that count."""
        with self._lock:
            return tuple(self._of_image.get(self._name(image), ()))

    def add(self, image: Path, case: Disagreement, decision: Decision) -> None:
        """Decide about a case. Raises RunError if the file cannot be written; it is remembered until the end then."""
        row = Decided(decision, case.to_dict() | {"image": self._name(image)})
        with self._lock:
            self._take(row.case["image"], row)
        line = json.dumps({"decision": decision, **row.case}, ensure_ascii=True) + "\n"
        with appending(self.file):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with alone_in(self.file.parent), self.file.open("ab+") as file:
                if file.tell() and not _ends_a_line(self.file):
                    line = "\n" + line  # a killed server's line is not whole
                file.write(line.encode())

    def _take(self, image: str, new: Decided) -> None:
        self.count += 1
        others = [one for one in self._of_image[image] if not one.is_about(new.case)]
        self._of_image[image] = others if new.decision == "open" else [*others, new]

    def _name(self, image: Path) -> str:
        """The path of an image from the folder, so that both can be moved together."""
        try:
            return as_text(Path(os.path.relpath(image, self.file.parent)).as_posix())
        except ValueError:  # on another drive of Windows
            return as_text(absolute(image))


def _read(line: bytes) -> tuple[str, Decided] | None:
    """The image and the decision of a line; None for one that is none."""
    try:
        row = json.loads(line)
        decided = Decided(row.pop("decision"), row)
        decided.is_about(row)  # has all that it needs
        return (str(row["image"]), decided) if decided.decision in get_args(Decision) else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _ends_a_line(file: Path) -> bool:
    with file.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read() == b"\n"


def _same_label(a: dict[str, Any] | None, b: dict[str, Any] | None) -> bool:
    if a is None or b is None:
        return a is b
    near = all(abs(a["box"][corner] - b["box"][corner]) <= SAME_PX for corner in CORNERS)
    return bool(a["class"] == b["class"] and near)


def _same_place(a: dict[str, Any], b: dict[str, Any]) -> bool:
    boxes = [np.array([one["box"][corner] for corner in CORNERS], dtype=np.float64) for one in (a, b)]
    return bool(a["class"] == b["class"] and iou_px(*boxes) >= RULES.match_iou)
