"""From what the files say to annotations: class names become numbers, and `--on-bad-label` decides about faults."""

import difflib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ssd300.data.choices import OnBadLabel
from ssd300.data.classes import ClassNames
from ssd300.data.dataset import fold
from ssd300.data.formats.annotations import NO_ANNOTATION_FILE, AnnotatedImage, AnnotatedImages, AnnotatedObject
from ssd300.data.problems import Problem
from ssd300.errors import DataError
from ssd300.system.wording import counted, plural
from ssd300.types import Annotation

DROPPED = {"images": "{image|images}", "boxes": "{box|boxes}"}
SHOWN_PROBLEMS = 10
SHOWN_CLASSES = 25


class AnnotationBuilder:
    """Builds annotations image by image. `dropped` counts the boxes and images that the policy drops, and the objects
    of those images; `excluded` the objects that options exclude.

    Faults are collected; `raise_faults` reports them once all images are built. `only` are the classes to keep.
    """

    def __init__(
        self, names: ClassNames, on_bad_label: OnBadLabel, *, only: Sequence[str] | None, drop_difficult: bool
    ) -> None:
        kept = names.classes if only is None else tuple(only)
        self.labels = {fold(name): label for label, name in enumerate(kept)}
        self.classes, self.known = kept, names.usual
        self.on_bad_label, self.drop_difficult = on_bad_label, drop_difficult
        self.faults: list[str] = []
        self.missing: list[str] = []
        self.without_annotation: list[str] = []
        self.unknown: Counter[str] = Counter()
        self.first_unknown = ""
        self.unreadable = 0
        self.images = 0
        self.dropped: Counter[str] = Counter()
        self.excluded: Counter[str] = Counter()
        self.renamed: Counter[str] = Counter()

    def build(self, image: AnnotatedImage) -> Annotation | None:
        """The annotation of an image; None if it is dropped or missing."""
        self.images += 1
        if image.fault is not None:
            self._drop_whole(image)
            return None
        objects = self._good_objects(image)
        if objects is None:
            self._drop_image(image)
            return None
        if image.image_path is None:
            self.missing.append(image.where)
            return None
        return Annotation(
            image_id=image.image_id,
            image_path=image.image_path,
            size_hw=image.size_hw,
            boxes_px=np.array([item.box_px for item, _ in objects], dtype=np.float64).reshape(-1, 4),
            labels=np.array([label for _, label in objects], dtype=np.int64),
            difficult=np.array([item.difficult for item, _ in objects], dtype=bool),
            crowd=np.array([item.crowd for item, _ in objects], dtype=bool),
        )

    def _drop_whole(self, image: AnnotatedImage) -> None:
        if image.fault is NO_ANNOTATION_FILE:
            self.without_annotation.append(image.where)
        else:
            self.faults.append(f"{image.where}: {image.fault}")
            self.unreadable += 1
        self._drop_image(image)

    def _drop_image(self, image: AnnotatedImage) -> None:
        self.dropped["images"] += 1
        self.excluded["{object|objects} of dropped images"] += len(image.objects)

    def drop_orphans(self, problems: Sequence[Problem]) -> None:
        """Objects that belong to no image are bad boxes."""
        self.faults += [f"{problem.file}: {problem.message}" for problem in problems if problem.level == "error"]
        self.dropped["boxes"] += sum(problem.level == "error" for problem in problems)

    def _good_objects(self, image: AnnotatedImage) -> list[tuple[AnnotatedObject, int]] | None:
        """The objects to use, with their labels; None where a fault drops the whole image."""
        objects = []
        bad = [(number, item) for number, item in enumerate(image.objects, start=1) if item.fault is not None]
        for number, item in bad:
            name = f" ({item.name})" if item.name else ""
            self.faults.append(f"{image.where}, object {number}{name}: {item.fault}")
        if bad and self.on_bad_label == "drop-image":
            return None
        self.dropped["boxes"] += len(bad)
        for number, item in enumerate(image.objects, start=1):
            if item.fault is not None:
                continue
            if item.difficult and self.drop_difficult:
                self.excluded["difficult {object|objects}, by --drop-difficult"] += 1
            elif (label := self._label(item.name, f"{image.where}, object {number}")) is not None:
                objects.append((item, label))
        return objects

    def _label(self, name: str, where: str) -> int | None:
        """The label of a class; None for one that is excluded or unknown, which is counted."""
        folded = fold(name)
        usual = self.known.get(folded)
        if usual is None:
            self.unknown[name] += 1
            self.first_unknown = self.first_unknown or where
            return None
        if usual != name:
            self.renamed[f"'{name}' as '{usual}'"] += 1
        if folded not in self.labels:
            self.excluded["{object|objects} of other classes, by --only"] += 1
            return None
        return self.labels[folded]

    def raise_faults(self, where: Path, found: AnnotatedImages) -> None:
        """Raises DataError for missing annotations and images and for unknown classes (all counted, the first named),
        and for faults that the policy does not drop (all counted, the first ones named).
        """
        if found.bare_images and self.on_bad_label != "drop-image":
            raise DataError(
                f"there is no annotation file for {plural(len(found.bare_images), 'image')}",
                where=f"first {found.bare_images[0]}",
                fix="Add it (without objects where the image shows none), list the images to use in ImageSets/Main, or "
                "leave these out with --on-bad-label drop-image.",
            )
        if self.without_annotation:
            raise DataError(
                f"there is no annotation file for {len(self.without_annotation)} of {self.images} images",
                where=f"first {self.without_annotation[0]}",
                fix="Add it (without objects where the image shows none), or remove the id from the list.",
            )
        if self.unknown:
            self._raise_unknown()
        if self.missing:
            raise DataError(
                counted(len(self.missing), "{image is|images are} missing"),
                where=f"first the one of {self.missing[0]}",
                fix=found.find_images,
            )
        # A file that cannot be read has no boxes to drop, only its image.
        if (self.faults and self.on_bad_label == "error") or (self.unreadable and self.on_bad_label == "drop-box"):
            policies = "drop-image" if self.unreadable else "drop-box or drop-image"
            lines = [f"{counted(len(self.faults), 'bad {label|labels}')}:", *self.faults[:SHOWN_PROBLEMS]]
            if len(self.faults) > SHOWN_PROBLEMS:
                lines.append(f"and {len(self.faults) - SHOWN_PROBLEMS} more")
            raise DataError("\n    ".join(lines), where=where, fix=f"Correct them, or use --on-bad-label {policies}.")

    def _raise_unknown(self) -> None:
        name = next(iter(self.unknown))
        known = list(self.known.values())
        near = difflib.get_close_matches(name, known, n=1)
        others = self.unknown.total() - self.unknown[name]
        kinds = counted(len(self.unknown) - 1, "other unknown {class|classes}")
        more = f"; {counted(others, 'more {object is|objects are}')} of {kinds}" if others else ""
        raise DataError(
            f"the class '{name}' of {plural(self.unknown[name], 'object')} is not one of "
            f"{', '.join(known[:SHOWN_CLASSES])}{more}",
            where=self.first_unknown,
            fix="Add it to --classes, or correct the label" + (f" if it means '{near[0]}'." if near else "."),
        )

    def notes(self) -> list[str]:
        """How many names were read as another spelling of a class, and what the policy and options dropped."""
        notes = [f"{plural(count, 'label')} {change}" for change, count in self.renamed.items()]
        if any(self.dropped.values()):
            counts = ", ".join(counted(count, DROPPED[what]) for what, count in self.dropped.items() if count)
            notes.append(f"dropped by --on-bad-label {self.on_bad_label}: {counts}")
        return notes + [f"excluded: {counted(count, what)}" for what, count in self.excluded.items() if count]
