"""What is wrong with labelled images, all of it at once: each problem with file, object, rule and remedy.

Judges nothing away and changes no file. Default boxes are handed in, as this room knows no model.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from ssd300.boxes import iou_px
from ssd300.data.checks.images import pixel_problems
from ssd300.data.checks.problem import Problem
from ssd300.data.formats.labels import LabelledImage, LabelledImages

COVERED_IOU = 0.5  # matching's threshold: below it a default box learns an object only as its best one
FEW_PIXELS = 4.0  # of the shorter side at the network's size
LITTLE_COVERED = 0.75  # share of a class's objects
SIZES_PX = (0, 16, 32, 64, 128)  # where the groups by size begin: roots of areas at the network's size
CHUNK = 256
COMPARED = 2000  # objects of a class, spread over all of them, that other default boxes are tried on
BETTER = 0.05  # of the share, for other default boxes to be worth a word


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Objects of one class, or of one size, and how many some default box overlaps with `COVERED_IOU` or more."""

    objects: int
    covered: int

    @property
    def share(self) -> float | None:
        return self.covered / self.objects if self.objects else None


@dataclass(kw_only=True)
class Findings:
    """All that was found. `coverage` has the parts 'classes' and 'sizes_px'."""

    images: int = 0
    objects: int = 0
    classes: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    coverage: dict[str, dict[str, Coverage]] = field(default_factory=dict)

    def has_errors(self, *, strict: bool = False) -> bool:
        return any(strict or problem.level == "error" for problem in self.problems)

    def to_dict(self) -> dict[str, Any]:
        return {
            "images": self.images,
            "objects": self.objects,
            "classes": self.classes,
            "problems": [asdict(problem) for problem in self.problems],
            "coverage": {
                part: {name: asdict(value) | {"share": value.share} for name, value in values.items()}
                for part, values in self.coverage.items()
            },
        }


def check(
    splits: Mapping[str, LabelledImages],
    default_boxes: Float[np.ndarray, "boxes 4"],
    *,
    size_px: int,
    pixels: bool = True,
    alternatives: Mapping[str, Float[np.ndarray, "others 4"]] | None = None,
    advance: Callable[[int, int], None] = lambda _done, _all: None,
) -> Findings:
    """Everything that is wrong with the splits, by annotations and, with `pixels`, by every image.

    `default_boxes` are xyxy, relative, and stretch with the image as the network's input does. `alternatives` are
    others, by the words that advise them; they are tried on classes that these hardly fit.
    """
    findings = Findings()
    images = [image for split in splits.values() for image in split.images]
    findings.images = len(images)
    findings.objects = sum(len(image.objects) for image in images)
    for image in images:
        findings.problems += _label_problems(image)
    findings.problems += _spellings(images)
    findings.classes = _count_classes(splits)
    findings.problems += _absent_classes(splits, findings.classes)
    _measure(findings, images, default_boxes, alternatives or {}, size_px)
    if pixels:
        findings.problems += pixel_problems(splits, advance)
    order = {"error": 0, "warning": 1}
    findings.problems.sort(key=lambda problem: (order[problem.level], problem.rule))
    return findings


def _label_problems(image: LabelledImage) -> Iterable[Problem]:
    if image.fault is not None:
        yield Problem(
            level="error", file=image.where, object=None, rule="annotation", message=image.fault,
            fix="Write the annotation again, or take the image out of the list.",
        )  # fmt: skip
    if image.image_path is None:
        yield Problem(
            level="error", file=image.where, object=None, rule="missing-image",
            message=f"the image {image.image_id} is not there",
            fix="Put it there, or take its id out of the list.",
        )  # fmt: skip
    for number, item in enumerate(image.objects, start=1):
        if item.fault is not None:
            yield Problem(
                level="error", file=image.where, object=number, rule="box", message=f"{item.name}: {item.fault}",
                fix="Correct the box, or train with --on-bad-label drop-box.",
            )  # fmt: skip


def _spellings(images: Sequence[LabelledImage]) -> Iterable[Problem]:
    counts = Counter(item.name for image in images for item in image.objects)
    alike = defaultdict(list)
    for name in counts:
        alike[" ".join(name.split()).casefold()].append(name)
    first = {item.name: image.where for image in reversed(images) for item in image.objects}
    for names in alike.values():
        usual = max(names, key=lambda name: counts[name])
        for name in sorted(set(names) - {usual}):
            yield Problem(
                level="warning", file=first[name], object=None, rule="class-spelling",
                message=f"the class '{name}' ({counts[name]} objects) is '{usual}' ({counts[usual]}) but for case or "
                "spaces",
                fix=f"Write '{usual}' everywhere; training takes them for one.",
            )  # fmt: skip


def _count_classes(splits: Mapping[str, LabelledImages]) -> dict[str, dict[str, int]]:
    listed = [name for split in splits.values() for name in split.classes or ()]
    found = {item.name.strip() for split in splits.values() for image in split.images for item in image.objects}
    counts = {name: dict.fromkeys(splits, 0) for name in dict.fromkeys([*listed, *sorted(found)])}
    for split_name, split in splits.items():
        for image in split.images:
            for item in image.objects:
                counts[item.name.strip()][split_name] += 1
    return counts


def _absent_classes(
    splits: Mapping[str, LabelledImages], classes: Mapping[str, Mapping[str, int]]
) -> Iterable[Problem]:
    if not any(any(counts.values()) for counts in classes.values()):
        yield Problem(
            level="error", file="", object=None, rule="no-objects", message="no image has an object",
            fix="Look whether the annotations are those of these images.",
        )  # fmt: skip
        return
    for split in splits:
        for name, counts in classes.items():
            if not counts[split]:
                yield Problem(
                    level="warning", file="", object=None, rule="absent-class",
                    message=f"the split {split} has no '{name}'",
                    fix="It cannot be learnt or measured there: add images, or take the class out.",
                )  # fmt: skip


def _measure(
    findings: Findings,
    images: Sequence[LabelledImage],
    default_boxes: Float[np.ndarray, "boxes 4"],
    alternatives: Mapping[str, Float[np.ndarray, "others 4"]],
    size_px: int,
) -> None:
    """Fill the coverage, and report tiny objects and classes that no default box fits."""
    names, boxes = [], []
    for image in images:
        if image.size_hw is None:
            continue
        scale = np.array([image.size_hw[1], image.size_hw[0]] * 2, dtype=np.float64)
        for number, item in enumerate(image.objects, start=1):
            if item.fault is None:
                box = np.array(item.box_px) / scale
                names.append(item.name.strip())
                boxes.append(box)
                if (shortest := float((box[2:] - box[:2]).min()) * size_px) < FEW_PIXELS:
                    findings.problems.append(
                        Problem(
                            level="warning", file=image.where, object=number, rule="tiny-box",
                            message=f"{item.name}: {shortest:.1f} pixels wide or high at the network's {size_px}",
                            fix="SSD300 hardly sees it: cut large images into tiles, or leave such objects out.",
                        )
                    )  # fmt: skip
    relative = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    covered = best_overlaps(relative, default_boxes) >= COVERED_IOU
    sides = np.sqrt((relative[:, 2] - relative[:, 0]) * (relative[:, 3] - relative[:, 1])) * size_px
    owners, group = np.array(names, dtype=object), np.digitize(sides, SIZES_PX)
    findings.coverage["classes"] = {
        name: _coverage(covered[owners == name]) for name in findings.classes if (owners == name).any()
    }
    findings.coverage["sizes_px"] = {
        f"from {low}": _coverage(covered[group == number]) for number, low in enumerate(SIZES_PX, start=1)
    }
    for name, found in findings.coverage["classes"].items():
        if found.share is not None and found.share < LITTLE_COVERED:
            typical = float(np.median(sides[owners == name]))
            findings.problems.append(
                Problem(
                    level="warning", file="", object=None, rule="uncovered-class",
                    message=f"only {found.share:.0%} of '{name}' have a default box with an IoU of {COVERED_IOU:g} or "
                    f"more; half of them are under {typical:.0f} pixels at the network's {size_px}",
                    fix=_advice(relative[owners == name], found.share, alternatives),
                )
            )  # fmt: skip


def _advice(
    boxes: Float[np.ndarray, "n 4"], share: float, alternatives: Mapping[str, Float[np.ndarray, "others 4"]]
) -> str:
    """Which of the alternatives fit more of the boxes."""
    tried = boxes[:: -(-len(boxes) // COMPARED)]
    shares = {
        words: float((best_overlaps(tried, other) >= COVERED_IOU).mean()) for words, other in alternatives.items()
    }
    told = [f"{words} would fit {value:.0%}" for words, value in shares.items() if value > share + BETTER]
    return "Each object still keeps its best default box. " + (
        "; ".join(told) + "." if told else "None of the other sets fits more: cut large images into tiles."
    )


def _coverage(covered: np.ndarray) -> Coverage:
    return Coverage(objects=len(covered), covered=int(covered.sum()))


def best_overlaps(
    boxes: Float[np.ndarray, "n 4"], default_boxes: Float[np.ndarray, "boxes 4"]
) -> Float[np.ndarray, " n"]:
    """The greatest IoU of each box with any default box, both xyxy in one frame."""
    narrow = default_boxes.astype(np.float32)
    best = [np.zeros(0, np.float32)]
    for first in range(0, len(boxes), CHUNK):
        best.append(iou_px(boxes[first : first + CHUNK, None].astype(np.float32), narrow).max(axis=1))
    return np.concatenate(best)
