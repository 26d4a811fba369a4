"""The labels of a folder of images as a page reads and saves them: versions, conflicts, and what changed since when.

A save names the version that it began with. If the file holds another one by now, nothing is written.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from ssd300.data.choices import FormatName
from ssd300.errors import DataError
from ssd300.labeling.folder_lock import alone_in
from ssd300.labeling.objects import NEW, ConflictError, Entry, LabeledObject, Labels, Read, version_of

REMEMBERED = 50_000  # parts of objects, so that one that was removed can be brought back as it was


@runtime_checkable
class LabelFiles(Protocol):
    """The images of a dataset and the files of their labels, in one format."""

    title: str
    format: FormatName
    has_flags: bool
    names_are_listed: bool  # whether an object names its class by a list, so that the list alone is renamed
    names_are_numbered: bool  # whether that is by the place in the list, so that none is taken out
    home: Path
    images: Sequence[Path]

    @property
    def splits(self) -> Mapping[str, Sequence[Path]]: ...  # the images of each; {} for data that is not split
    @property
    def split_fault(self) -> str: ...  # why a list cannot be read
    @property
    def split_lists(self) -> Sequence[str]: ...  # those that images of no split can be added to
    def add_to_list(self, name: str, images: Sequence[Path]) -> Sequence[str]: ...
    def place(self, image: Path) -> Path: ...
    def content(self, image: Path) -> bytes | None: ...
    def read(self, image: Path, content: bytes | None) -> Labels: ...
    def written(
        self, image: Path, content: bytes | None, entries: Sequence[Entry], *, exists: bool
    ) -> bytes | None: ...
    def write(self, image: Path, content: bytes | None) -> None: ...
    @property
    def classes(self) -> Sequence[str]: ...
    def add_class(self, name: str) -> None: ...
    def rename_class(self, old: str, new: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Sent:
    """An object as a page sends it. `key` is the one under which it was read, "" for a new one."""

    object: LabeledObject
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class Current:
    """The labels of an image as they are now, with the key of each object."""

    labels: Labels
    version: str
    keys: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a list of images shows of one. `revision` is that of the store when it last changed."""

    exists: bool
    classes: Mapping[str, int]
    fault: str
    revision: int


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """The file of an image's labels when it was last looked at."""

    stamp: object
    version: str
    summary: Summary


class LabelStore:
    """All images, by their number. Threads may share it, and other processes may change the files."""

    def __init__(self, files: LabelFiles, *, progress: Callable[[int], None] = lambda _done: None) -> None:
        """Reads the labels of all images; `progress` gets how many are read."""
        self.files = files
        self.revision = 0
        self._lock = threading.RLock()
        self._parts: OrderedDict[tuple[int, str], Read] = OrderedDict()
        self._seen: list[_Seen] = []
        for number in range(len(files.images)):
            self._seen.append(self._look_at(number))
            progress(number + 1)

    @property
    def summaries(self) -> Sequence[Summary]:
        return [seen.summary for seen in self._seen]

    def counts(self) -> Counter[str]:
        """How many objects each class has, those without a usable box left out."""
        counts: Counter[str] = Counter()
        for seen in self._seen:
            counts.update(seen.summary.classes)
        return counts

    def read(self, number: int) -> Current:
        """The labels of an image as its file has them now."""
        with self._lock:
            return self._current(number, self._content(number))

    def version(self, number: int) -> str:
        """The version of an image's labels as its file has them now."""
        return version_of(self._content(number))

    def save(self, number: int, sent: Sequence[Sent], *, base: str, exists: bool) -> Current:
        """Write the objects of an image, and what it has then. Without `exists` its labels are removed altogether.

        Raises:
            ConflictError: the labels are no longer those of version `base`. Nothing is written.
            DataError: the labels or the image cannot be read.
            RunError: the file cannot be written. The previous one is unchanged.
        """
        image = self.files.images[number]
        self.files.home.mkdir(parents=True, exist_ok=True)
        with self._lock, alone_in(self.files.home):
            content = self._content(number)
            now = self._current(number, content)
            if now.version != base:
                raise ConflictError("the labels were changed by another program or page", where=image.name)
            if now.labels.fault:
                raise DataError(now.labels.fault, where=image.name, fix="Correct the file, and load the image again.")
            entries = self._entries(number, sent, now)
            new = self.files.written(image, content, entries, exists=exists or bool(entries))
            if new != content:
                self.files.write(image, new)
            saved = self._current(number, new)
            self._note(number)
            return saved

    def look(self) -> None:
        """Notice which files other programs have changed. It takes a moment for each thousand images."""
        with self._lock:
            for number, image in enumerate(self.files.images):
                if _stamp(self.files.place(image)) != self._seen[number].stamp:
                    self._note(number)

    def look_again(self) -> None:
        """Read all labels again, after a change that no single image has."""
        with self._lock:
            self.revision += 1
            self._seen = [self._look_at(number, revision=self.revision) for number in range(len(self._seen))]

    def mark(self, number: int) -> None:
        """Let `changed_since` name an image, of which something else is known now."""
        with self._lock:
            self.revision += 1
            seen = self._seen[number]
            self._seen[number] = replace(seen, summary=replace(seen.summary, revision=self.revision))

    def changed_since(self, revision: int) -> dict[int, Summary]:
        """The images whose labels changed after a revision."""
        with self._lock:
            return {number: one for number, one in enumerate(self.summaries) if one.revision > revision}

    def rename(self, old: str, new: str) -> int:
        """Give all objects of a class another name, also that of another class; how many images were changed.

        Raises as `save`. What was renamed before an error stays so: the same call goes on with the rest.
        """
        done = 0
        for number, summary in enumerate(self.summaries):
            if old in summary.classes and not summary.fault:
                now = self.read(number)
                sent = [
                    Sent(object=replace(one.object, name=new if one.object.name == old else one.object.name), key=key)
                    for one, key in zip(now.labels.objects, now.keys, strict=True)
                ]
                self.save(number, sent, base=now.version, exists=now.labels.exists)
                done += 1
        return done

    def _content(self, number: int) -> bytes | None:
        return self.files.content(self.files.images[number])

    def _current(self, number: int, content: bytes | None) -> Current:
        labels, version = self.files.read(self.files.images[number], content), version_of(content)
        keys = tuple(f"{version}:{place}" for place in range(len(labels.objects)))
        for key, read in zip(keys, labels.objects, strict=True):
            self._parts[number, key] = read
            self._parts.move_to_end((number, key))
        while len(self._parts) > REMEMBERED:
            self._parts.popitem(last=False)
        return Current(labels=labels, version=version, keys=keys)

    def _entries(self, number: int, sent: Sequence[Sent], now: Current) -> list[Entry]:
        places = {key: place for place, key in enumerate(now.keys)}
        return [
            Entry(after=one.object, before=self._parts.get((number, one.key)), number=places.pop(one.key, None))
            for one in sent
        ]

    def _note(self, number: int) -> None:
        """The file of an image's labels was written."""
        seen = self._look_at(number, revision=self.revision + 1)
        if seen.version == self._seen[number].version:  # a file for many images: only others have changed
            seen = replace(seen, summary=self._seen[number].summary)
        self.revision = max(self.revision, seen.summary.revision)
        self._seen[number] = seen

    def _look_at(self, number: int, *, revision: int = 0) -> "_Seen":
        image = self.files.images[number]
        stamp, version = _stamp(self.files.place(image)), NEW
        try:
            content = self._content(number)
            labels, version = self.files.read(image, content), version_of(content)
        except DataError as error:
            labels = Labels(exists=True, fault=error.what)
        names = Counter(one.object.name for one in labels.objects if one.object.box_px is not None)
        summary = Summary(exists=labels.exists, classes=names, fault=labels.fault, revision=revision)
        return _Seen(stamp=stamp, version=version, summary=summary)


def _stamp(path: Path) -> object:
    """What changes when a file is replaced or written to; None for one that is not there."""
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_ino, now.st_size, now.st_mtime_ns
