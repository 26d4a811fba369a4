"""Where YOLO data is, in the layouts that tools write: the images of a split, and the text file of an image."""

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from ssd300.data.formats.file_index import FileIndex, key_of, walk
from ssd300.data.formats.text import read_text
from ssd300.data.splits import WHOLE, UnusableSplitError, in_order, role_of
from ssd300.errors import DataError
from ssd300.images.header import is_image_name

# Label Studio's and labelImg's, darknet's, Roboflow's for darknet, makesense's.
CLASS_FILES = ("classes.txt", "obj.names", "_darknet.labels", "labels.txt")
AGAIN = "Correct the file, or export the data again."
# Text files that tools put among the others.
NOT_LABELS = frozenset((*CLASS_FILES, "labels.txt", "train.txt", "val.txt", "valid.txt", "test.txt", "images.txt",
                         "readme.txt"))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class YoloFolder:
    """A description and the folder that its paths start at. `keypoints` is how many numbers follow a box of a pose."""

    file: Path
    root: Path
    names: tuple[str, ...]
    places: Mapping[str, tuple[str, ...]]  # folders or lists of images by split; none for classes.txt
    keypoints: int | None = None
    _labels: dict[Path, Path] = field(default_factory=dict)

    @cached_property
    def _index(self) -> FileIndex:
        return FileIndex(self.root, walk(self.root), is_image_name)

    @cached_property
    def _texts(self) -> FileIndex:
        return FileIndex(self.root, walk(self.root), lambda p: p.suffix.casefold() == ".txt" and not is_no_label(p))

    @cached_property
    def _of_folders(self) -> dict[str, list[Path]]:
        """The images by the folder that is named as a split, where nothing describes the splits."""
        splits: dict[str, list[Path]] = {}
        for path in self._index.files:
            parts = path.relative_to(self.root).parts[:-1]
            splits.setdefault(next((part for part in parts if role_of(part)), WHOLE), []).append(path)
        return splits

    @property
    def splits(self) -> Sequence[str]:
        return in_order(self.places or self._of_folders)

    def images(self, split: str) -> list[Path]:
        """The images of a split, there or not.

        Raises:
            UnusableSplitError: a folder or list is not there, or has no image.
            DataError: an image is listed twice, or a list cannot be read.
        """
        if not self.places:
            return self._of_folders[split]
        images = [path for place in self.places[split] for path in self._images_at(self._find(place, split))]
        if not images:
            where = " and ".join(str(self._find(place, split)) for place in self.places[split])
            raise UnusableSplitError(f"the split '{split}' is empty", where=where, fix="Name another with --split.")
        if twice := next((image for image, count in Counter(images).items() if count > 1), None):
            raise DataError("the image is listed twice", where=twice, fix="Take one out.")
        return images

    def lists(self) -> list[Path]:
        """The text files that list images."""
        found = [place for places in self.places.values() for name in places if (place := self._place(name))]
        return [place for place in found if place.is_file()]

    def label_file(self, image: Path) -> Path:
        """The text file of an image, there or not: where YOLO has it, beside the image, or in the folder of labels that
        has the same folders below it.
        """
        if image not in self._labels:
            usual = label_file(image)
            others = (image.with_suffix(".txt"), *self._of_key(image))
            self._labels[image] = next((path for path in (usual, *others) if path.is_file()), usual)
        return self._labels[image]

    def has_image(self, labels: Path) -> bool:
        """Whether an image below the root may belong to a text file."""
        return bool(self._index.by_key.get(key_of(Path(os.path.relpath(labels, self.root)))))

    def _of_key(self, image: Path) -> Sequence[Path]:
        if not image.is_relative_to(self.root):
            return ()
        found = self._texts.by_key.get(key_of(image.relative_to(self.root)), ())
        return found if len(found) == 1 else ()

    def _images_at(self, place: Path) -> list[Path]:
        """The images of a folder, and of a text file that lists them."""
        if place.is_dir():
            return [path for path in walk(place) if is_image_name(path)]
        lines = (line.strip() for line in read_text(place).splitlines())
        return [self._listed(line, place) for line in lines if line]

    def _listed(self, line: str, place: Path) -> Path:
        relative = line.replace("\\", "/")
        if not relative.strip("./"):
            raise DataError(f"the line '{line}' names no image", where=place, fix="Remove it.")
        for candidate in (self.root / relative, place.parent / relative):
            if candidate.is_file():
                return without_dots(candidate) if ".." in candidate.parts else candidate
        return self._index.find_written(line) or self.root / relative

    def _find(self, place: str, split: str) -> Path:
        found = self._place(place)
        if found is None:
            raise UnusableSplitError(
                f"there is no '{place}', which the split '{split}' names",
                where=self.file,
                fix=f"Create it in {self.root}, correct the path, or remove the line.",
            )
        return found

    def _place(self, place: str) -> Path | None:
        """A folder or list: below the root, beside the file, or, as Roboflow errs, one level off."""
        trimmed = PurePosixPath(place.replace("\\", "/"))
        inside = PurePosixPath(*[part for part in trimmed.parts if part not in ("..", "/")])
        beside = self.file.parent
        below = [inside.relative_to(*inside.parts[:n]) for n in range(1, len(inside.parts))]  # of another computer
        for candidate in (self.root / place, beside / place, self.root / inside, beside / inside,
                          *(beside / tail for tail in below)):  # fmt: skip
            if candidate.exists():
                return without_dots(candidate)
        return None


def without_dots(path: Path) -> Path:
    """One spelling of a path that is there: without `..`, unless links give that another meaning."""
    plain = Path(os.path.normpath(path))
    return plain if plain.exists() and plain.samefile(path) else path


def is_no_label(path: Path) -> bool:
    return path.name.casefold() in NOT_LABELS


def looks_like_labels(path: Path) -> bool:
    """Whether a text file has numbers in its first line, or nothing, as that of an image without objects."""
    try:
        first = next((line for line in read_text(path).splitlines() if line.strip()), "")
        return all(math.isfinite(float(column)) for column in first.split())
    except (DataError, ValueError):
        return False


def label_file(image: Path) -> Path:
    """Where YOLO has the text file of an image: the last folder called images becomes labels, the ending .txt."""
    parts = list(image.parent.parts)
    places = [number for number, part in enumerate(parts) if part.casefold() == "images"]
    if places:
        parts[places[-1]] = "labels"
    return Path(*parts) / f"{image.stem}.txt"
