"""Which images a page of findings shows: some of every split and class, and some for each kind of problem."""

import filecmp
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from ssd300.data.formats.annotations import AnnotatedImage, AnnotatedImages
from ssd300.data.problems import Problem
from ssd300.images.colors import Color
from ssd300.images.header import is_image_name
from ssd300.reporting.labeled_images import draw_labeled

SAMPLES, OF_EACH_SPLIT = 12, 2
PER_RULE, MOST_PER_RULE = 3, 6  # pictures; as many as there are kinds, if that is more
PAIRS = 6
PAIRED_RULES = ("duplicate", "duplicate-across-splits")  # an image is shown beside the other one


class Picture(NamedTuple):
    """One image, or two side by side, each with its alternative text; `title` is in bold before `text`."""

    images: Sequence[tuple[str, Image.Image]]
    title: str
    text: str


class _Candidate(NamedTuple):
    """An image whose file is there, the classes in it, and whether all of its annotation can be used."""

    split: str
    image: AnnotatedImage
    names: frozenset[str]
    usable: bool


@dataclass(frozen=True, eq=False)
class ListedImages:
    """The images of all splits, found by the file that a problem names."""

    splits: Mapping[str, AnnotatedImages]

    @cached_property
    def by_file(self) -> dict[str, AnnotatedImage]:
        """By the image's path, and by the annotation; of several the first."""
        found: dict[str, AnnotatedImage] = {}
        for split in self.splits.values():
            for image in split.images:
                found.setdefault(image.where, image)
                if image.image_path is not None:
                    found.setdefault(str(image.image_path), image)
        return found

    @cached_property
    def by_bytes(self) -> dict[int, list[AnnotatedImage]]:
        """By the size of the image's file, in the order of the splits."""
        found = defaultdict(list)
        for split in self.splits.values():
            for image in split.images:
                if image.image_path is not None and image.image_path.is_file():
                    found[image.image_path.stat().st_size].append(image)
        return dict(found)

    def find(self, file: str) -> AnnotatedImage | None:
        """The image, also one that no split has; None for a file that is about no image."""
        if file in self.by_file:
            return self.by_file[file]
        path = Path(file)
        if is_image_name(path) and path.is_file():
            return bare_image(path)
        return None

    def same_content(self, image: AnnotatedImage) -> AnnotatedImage | None:
        """The first other image whose file has the same bytes."""
        path = image.image_path
        if path is None or not path.is_file():
            return None
        for other in self.by_bytes.get(path.stat().st_size, []):
            there = other.image_path
            if there is not None and there != path and filecmp.cmp(path, there, shallow=False):
                return other
        return None


def bare_image(path: Path) -> AnnotatedImage:
    """An image file without annotation."""
    return AnnotatedImage(image_id=path.stem, image_path=path, size_hw=None, objects=(), where=str(path))


def sample_pictures(splits: Mapping[str, AnnotatedImages], colors: Mapping[str, Color]) -> list[Picture]:
    """Up to SAMPLES images whose files are there, with their labels: the same ones for the same data."""
    return [_sample(split, image, colors) for split, image in _choose(splits)]


def _choose(splits: Mapping[str, AnnotatedImages]) -> list[tuple[str, AnnotatedImage]]:
    """First OF_EACH_SPLIT; then always the image with the most classes that were not shown yet."""
    left = [one for name, split in splits.items() for one in _candidates(name, split.images)]
    chosen: list[_Candidate] = []
    shown: set[str] = set()
    of_split: Counter[str] = Counter()

    def worth(one: _Candidate) -> tuple[int, ...]:
        few = of_split[one.split] < OF_EACH_SPLIT
        return few, len(one.names - shown), one.usable, bool(one.names), -of_split[one.split]

    while left and len(chosen) < SAMPLES:
        best = max(left, key=worth)
        chosen.append(best)
        shown |= best.names
        of_split[best.split] += 1
        left = [one for one in left if one.image.image_path != best.image.image_path]  # splits may share images
    order = list(splits)
    return [(one.split, one.image) for one in sorted(chosen, key=lambda one: order.index(one.split))]


def _candidates(split: str, images: Sequence[AnnotatedImage]) -> list[_Candidate]:
    """In an order that depends on the ids alone, so that neighbors, which are often alike, are apart."""
    there = [image for image in images if image.image_path is not None and image.image_path.is_file()]
    there.sort(key=lambda image: hashlib.sha256(image.image_id.encode(errors="replace")).digest())
    return [
        _Candidate(
            split,
            image,
            names=frozenset(item.name.strip() for item in image.objects),
            usable=image.fault is None and all(item.fault is None for item in image.objects),
        )
        for image in there
    ]


def _sample(split: str, image: AnnotatedImage, colors: Mapping[str, Color]) -> Picture:
    drawn = draw_labeled(image, colors=colors)
    text = _joined(f"{split}: {_objects_in_words(image)}", drawn.lack)
    return Picture([(f"{_name(image)}, {text}", drawn.image)], _name(image), text)


def _objects_in_words(image: AnnotatedImage) -> str:
    counts = Counter(item.name.strip() for item in image.objects)
    difficult = sum(item.difficult for item in image.objects)
    words = ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "no objects"
    return words + (f" ({difficult} difficult)" if difficult else "")


def _name(image: AnnotatedImage) -> str:
    return image.image_path.name if image.image_path is not None else image.image_id


def problem_pictures(problems: Sequence[Problem], listed: ListedImages) -> list[Picture]:
    """Pictures for problems of one rule, on images that differ if possible; [] if they are about no image."""
    found = [(problem, image) for problem in problems if (image := listed.find(problem.file)) is not None]
    return [_problem_picture(problem, image, listed) for problem, image in _spread(found)]


def _spread(found: Sequence[tuple[Problem, AnnotatedImage]]) -> list[tuple[Problem, AnnotatedImage]]:
    """The first of each kind, then others, images that are not shown yet first."""
    kinds: set[str] = set()
    files: set[str] = set()
    ranked = []
    for place, (problem, image) in enumerate(found):
        kind = _kind(problem, image)
        ranked.append((kind in kinds, problem.file in files, place))
        kinds.add(kind)
        files.add(problem.file)
    count = min(max(PER_RULE, len(kinds)), MOST_PER_RULE)
    return [found[place] for *_, place in sorted(ranked)[:count]]


def _kind(problem: Problem, image: AnnotatedImage) -> str:
    """The message without what differs from object to object: the class, numbers and paths."""
    message = problem.message
    if problem.object is not None and problem.object <= len(image.objects):
        message = message.removeprefix(f"{image.objects[problem.object - 1].name}: ")
    return re.sub(r"\S*[\d/\\]\S*|\bnan\b|-?\binf\b", "#", message)


def _problem_picture(problem: Problem, image: AnnotatedImage, listed: ListedImages) -> Picture:
    shown = [image]
    if problem.rule in PAIRED_RULES and (other := listed.same_content(image)) is not None:
        shown.append(other)
    drawn = [draw_labeled(one, at_fault=problem.object) for one in shown]
    # Of a whole file the message says why it cannot be shown, and so does the picture.
    text = _joined(problem.message, *(() if problem.object is None else (drawn[0].lack, drawn[0].remark)))
    title = " and ".join(_name(one) for one in shown)
    if problem.object is not None:
        title += f", object {problem.object}"
    images = [(f"{_name(one)}: {problem.message}", picture.image) for one, picture in zip(shown, drawn, strict=True)]
    return Picture(images, title, text)


def _joined(*texts: str | None) -> str:
    """The texts that there are, as sentences; equal ones once."""
    return " ".join(dict.fromkeys(text if text.endswith(".") else f"{text}." for text in texts if text))


def pair_pictures(pairs: Sequence[tuple[Path, Path, str]]) -> list[Picture]:
    """The first PAIRS pairs of images, side by side without their labels, each with its caption."""
    pictures = []
    for first, second, caption in pairs[:PAIRS]:
        drawn = [draw_labeled(bare_image(path)) for path in (first, second)]
        text = _joined(caption, *(one.lack for one in drawn))
        images = [(path.name, one.image) for path, one in zip((first, second), drawn, strict=True)]
        pictures.append(Picture(images, f"{first.name} and {second.name}", text))
    return pictures
