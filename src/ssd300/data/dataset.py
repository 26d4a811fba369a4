"""`load_dataset`: labelled pictures from a folder, whatever its layout, checked once and then trusted."""

import difflib
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ssd300.data.voc import VOC_CLASSES, VocFile, available_splits, find_image, read_split, read_xml
from ssd300.errors import DataError
from ssd300.types import Annotation

OnBadLabel = Literal["error", "drop-box", "drop-image"]
Purpose = Literal["train", "test"]
SPLITS: Mapping[Purpose, tuple[str, ...]] = {"train": ("trainval", "train"), "test": ("test", "val")}
SHOWN_PROBLEMS = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Annotations of pictures and their classes. `notes` are the choices that were made and must be said aloud;
    `dropped` counts the boxes and images that the policy left out.
    """

    annotations: Sequence[Annotation]
    classes: tuple[str, ...]
    root: Path
    split: str
    notes: tuple[str, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.annotations)

    def objects_per_class(self) -> dict[str, int]:
        counts = Counter(label for annotation in self.annotations for label in annotation.labels.tolist())
        return {name: counts[label] for label, name in enumerate(self.classes)}

    def fingerprint(self) -> str:
        """SHA-256 of ids, boxes, labels and classes: the same wherever the data lies."""
        digest = hashlib.sha256("\n".join(self.classes).encode())
        for annotation in self.annotations:
            digest.update(annotation.image_id.encode())
            for column in (annotation.boxes_px, annotation.labels, annotation.difficult):
                digest.update(column.tobytes())
        return digest.hexdigest()


def load_dataset(
    *paths: str | Path,
    split: str | None = None,
    classes: Sequence[str] | None = None,
    on_bad_label: OnBadLabel = "error",
    drop_difficult: bool = False,
    require_images: bool = True,
    purpose: Purpose = "train",
) -> Dataset:
    """Read PASCAL VOC folders: a VOCdevkit, a year's folder, or any with `Annotations`; several are joined.

    Without `split`, training takes trainval or train and testing takes test or val. Classes are VOC's twenty when every
    label is one of them, else those of all annotations in sorted order, or the ones given.

    Raises:
        DataError: nothing recognised, an empty split, an unknown class, a missing picture, or bad boxes under the
            policy 'error', all named at once.
    """
    roots = [root for path in paths for root in _voc_roots(Path(path))]
    if not roots:
        raise DataError("no data was named", fix="Name a PASCAL VOC folder.")
    notes: list[str] = []
    entries: list[tuple[Path, str]] = []
    chosen_splits: list[str] = []
    for root in roots:
        chosen, ids, note = _ids(root, split, purpose, only=len(roots) == 1)
        if chosen is None:
            notes.append(note)
            continue
        notes.append(note)
        chosen_splits.append(chosen)
        entries += [(root, image_id) for image_id in ids]
    if not entries:
        raise DataError("the split is empty", where=roots[0], fix="Name another with --split.")
    files = [(root, image_id, read_xml(root / "Annotations" / f"{image_id}.xml")) for root, image_id in entries]
    names = tuple(classes) if classes is not None else _collect_classes(roots, files)
    _check_classes(names, roots[0])
    builder = _Builder(names, on_bad_label, drop_difficult, require_images)
    seen = Counter(image_id for _, image_id, _ in files)
    annotations = []
    for root, image_id, file in files:
        annotation = builder.annotation(root, image_id, file, f"{root.name}/" if seen[image_id] > 1 else "")
        if annotation is not None:
            annotations.append(annotation)
    notes += builder.finish(roots[0])
    if not annotations:
        raise DataError("no picture is left", where=roots[0], fix="Look at the labels with --on-bad-label error.")
    return Dataset(
        annotations=annotations,
        classes=names,
        root=roots[0],
        split="+".join(dict.fromkeys(chosen_splits)),
        notes=tuple(notes),
        dropped={name: count for name, count in builder.dropped.items() if count},
    )


def _voc_roots(path: Path) -> list[Path]:
    if not path.is_dir():
        raise DataError("there is no such folder", where=path, fix="Name a PASCAL VOC folder.")
    if (path / "Annotations").is_dir():
        return [path]
    roots = sorted(child for child in path.iterdir() if (child / "Annotations").is_dir())
    if not roots and (path / "VOCdevkit").is_dir():
        return _voc_roots(path / "VOCdevkit")
    if not roots:
        raise DataError(
            "this is no PASCAL VOC folder: neither it nor a folder in it has 'Annotations'",
            where=path,
            fix="Name the folder that holds Annotations, JPEGImages and ImageSets, or the VOCdevkit above it.",
        )
    return roots


def _ids(root: Path, split: str | None, purpose: Purpose, *, only: bool) -> tuple[str | None, list[str], str]:
    there = available_splits(root)
    if split is not None:
        if split not in there and not only:
            return None, [], f"{root.name}: has no split '{split}', left out"
        return split, read_split(root, split), f"{root.name}: PASCAL VOC (it has Annotations), split '{split}' as asked"
    if not there:
        ids = sorted(path.stem for path in (root / "Annotations").glob("*.xml"))
        return "all", ids, f"{root.name}: PASCAL VOC without split lists, all {len(ids)} annotations are taken"
    for name in SPLITS[purpose]:
        if name in there:
            return name, read_split(root, name), f"{root.name}: PASCAL VOC, split '{name}' for {purpose}ing"
    if not only:
        return None, [], f"{root.name}: has no split for {purpose}ing, left out"
    raise DataError(
        f"there is no split for {purpose}ing ({' or '.join(SPLITS[purpose])})",
        where=root / "ImageSets" / "Main",
        fix=f"Splits here: {', '.join(there)}. Name one with --split.",
    )


def _collect_classes(roots: Sequence[Path], files: Sequence[tuple[Path, str, VocFile]]) -> tuple[str, ...]:
    found = {item.name.strip() for _, _, file in files for item in file.objects}
    if found <= set(VOC_CLASSES):
        return VOC_CLASSES
    # A split may lack a class, so home-made classes come from every annotation: all splits get the same.
    read = {(root, image_id) for root, image_id, _ in files}
    for root in roots:
        for path in sorted((root / "Annotations").glob("*.xml")):
            if (root, path.stem) not in read:
                found |= {item.name.strip() for item in read_xml(path).objects}
    return tuple(sorted(found))


def _check_classes(classes: Sequence[str], where: Path) -> None:
    if "background" in classes:
        raise DataError("a class is called 'background'", where=where, fix="Leave background out; it is always there.")
    if len(set(classes)) != len(classes) or not classes:
        raise DataError("the classes are empty or one stands twice", where=where, fix="Correct the class list.")


class _Builder:
    """Turns files into annotations under a policy, and remembers every problem."""

    def __init__(
        self, classes: Sequence[str], on_bad_label: OnBadLabel, drop_difficult: bool, require_images: bool
    ) -> None:
        self.labels = {name: label for label, name in enumerate(classes)}
        self.folded = {name.strip().casefold(): name for name in classes}
        self.on_bad_label, self.drop_difficult, self.require_images = on_bad_label, drop_difficult, require_images
        self.problems: list[str] = []
        self.missing: list[Path] = []
        self.dropped: Counter[str] = Counter()
        self.renamed: Counter[str] = Counter()

    def annotation(self, root: Path, image_id: str, file: VocFile, prefix: str) -> Annotation | None:
        xml = root / "Annotations" / f"{image_id}.xml"
        boxes, labels, difficult = [], [], []
        for number, item in enumerate(file.objects, start=1):
            if item.fault is not None:
                self.problems.append(f"{xml}, object {number} ({item.name}): {item.fault}")
                if self.on_bad_label == "drop-image":
                    self.dropped["images"] += 1
                    return None
                self.dropped["boxes"] += 1
                continue
            if item.difficult and self.drop_difficult:
                continue
            boxes.append(item.box_px)
            labels.append(self._label(item.name, f"{xml}, object {number}"))
            difficult.append(item.difficult)
        image = find_image(root, image_id) if self.require_images else root / "JPEGImages" / f"{image_id}.jpg"
        if image is None:
            self.missing.append(xml)
            return None
        return Annotation(
            image_id=prefix + image_id,
            image_path=image,
            size_hw=file.size_hw,
            boxes_px=np.array(boxes, dtype=np.float64).reshape(-1, 4),
            labels=np.array(labels, dtype=np.int64),
            difficult=np.array(difficult, dtype=bool),
        )

    def _label(self, name: str, where: str) -> int:
        if name in self.labels:
            return self.labels[name]
        known = self.folded.get(name.strip().casefold())
        if known is not None:
            self.renamed[f"'{name}' as '{known}'"] += 1
            return self.labels[known]
        near = difflib.get_close_matches(name, list(self.labels), n=1)
        raise DataError(
            f"the class '{name}' is not one of {', '.join(list(self.labels)[:25])}",
            where=where,
            fix=f"Did you mean '{near[0]}'?" if near else "Add it to --classes, or correct the label.",
        )

    def finish(self, where: Path) -> list[str]:
        if self.missing:
            raise DataError(
                f"{len(self.missing)} annotation(s) have no picture in JPEGImages", where=self.missing[0],
                fix="Add the pictures, or take the ids out of the list.",
            )  # fmt: skip
        if self.problems and self.on_bad_label == "error":
            shown = self.problems[:SHOWN_PROBLEMS]
            more = len(self.problems) - len(shown)
            raise DataError(
                f"{len(self.problems)} bad label(s):\n    "
                + "\n    ".join(shown)
                + (f"\n    and {more} more" if more else ""),
                where=where,
                fix="Correct them, or use --on-bad-label drop-box or drop-image.",
            )
        notes = [f"{count} label(s) {change}" for change, count in self.renamed.items()]
        if self.dropped:
            notes.append(f"left out by --on-bad-label {self.on_bad_label}: {dict(self.dropped)}")
        return notes
