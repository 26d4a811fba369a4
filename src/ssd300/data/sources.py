"""The datasets that were named, of one format, as one: their splits side by side, and which of them are read."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ssd300.data.choices import Purpose
from ssd300.data.formats.annotations import AnnotatedImage, AnnotatedImages, DataFiles, Source
from ssd300.data.frames import settle
from ssd300.data.problems import Fault
from ssd300.data.splits import PREFERRED, UnusableSplitError, candidates, may_be_part, purpose_words, role_of
from ssd300.errors import DataError
from ssd300.system.files import absolute


@dataclass(frozen=True)
class Choice:
    """The split that is read of each dataset, None of one that is left out."""

    splits: tuple[str | None, ...]

    @property
    def name(self) -> str:
        return "+".join(dict.fromkeys(split for split in self.splits if split is not None))


@dataclass(frozen=True)
class JoinedSources:
    """One or more datasets. `names` tell them apart."""

    sources: Sequence[Source]
    names: Sequence[str]

    @property
    def root(self) -> Path:
        return self.sources[0].home

    def split_names(self) -> list[str]:
        """The names of all splits, each once."""
        return list(dict.fromkeys(split for source in self.sources for split in source.splits))

    def named(self, split: str, *, option: str = "--split") -> Choice:
        """The split of this name, of those that have it. Raises DataError if none has it, with the `option` to use."""
        choice = Choice(tuple(source.find(split) for source in self.sources))
        if not choice.name:
            raise DataError(f"there is no split '{split}'", where=self._where(), fix=self._splits_here(option))
        return choice

    def exactly(self, split: str) -> Choice:
        """The split of this very name."""
        return Choice(tuple(split if split in source.splits else None for source in self.sources))

    def choices(self, purpose: Purpose) -> list[Choice]:
        """What serves the purpose, the preferred choice first. For training, all datasets serve with their best split;
        for evaluation those that have a split of one kind: no dataset is tested on its val beside the test of another.

        Raises UnusableSplitError if no dataset has a split for it.
        """
        found = [candidates(source.splits, purpose) for source in self.sources]
        if purpose == "train":
            choices = [Choice(tuple(names[0] if names else None for names in found))]
        else:
            choices = list(self._by_role(found)) or [Choice(tuple(names[0] if names else None for names in found))]
        if not choices[0].name:
            raise UnusableSplitError(
                f"there is no split to {purpose} on ({purpose_words(purpose)})",
                where=self._where(),
                fix=self._splits_here(),
            )
        return choices

    def _by_role(self, found: Sequence[Sequence[str]]) -> Iterator[Choice]:
        for role in PREFERRED["test"]:
            named = [[name for name in names if role_of(name) == role] for names in found]
            for number in range(max(map(len, named))):
                yield Choice(tuple(names[number] if number < len(names) else None for names in named))

    def every(self) -> tuple[list[Choice], list[str]]:
        """Each split once, but for those whose images are all in another one for the same; and a note on those."""
        names = self.split_names()
        images = {name: self._images(name) for name in names}
        parts = {
            name: f"'{other}'"
            for number, name in enumerate(names)
            for other in names
            if images[name]
            and may_be_part(name, other)
            and (images[name] < images[other] or (images[name] == images[other] and names.index(other) < number))
        }
        usual = set().union(*(images[name] for name in names if role_of(name) is not None))
        parts |= {
            name: "the others" for name in names if role_of(name) is None and images[name] and images[name] <= usual
        }
        notes = [f"the split '{name}' is part of {other}" for name, other in parts.items()]
        return [self.exactly(name) for name in names if name not in parts], notes

    def _images(self, split: str) -> set[tuple[int, str]]:
        """Its images; none where the split cannot be used, which is reported where it is read."""
        images: set[tuple[int, str]] = set()
        for number, source in enumerate(self.sources):
            if split in source.splits:
                try:
                    images |= {(number, image) for image in source.ids(split)}
                except UnusableSplitError:
                    continue
        return images

    def read(self, choice: Choice, *, require_images: bool) -> AnnotatedImages:
        """The images of all datasets, with sizes and boxes of their pixels. An id that several have is preceded by the
        dataset's name.

        Raises:
            UnusableSplitError: there is nothing to read in one of them.
            DataError: a file of annotations is broken.
        """
        parts: list[tuple[str, AnnotatedImages]] = []
        skipped = []
        for name, source, split in zip(self.names, self.sources, choice.splits, strict=True):
            if split is None:
                skipped.append(f"{name}: has no split for this ({', '.join(source.splits)}), skipped")
            else:
                parts.append((name, source.read(split, require_images=require_images)))
        found = [part for _, part in parts]
        counts = Counter(image.image_id for part in found for image in part.images)
        images = _joined([_named(image, name, counts) for name, part in parts for image in part.images])
        listed = [part.classes for part in found if part.classes is not None]
        return AnnotatedImages(
            images=settle(images, self._all_images),
            split=choice.name,
            notes=(*(_labeled(name, part) for name, part in parts), *skipped,
                   *(note for part in found for note in part.notes[1:])),
            classes=tuple(dict.fromkeys(name for names in listed for name in names)) if listed else None,
            count_names=lambda: sum((part.count_names() for part in found), Counter[str]()),
            find_images=found[0].find_images,
            problems=tuple(problem for part in found for problem in part.problems),
            bare_images=tuple(path for part in found for path in part.bare_images),
        )  # fmt: skip

    def _all_images(self) -> list[AnnotatedImage]:
        """Those of all splits that can be read."""
        images: list[AnnotatedImage] = []
        for source in self.sources:
            for split in source.splits:
                try:
                    images += source.read(split, require_images=False).images
                except DataError:
                    continue
        return images

    def files(self) -> list[DataFiles]:
        return [source.files() for source in self.sources]

    def _where(self) -> str:
        return ", ".join(str(source.home) for source in self.sources)

    def _splits_here(self, option: str = "--split") -> str:
        return f"Splits here: {', '.join(self.split_names()) or 'none'}. Name one with {option}."


def join(sources: Sequence[Source]) -> JoinedSources:
    """The datasets, named by the shortest ends of their paths that differ. Raises DataError for one named twice."""
    whole = [Path(absolute(source.home)) for source in sources]
    if twice := [root for root, count in Counter(whole).items() if count > 1]:
        raise DataError("the folder is named twice", where=twice[0], fix="Name it once.")
    depth = 1
    while len({root.parts[-depth:] for root in whole}) < len(whole):
        depth += 1
    return JoinedSources(sources, ["/".join(root.parts[-depth:]) for root in whole])


def _joined(images: Sequence[AnnotatedImage]) -> list[AnnotatedImage]:
    """The images, those of one file with the objects of all datasets that have it."""
    joined: dict[Path | int, AnnotatedImage] = {}
    for number, image in enumerate(images):
        key = number if image.image_path is None or image.fault is not None else image.image_path
        first = joined.get(key)
        if first is None:
            joined[key] = image
        elif (first.size_hw, first.relative) != (image.size_hw, image.relative):
            joined[number] = image
        else:
            twice = Fault("image-listed-twice", f"{image.where} has the same file; their objects are joined")
            joined[key] = replace(first, objects=(*first.objects, *image.objects), remarks=(*first.remarks, twice))
    return list(joined.values())


def _labeled(name: str, part: AnnotatedImages) -> str:
    return f"{name}: {part.notes[0]}"


def _named(image: AnnotatedImage, name: str, counts: Counter[str]) -> AnnotatedImage:
    return replace(image, image_id=f"{name}/{image.image_id}") if counts[image.image_id] > 1 else image
