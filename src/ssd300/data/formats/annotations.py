"""What the reader of a format returns: images and their objects by class name, as the files have them.

`frames.settle` then compares them with the pixels, and `policy` decides about faults.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from ssd300.data.dataset import fold
from ssd300.data.problems import Fault, Problem
from ssd300.data.splits import find_split
from ssd300.errors import DataError

Corners = tuple[float, float, float, float]
NO_ANNOTATION_FILE = Fault("annotation", "there is no annotation file for the image")


@dataclass(frozen=True, kw_only=True)
class AnnotatedObject:
    """One object; `box_px` is xyxy, 0-based and half-open. `fault` is what is wrong with it, None for a good one.

    `written` are the numbers of the file, for messages, where they are other ones. `crowd` is COCO's: a region of many
    objects, which is difficult too. `remarks` are warnings.
    """

    name: str
    box_px: Corners
    difficult: bool = False
    fault: Fault | None = None
    crowd: bool = False
    written: Corners | None = None
    remarks: tuple[Fault, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AnnotatedImage:
    """One image as a file describes it. `where` names that file, and the entry in it, for messages.

    `image_path` is None where an image was required and is missing. `size_hw` is what the file says, None if it says
    nothing usable; once settled, it is the size of the image as shown. Before that, `relative` boxes are shares of the
    image's sides; `has_size` is whether the format has a size for its boxes at all.
    `fault` is why the annotation as a whole cannot be used, None if it can.
    """

    image_id: str
    image_path: Path | None
    size_hw: tuple[int, int] | None
    objects: tuple[AnnotatedObject, ...]
    where: str
    fault: Fault | None = None
    remarks: tuple[Fault, ...] = ()
    relative: bool = False
    has_size: bool = True

    def warnings(self) -> Iterable[Problem]:
        """The remarks on the image and its objects."""
        yield from (remark.at(self.where) for remark in self.remarks)
        for number, item in enumerate(self.objects, start=1):
            yield from (remark.at(self.where, number, name=item.name) for remark in item.remarks)


@dataclass(frozen=True, kw_only=True, eq=False)
class AnnotatedImages:
    """The images of one split. `notes` are printed.

    `classes` are those that the data lists, None where it has no list: `count_names` then counts the names of all
    splits together, as one split may lack a class of another. `find_images` is the advice where images are missing.
    `problems` are those that belong to no image of the split; `bare_images` are images that no list excludes and that
    have no annotation.
    """

    images: Sequence[AnnotatedImage] = field(repr=False)
    split: str
    notes: tuple[str, ...] = field(repr=False)
    classes: tuple[str, ...] | None = field(repr=False)
    count_names: Callable[[], Counter[str]]
    find_images: str
    problems: tuple[Problem, ...] = field(default=(), repr=False)
    unlabeled: int = 0
    searched: str = ""
    bare_images: tuple[Path, ...] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True)
class DataFiles:
    """Files of a dataset. `used` are the images and annotations of all its splits; `folders` those that hold its images
    and annotations, so that other files in them should be used; `known` are its descriptions and lists.

    `why` gives the rule and reason for an unused file where the format knows it, None where not.
    """

    used: frozenset[Path]
    folders: tuple[Path, ...]
    known: frozenset[Path] = frozenset()
    label_suffix: str | None = None
    why: Callable[[Path], Fault | None] = field(default=lambda _path: None)


class Source(ABC):
    """One dataset of a format, found at a path. It reads a split at a time, as its files have it."""

    @property
    @abstractmethod
    def home(self) -> Path:
        """The path that it was found at."""

    @property
    @abstractmethod
    def splits(self) -> Sequence[str]:
        """The names of all splits, as they are written; one for data that is not split."""

    def find(self, wanted: str) -> str | None:
        """The split that is meant by a name, None if there is none."""
        return find_split(self.splits, wanted)

    @abstractmethod
    def read(self, split: str, *, require_images: bool) -> AnnotatedImages:
        """A split of `splits`. Raises UnusableSplitError if there is nothing to read, DataError for a broken file."""

    @abstractmethod
    def ids(self, split: str) -> Sequence[str]:
        """What the images of a split are called, without reading annotations. Raises DataError as `read` does."""

    @abstractmethod
    def files(self) -> DataFiles:
        """The files of all splits together."""


def listed_twice(names: Sequence[str], where: str) -> tuple[Problem, ...]:
    """The entries of a list of classes that are a class of it already, but for case and spaces.

    Raises DataError for an entry that is equal to one before it: two classes were meant, and only one can be trained.
    """
    first: dict[str, str] = {}
    problems = []
    for number, name in enumerate(names):
        if first.get(fold(name)) == name:
            fix = "Give each class its own name in the list; the numbers in the labels tell which one an object is of."
            raise DataError(f"the class '{name}' is listed twice, again as entry {number}", where=where, fix=fix)
        if fold(name) in first:
            what = f"entry {number} of the classes, '{name}', is listed before as '{first[fold(name)]}'"
            problems.append(Fault("class-spelling", f"{what}; they are taken for one").at(where))
        first.setdefault(fold(name), name)
    return tuple(problems)


def unique_ids(paths: Sequence[str]) -> list[str]:
    """An id for each image: its name without ending, or, where several have that name, the path as it is written."""
    stems = Counter(PurePath(path).stem for path in paths)
    return [PurePath(path).stem if stems[PurePath(path).stem] == 1 else path for path in paths]
