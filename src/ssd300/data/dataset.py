"""A dataset: the annotations of images, and their classes."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from ssd300.errors import DataError
from ssd300.system.notebook import html_table
from ssd300.system.wording import plural, some
from ssd300.types import Annotation

OnBadImage = Literal["error", "skip"]
NOT_UTF8 = "surrogatepass"  # so that file names that are not UTF-8 can be hashed


def fold(name: str) -> str:
    """What the names of one class have in common: 'Car', 'car ' and 'car' are one class."""
    visible = (letter for letter in unicodedata.normalize("NFKC", name) if unicodedata.category(letter) != "Cf")
    return " ".join("".join(visible).split()).casefold()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Dataset:
    """Annotations of images and their classes. `notes` are the choices made in reading, to be printed; `dropped` counts
    the boxes and images that `--on-bad-label` dropped. `in_memory` is false where the annotations stay in files, and
    are read one by one.
    """

    in_memory: ClassVar[bool] = True

    annotations: Sequence[Annotation]
    classes: tuple[str, ...]
    root: Path
    split: str
    notes: tuple[str, ...] = ()
    other_classes: tuple[str, ...] = ()  # of the data, excluded by `only`
    dropped: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.annotations)

    def __repr__(self) -> str:
        """Such as 'BCCD trainval: 292 images, 3 classes, 4,072 objects (Platelets, RBC, WBC)'."""
        counts = (plural(len(self), "image"), plural(len(self.classes), "class", "classes"))
        objects = plural(sum(self.objects_per_class().values()), "object")
        return f"{self.root.resolve().name} {self.split}: {', '.join(counts)}, {objects} ({some(self.classes)})"

    def _repr_html_(self) -> str:
        """A table of the classes, for notebooks."""
        images = Counter(label for annotation in self.sample for label in set(annotation.labels.tolist()))
        rows = [
            (name, f"{objects:,}", f"{images[label]:,}" if len(self.sample) == len(self) else "-")
            for label, (name, objects) in enumerate(self.objects_per_class().items())
        ]
        title = repr(self).rpartition(" (")[0]
        return html_table(title, ("class", "objects", "images with it"), rows)

    @property
    def sample(self) -> Sequence[Annotation]:
        """All annotations, or an even sample of them where they are not in memory, without pixels."""
        return self.annotations

    def first(self, count: int) -> Sequence[Annotation]:
        """Up to `count` annotations that stand for all, to try something on; evenly spread where that is cheap."""
        return self.annotations[:: max(len(self) // count, 1)][:count]

    def with_notes(self, *notes: str) -> "Dataset":
        return replace(self, notes=(*self.notes, *notes))

    def objects_per_class(self) -> dict[str, int]:
        counts = Counter(label for annotation in self.annotations for label in annotation.labels.tolist())
        return {name: counts[label] for label, name in enumerate(self.classes)}

    def with_classes(self, classes: Sequence[str]) -> "Dataset":
        """The same objects, labeled by other classes, of whose names case and spaces may differ. Raises ValueError for
        objects of a class that is not in them.
        """
        known = {fold(name): label for label, name in enumerate(classes)}
        unknown = [name for name, count in self.objects_per_class().items() if count and fold(name) not in known]
        if unknown:
            raise ValueError(f"there are objects of {', '.join(unknown)}, not of {', '.join(classes)} alone")
        numbers = np.array([known.get(fold(name), -1) for name in self.classes], dtype=np.int64)
        annotations = [replace(annotation, labels=numbers[annotation.labels]) for annotation in self.annotations]
        return replace(self, annotations=annotations, classes=tuple(classes))

    def fingerprint(self) -> str:
        """SHA-256 of classes, image ids, boxes, labels and difficult flags: the same in whatever folder the data is."""
        digest = hashlib.sha256("\n".join(self.classes).encode(errors=NOT_UTF8))
        for annotation in self.annotations:
            digest.update(annotation.image_id.encode(errors=NOT_UTF8))
            for column in (annotation.boxes_px, annotation.labels, annotation.difficult):
                digest.update(column.tobytes())
        return digest.hexdigest()


def check_trainable(dataset: Dataset) -> None:
    """Raises DataError if nothing can be learned (there is no image, or no object), if a label is no index into the
    classes, or if a class is listed twice.
    """
    if len({fold(name) for name in dataset.classes}) < len(dataset.classes):
        raise DataError(
            f"a class is listed twice: {', '.join(dataset.classes)}", where=dataset.root, fix="Give each its own name."
        )
    if not len(dataset):
        raise DataError("there are no images to train on", where=dataset.root)
    if not any(dataset.objects_per_class().values()):
        raise DataError(
            f"none of the {len(dataset)} images of the split '{dataset.split}' has an object to train on",
            where=dataset.root,
            fix="Check that the annotations belong to these images: `ssd300 check` lists what it finds.",
        )
    for annotation in dataset.sample:  # those that are not in memory are checked when they are read
        if len(annotation) and not 0 <= annotation.labels.min() <= annotation.labels.max() < len(dataset.classes):
            raise DataError(
                f"an object has the label {annotation.labels.max()}, and there are {len(dataset.classes)} classes",
                where=annotation.image_path,
                fix="Labels are indices into the dataset's classes, from 0.",
            )
