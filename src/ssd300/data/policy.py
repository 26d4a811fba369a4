"""From what the files say to annotations: class names become numbers, and `--on-bad-label` decides about faults."""

import difflib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ssd300.data.choices import OnBadLabel
from ssd300.data.formats.annotations import AnnotatedImage, AnnotatedObject
from ssd300.errors import DataError
from ssd300.types import Annotation

SHOWN_PROBLEMS = 10
SHOWN_CLASSES = 25


class AnnotationBuilder:
    """Builds annotations image by image. `dropped` counts the boxes and images that the policy drops.

    Faults of boxes and files, and missing images, are collected; `raise_faults` reports them once all images are built.
    """

    def __init__(self, classes: Sequence[str], on_bad_label: OnBadLabel, *, drop_difficult: bool) -> None:
        self.labels = {name: label for label, name in enumerate(classes)}
        self.folded = {name.strip().casefold(): name for name in classes}
        self.on_bad_label, self.drop_difficult = on_bad_label, drop_difficult
        self.faults: list[str] = []
        self.missing: list[str] = []
        self.unreadable = 0
        self.dropped: Counter[str] = Counter()
        self.renamed: Counter[str] = Counter()

    def build(self, image: AnnotatedImage) -> Annotation | None:
        """The annotation of an image; None if it is dropped or missing. Raises DataError for an unknown class."""
        if image.fault is not None:
            self.faults.append(f"{image.where}: {image.fault}")
            self.unreadable += 1
            self.dropped["images"] += 1
            return None
        objects = self._good_objects(image)
        if objects is None:
            self.dropped["images"] += 1
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

    def _good_objects(self, image: AnnotatedImage) -> list[tuple[AnnotatedObject, int]] | None:
        """The objects to use, with their labels; None where a fault drops the whole image."""
        objects = []
        for number, item in enumerate(image.objects, start=1):
            if item.fault is not None:
                self.faults.append(f"{image.where}, object {number} ({item.name}): {item.fault}")
                if self.on_bad_label == "drop-image":
                    return None
                self.dropped["boxes"] += 1
            elif not (item.difficult and self.drop_difficult):
                objects.append((item, self._label(item.name, f"{image.where}, object {number}")))
        return objects

    def _label(self, name: str, where: str) -> int:
        if name in self.labels:
            return self.labels[name]
        known = self.folded.get(name.strip().casefold())
        if known is not None:
            self.renamed[f"'{name}' as '{known}'"] += 1
            return self.labels[known]
        near = difflib.get_close_matches(name, list(self.labels), n=1)
        raise DataError(
            f"the class '{name}' is not one of {', '.join(list(self.labels)[:SHOWN_CLASSES])}",
            where=where,
            fix=f"Did you mean '{near[0]}'?" if near else "Add it to --classes, or correct the label.",
        )

    def raise_faults(self, where: Path, find_images: str) -> None:
        """Raises DataError for missing images (all counted, the first named), and for faults that the policy does not
        drop (all counted, the first ones named).
        """
        if self.missing:
            raise DataError(
                f"{len(self.missing)} image(s) are missing",
                where=f"first the one of {self.missing[0]}",
                fix=find_images,
            )
        # A file that cannot be read has no boxes to drop, only its image.
        if (self.faults and self.on_bad_label == "error") or (self.unreadable and self.on_bad_label == "drop-box"):
            policies = "drop-image" if self.unreadable else "drop-box or drop-image"
            lines = [f"{len(self.faults)} bad label(s):", *self.faults[:SHOWN_PROBLEMS]]
            if len(self.faults) > SHOWN_PROBLEMS:
                lines.append(f"and {len(self.faults) - SHOWN_PROBLEMS} more")
            raise DataError("\n    ".join(lines), where=where, fix=f"Correct them, or use --on-bad-label {policies}.")

    def notes(self) -> list[str]:
        """How many names were read as another spelling of a class, and what the policy dropped."""
        notes = [f"{count} label(s) {change}" for change, count in self.renamed.items()]
        if self.dropped:
            counts = ", ".join(f"{count} {what}" for what, count in self.dropped.items())
            notes.append(f"dropped by --on-bad-label {self.on_bad_label}: {counts}")
        return notes
