"""`ssd300 check`: all problems of a dataset at once, and what of it default boxes cover. No file is changed.

Default boxes are handed in, as this room does not know the model.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from ssd300.data.checks.annotations import annotation_problems, count_classes
from ssd300.data.checks.coverage import (
    Coverage,
    UsableBoxes,
    cover,
    cover_by_class,
    tiny_boxes,
    uncovered_classes,
    usable_boxes,
)
from ssd300.data.checks.images import image_problems, inspect_images
from ssd300.data.checks.near_copies import NearCopy, find_near_copies, near_copy_problems
from ssd300.data.choices import FormatName
from ssd300.data.formats.annotations import AnnotatedImages
from ssd300.data.problems import Fault, Problem
from ssd300.data.recognition import open_data
from ssd300.data.sources import JoinedSources
from ssd300.data.splits import UnusableSplitError, role_of
from ssd300.data.unused_files import FileLedger, list_files

LEVELS = ("error", "warning")  # in the order of the findings


@dataclass(kw_only=True)
class Findings:
    """All that was found. `classes` counts the objects of each class by split; `coverage` has 'classes', 'sizes_px'
    and, by class again, 'fitted': what default boxes that are fitted to the objects would cover.
    `files` counts the files of the folders: those that are used, reported as problems, and of other kinds; {} where one
    split is checked.

    `near_copies` are the pairs of images behind the problems of that rule, `other_files` the files of other kinds.
    """

    images: int = 0
    objects: int = 0
    classes: dict[str, dict[str, int]] = field(repr=False, default_factory=dict)
    problems: list[Problem] = field(repr=False, default_factory=list)
    coverage: dict[str, dict[str, Coverage]] = field(repr=False, default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    near_copies: list[NearCopy] = field(repr=False, default_factory=list)
    other_files: list[str] = field(repr=False, default_factory=list)

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
            "files": self.files,
            "problems": [asdict(problem) for problem in self.problems],
            "near_copies": [asdict(copy) for copy in self.near_copies],
            "coverage": {
                part: {name: asdict(value) | {"share": value.share} for name, value in values.items()}
                for part, values in self.coverage.items()
            },
        }


@dataclass(frozen=True, kw_only=True)
class Counts:
    """All images of the splits, and the objects of each class by split, where the splits hold a sample."""

    images: int
    classes: dict[str, dict[str, int]]


@dataclass(frozen=True, kw_only=True)
class Splits:
    """The splits to check, by name. `unusable` are splits that could not be read, and shards; `files` is the ledger of
    the folders, None where one split is checked alone, as another one may use them. `notes` are printed. `counts` are
    those of shards, as the splits then have a sample of their images.
    """

    splits: Mapping[str, AnnotatedImages]
    unusable: Sequence[Problem]
    files: FileLedger | None
    notes: Sequence[str]
    counts: Counts | None = None


def read_splits(paths: Sequence[Path], split: str | None, format: FormatName, *, require_images: bool) -> Splits:
    """All splits, or `split` alone.

    Raises DataError as `load_dataset` does, but not for faults of single images and objects and for splits that cannot
    be used beside others, which are reported.
    """
    data = open_data(paths, format)
    choices, notes = ([data.named(split)], []) if split is not None else data.every()
    splits: dict[str, AnnotatedImages] = {}
    unusable: list[UnusableSplitError] = []
    problems: list[Problem] = []
    for choice in choices:
        try:
            splits[choice.name] = data.read(choice, require_images=require_images)
        except UnusableSplitError as error:
            unusable.append(error)
            problems.append(_unusable(choice.name, error))
    if not splits:
        raise unusable[0]
    return Splits(
        splits=splits,
        unusable=problems,
        files=_ledger(data, paths) if split is None else None,
        notes=[*(note for found in splits.values() for note in found.notes), *notes],
    )


def _ledger(data: JoinedSources, paths: Sequence[Path]) -> FileLedger:
    return list_files(data, [path for path in paths if path.is_dir()])


def _unusable(split: str, error: UnusableSplitError) -> Problem:
    """A warning for a split that only measures, an error for one that trains."""
    problem = Fault("unusable-split", f"the split '{split}' cannot be used: {error.what}", error.fix or "").at(
        str(error.where or "")
    )
    return problem if role_of(split) in ("test", "val") else replace(problem, level="error")


def check(
    read: Splits,
    default_boxes: Float[np.ndarray, "boxes 4"],
    *,
    size_px: int,
    pixels: bool = True,
    alternatives: Mapping[str, Float[np.ndarray, "others 4"]] | None = None,
    fitted: Callable[[UsableBoxes], Bool[np.ndarray, " n"]] | None = None,
    advance: Callable[[int, int], None] = lambda _done, _all: None,
) -> Findings:
    """All problems of the annotations and, with `pixels`, of the images; unused files first, then errors.

    `default_boxes` are xyxy, relative to a network's input of `size_px`, to which images are stretched. `alternatives`
    are others, by the words that advise them; they are tried on classes of which `default_boxes` cover little.
    `fitted` tells which objects default boxes that are fitted to all of them would cover.
    """
    images = [image for split in read.splits.values() for image in split.images]
    classes = count_classes(read.splits)
    boxes = usable_boxes(images, classes, size_px)
    coverage = cover(boxes, default_boxes, classes)
    coverage["fitted"] = {} if fitted is None else cover_by_class(boxes, fitted(boxes), classes)
    problems = [
        *read.unusable,
        *annotation_problems(read.splits, classes),
        *tiny_boxes(boxes, size_px),
        *uncovered_classes(boxes, coverage, alternatives or {}, size_px),
    ]
    inspected = inspect_images(read.splits, advance) if pixels else []
    near_copies = find_near_copies(inspected)
    if pixels:
        problems = [problem for problem in problems if problem.rule != "image"]  # of headers, which are found again
    problems += [*image_problems(inspected), *near_copy_problems(near_copies)]
    problems.sort(key=lambda problem: (LEVELS.index(problem.level), problem.rule))
    counts = read.counts or Counts(images=len(images), classes=classes)
    return Findings(
        images=counts.images,
        objects=sum(len(image.objects) for image in images)
        if read.counts is None
        else sum(sum(splits.values()) for splits in read.counts.classes.values()),
        classes=counts.classes,
        problems=[*(read.files.problems if read.files is not None else ()), *problems],
        coverage=coverage,
        files=_counts(read.files),
        near_copies=near_copies,
        other_files=[str(path) for path in read.files.others] if read.files is not None else [],
    )


def _counts(files: FileLedger | None) -> dict[str, int]:
    if files is None:
        return {}
    return {"used": files.used, "reported": files.reported, "others": len(files.others)}
