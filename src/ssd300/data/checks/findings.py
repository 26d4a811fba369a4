"""`ssd300 check`: all problems of a dataset at once, and what of it default boxes cover. No file is changed.

Default boxes are handed in, as this room does not know the model.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ssd300.data.checks.annotations import annotation_problems, count_classes
from ssd300.data.checks.coverage import Coverage, cover, tiny_boxes, uncovered_classes, usable_boxes
from ssd300.data.checks.images import image_problems
from ssd300.data.checks.near_copies import NearCopy, find_near_copies, near_copy_problems
from ssd300.data.checks.problem import Problem
from ssd300.data.checks.unused_files import unused_files
from ssd300.data.choices import FormatName
from ssd300.data.formats.annotations import AnnotatedImages
from ssd300.data.load import read_split, split_names
from ssd300.data.recognition import recognize

LEVELS = ("error", "warning")  # in the order of the findings


@dataclass(kw_only=True)
class Findings:
    """All that was found. `classes` counts the objects of each class by split; `coverage` has 'classes', 'sizes_px'.

    `near_copies` are the pairs of images behind the problems of that rule.
    """

    images: int = 0
    objects: int = 0
    classes: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    coverage: dict[str, dict[str, Coverage]] = field(default_factory=dict)
    near_copies: list[NearCopy] = field(default_factory=list)

    def count(self, *, strict: bool) -> int:
        """How many errors there are; if `strict`, warnings count too."""
        return sum(strict or problem.level == "error" for problem in self.problems)

    def by_rule(self) -> dict[tuple[str, str], list[Problem]]:
        """The problems by (level, rule)."""
        rules: dict[tuple[str, str], list[Problem]] = {}
        for problem in self.problems:
            rules.setdefault((problem.level, problem.rule), []).append(problem)
        return rules

    def to_dict(self) -> dict[str, Any]:
        return {
            "images": self.images,
            "objects": self.objects,
            "classes": self.classes,
            "problems": [asdict(problem) for problem in self.problems],
            "near_copies": [asdict(copy) for copy in self.near_copies],
            "coverage": {
                part: {name: asdict(value) | {"share": value.share} for name, value in values.items()}
                for part, values in self.coverage.items()
            },
        }


@dataclass(frozen=True, kw_only=True)
class Splits:
    """The splits to check, by name; `unused` are problems of files beside them, `notes` are printed."""

    splits: Mapping[str, AnnotatedImages]
    unused: Sequence[Problem]
    notes: Sequence[str]


def read_splits(paths: Sequence[Path], split: str | None, format: FormatName, *, require_images: bool) -> Splits:
    """All splits, or `split` alone; then unused files are not searched, as another split may use them.

    Raises DataError as `load_dataset` does, but not for faults of single images and objects, which are reported.
    """
    splits: dict[str, AnnotatedImages] = {}
    for name in (split,) if split is not None else split_names(paths, format) or (None,):
        found = read_split(paths, format, name, "train", require_images=require_images, faults="report")
        splits[found.split] = found
    return Splits(
        splits=splits,
        unused=unused_files(paths, recognize(paths[0], format), splits) if split is None else [],
        notes=[note for found in splits.values() for note in found.notes],
    )


def check(
    read: Splits,
    default_boxes: Float[np.ndarray, "boxes 4"],
    *,
    size_px: int,
    pixels: bool = True,
    alternatives: Mapping[str, Float[np.ndarray, "others 4"]] | None = None,
    advance: Callable[[int, int], None] = lambda _done, _all: None,
) -> Findings:
    """All problems of the annotations and, with `pixels`, of the images; unused files first, then errors.

    `default_boxes` are xyxy, relative to a network's input of `size_px`, to which images are stretched. `alternatives`
    are others, by the words that advise them; they are tried on classes of which `default_boxes` cover little.
    """
    images = [image for split in read.splits.values() for image in split.images]
    classes = count_classes(read.splits)
    boxes = usable_boxes(images, size_px)
    coverage = cover(boxes, default_boxes, classes)
    problems = [
        *annotation_problems(read.splits, classes),
        *tiny_boxes(boxes, size_px),
        *uncovered_classes(boxes, coverage["classes"], alternatives or {}, size_px),
    ]
    near_copies = find_near_copies(read.splits, advance) if pixels else []
    problems += near_copy_problems(near_copies)
    if pixels:
        problems += image_problems(read.splits, advance)
    problems.sort(key=lambda problem: (LEVELS.index(problem.level), problem.rule))
    return Findings(
        images=len(images),
        objects=sum(len(image.objects) for image in images),
        classes=classes,
        problems=[*read.unused, *problems],
        coverage=coverage,
        near_copies=near_copies,
    )
