"""`load_dataset`: labelled images from a folder, whatever its layout, checked once and then trusted."""

import difflib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from ssd300.data.dataset import Dataset
from ssd300.data.formats.coco import coco_files, read_coco
from ssd300.data.formats.labels import Faults, LabelledImage, LabelledImages, Purpose
from ssd300.data.formats.lists import LABEL_MAP, has_lists, list_splits, read_lists
from ssd300.data.formats.voc import VOC_CLASSES, available_splits, read_voc, voc_roots
from ssd300.data.formats.yolo import read_yolo, yolo_file, yolo_splits
from ssd300.errors import DataError
from ssd300.images.read import animation_notes
from ssd300.types import Annotation

OnBadLabel = Literal["error", "drop-box", "drop-image"]
Format = Literal["auto", "voc", "coco", "yolo", "lists"]
UNDERSTOOD = (
    "a PASCAL VOC folder (with Annotations and JPEGImages), the VOCdevkit above it, a COCO JSON or the folder above "
    "it, a YOLO data.yaml or its folder, or a folder of lists that `ssd300 prepare` wrote"
)
SHOWN_PROBLEMS = 10


def load_dataset(
    *paths: str | Path,
    split: str | None = None,
    classes: Sequence[str] | None = None,
    format: Format = "auto",  # noqa: A002  # the name of the option
    on_bad_label: OnBadLabel = "error",
    drop_difficult: bool = False,
    require_images: bool = True,
    purpose: Purpose = "train",
) -> Dataset:
    """Read PASCAL VOC folders (a VOCdevkit, a year's folder, or any with `Annotations`; several are joined), COCO's
    annotations, YOLO's data, or a folder of pytorch-SSD300's lists, as what is there says.

    Without `split`, training takes trainval or train and testing takes test or val. Classes are the ones given; else
    the data's own, where it lists them; else VOC's twenty when every label is one of them, or those of all annotations
    in sorted order.

    Raises:
        DataError: nothing recognised or more than one thing, an empty split, an unknown class, a missing image, or
            bad boxes under the policy 'error', all named at once.
    """
    found = read_labelled(
        [Path(path) for path in paths], format, split, purpose, require_images=require_images, faults="raise"
    )
    root = Path(paths[0])
    if not found.images:
        raise DataError(f"the split '{found.split}' is empty", where=root, fix="Name another with --split.")
    names = tuple(classes) if classes is not None else found.classes or _collect_classes(found)
    _check_classes(names, root)
    builder = _Builder(names, on_bad_label, drop_difficult)
    annotations = [annotation for image in found.images if (annotation := builder.annotation(image)) is not None]
    notes = builder.finish(root, found.find_images)
    if not annotations:
        raise DataError("no image is left", where=root, fix="Look at the labels with --on-bad-label error.")
    return Dataset(
        annotations=annotations,
        classes=names,
        root=root,
        split=found.split,
        notes=(*found.notes, *notes, *animation_notes(annotation.image_path for annotation in annotations)),
        dropped={name: count for name, count in builder.dropped.items() if count},
    )


def read_labelled(
    paths: Sequence[Path],
    wanted: Format,
    split: str | None,
    purpose: Purpose,
    *,
    require_images: bool,
    faults: Faults,
) -> LabelledImages:
    """A split as its files have it, before any policy judges it. Raises DataError as `load_dataset` does."""
    if not paths:
        raise DataError("no data was named", fix=f"Name {UNDERSTOOD}.")
    forms = [recognise(path, wanted) for path in paths]
    if len(paths) > 1 and set(forms) != {"voc"}:
        other = next(path for path, form in zip(paths, forms, strict=True) if form != "voc")
        raise DataError("only PASCAL VOC folders can be joined", where=other, fix="Name one data set alone.")
    if forms[0] == "voc":
        roots = [root for path in paths for root in voc_roots(path)]
        return read_voc(roots, split, purpose, require_images=require_images, faults=faults)
    read = {"coco": read_coco, "yolo": read_yolo, "lists": read_lists}[forms[0]]
    return read(paths[0], split, purpose, require_images=require_images)


def labelled_splits(paths: Sequence[Path], wanted: Format) -> list[str]:
    """The splits of the data, none a part of another; [] where it has no lists. Raises DataError as `load_dataset`."""
    form = recognise(paths[0], wanted) if paths else None
    if form == "coco":
        return list(coco_files(paths[0]))
    if form == "yolo":
        return yolo_splits(paths[0])
    if form == "lists":
        return list_splits(paths[0])
    there = {name for path in paths if path.is_dir() for root in voc_roots(path) for name in available_splits(root)}
    learnt = ("trainval",) if "trainval" in there else ("train", "val")
    return [name for name in (*learnt, "test") if name in there]


def recognise(path: Path, wanted: Format) -> str:
    """The form of the data at `path`, by what is there. Raises DataError where nothing or more than one thing fits."""
    if not path.exists():
        raise DataError("there is no such folder or file", where=path, fix=f"Name {UNDERSTOOD}.")
    found = {form: evidence for form, find in EVIDENCE.items() if (evidence := find(path))}
    if wanted != "auto" and wanted not in found:
        raise DataError(f"this is no data of the form '{wanted}'", where=path, fix=f"Name {UNDERSTOOD}.")
    if not found:
        raise DataError("nothing here is data of a known form", where=path, fix=f"Name {UNDERSTOOD}.")
    if wanted == "auto" and len(found) > 1:
        raise DataError(
            "there is more than one data set: "
            + ", ".join(f"{FORMS[form]} ({evidence})" for form, evidence in found.items()),
            where=path,
            fix=f"Say which with {' or '.join(f'--format {form}' for form in found)}.",
        )
    return next(iter(found)) if wanted == "auto" else wanted


def _voc_evidence(path: Path) -> Path | None:
    return next(iter(voc_roots(path)), None) if path.is_dir() else None


def _lists_evidence(path: Path) -> Path | None:
    return path / LABEL_MAP if path.is_dir() and has_lists(path) else None


def _coco_evidence(path: Path) -> Path | None:
    return next(iter(coco_files(path).values()), None)


FORMS = {"voc": "PASCAL VOC", "coco": "COCO annotations", "yolo": "YOLO", "lists": "pytorch-SSD300's lists"}
EVIDENCE: dict[str, Callable[[Path], Path | None]] = {
    "voc": _voc_evidence,
    "coco": _coco_evidence,
    "yolo": yolo_file,
    "lists": _lists_evidence,
}


def _collect_classes(found: LabelledImages) -> tuple[str, ...]:
    names = {item.name.strip() for image in found.images for item in image.objects}
    if names <= set(VOC_CLASSES):
        return VOC_CLASSES
    return tuple(sorted(names | {name.strip() for name in found.all_names()}))


def _check_classes(classes: Sequence[str], where: Path) -> None:
    if "background" in classes:
        raise DataError("a class is called 'background'", where=where, fix="Leave background out; it is always there.")
    if len(set(classes)) != len(classes) or not classes:
        raise DataError("the classes are empty or one stands twice", where=where, fix="Correct the class list.")


class _Builder:
    """Turns files into annotations under a policy, and remembers every problem."""

    def __init__(self, classes: Sequence[str], on_bad_label: OnBadLabel, drop_difficult: bool) -> None:
        self.labels = {name: label for label, name in enumerate(classes)}
        self.folded = {name.strip().casefold(): name for name in classes}
        self.on_bad_label, self.drop_difficult = on_bad_label, drop_difficult
        self.problems: list[str] = []
        self.missing: list[str] = []
        self.unreadable = 0
        self.dropped: Counter[str] = Counter()
        self.renamed: Counter[str] = Counter()

    def annotation(self, image: LabelledImage) -> Annotation | None:
        boxes, labels, difficult, crowd = [], [], [], []
        if image.fault is not None:
            self.problems.append(f"{image.where}: {image.fault}")
            self.unreadable += 1
            self.dropped["images"] += 1
            return None
        for number, item in enumerate(image.objects, start=1):
            if item.fault is not None:
                self.problems.append(f"{image.where}, object {number} ({item.name}): {item.fault}")
                if self.on_bad_label == "drop-image":
                    self.dropped["images"] += 1
                    return None
                self.dropped["boxes"] += 1
                continue
            if item.difficult and self.drop_difficult:
                continue
            boxes.append(item.box_px)
            labels.append(self._label(item.name, f"{image.where}, object {number}"))
            difficult.append(item.difficult)
            crowd.append(item.crowd)
        if image.image_path is None:
            self.missing.append(image.where)
            return None
        return Annotation(
            image_id=image.image_id,
            image_path=image.image_path,
            size_hw=image.size_hw,
            boxes_px=np.array(boxes, dtype=np.float64).reshape(-1, 4),
            labels=np.array(labels, dtype=np.int64),
            difficult=np.array(difficult, dtype=bool),
            crowd=np.array(crowd, dtype=bool),
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

    def finish(self, where: Path, find_images: str) -> list[str]:
        if self.missing:
            raise DataError(
                f"{len(self.missing)} image(s) are missing",
                where=f"first the one of {self.missing[0]}",
                fix=find_images,
            )
        # A file that cannot be read has no boxes to drop, only its image.
        if (self.problems and self.on_bad_label == "error") or (self.unreadable and self.on_bad_label == "drop-box"):
            policies = "drop-image" if self.unreadable else "drop-box or drop-image"
            shown = self.problems[:SHOWN_PROBLEMS]
            more = len(self.problems) - len(shown)
            raise DataError(
                f"{len(self.problems)} bad label(s):\n    "
                + "\n    ".join(shown)
                + (f"\n    and {more} more" if more else ""),
                where=where,
                fix=f"Correct them, or use --on-bad-label {policies}.",
            )
        notes = [f"{count} label(s) {change}" for change, count in self.renamed.items()]
        if self.dropped:
            counts = ", ".join(f"{count} {what}" for what, count in self.dropped.items())
            notes.append(f"left out by --on-bad-label {self.on_bad_label}: {counts}")
        return notes
