"""All that a server of the page holds: the labels, the classes in their order, and the pictures."""

import threading
from collections.abc import Sequence
from pathlib import Path

from ssd300.data.class_lists import check_class_list
from ssd300.data.dataset import fold
from ssd300.errors import DataError
from ssd300.labeling.decisions import Decisions
from ssd300.labeling.label_store import LabelStore
from ssd300.labeling.pictures import Details
from ssd300.labeling.proposals import Proposer
from ssd300.labeling.review import Reviewer
from ssd300.labeling.training_run import RUNS, TrainingRuns
from ssd300.system.files import absolute

LONGEST_CLASS = 200  # letters


class Project:
    """One folder that is labeled. Threads may share it."""

    def __init__(
        self,
        folder: Path,
        store: LabelStore,
        *,
        weights: str | None = None,
        device: str = "auto",
        runs: Path = RUNS,
        listed: Sequence[int] = (),
    ) -> None:
        """`weights` propose boxes, on `device`; their thread ends with `close`. Trainings are written to `runs`, and to
        folders of this name with a number. The page lists the images `listed` first, or all without any.
        """
        self.folder, self.store, self.listed = folder, store, listed
        self.training = TrainingRuns(runs)
        self._device = device
        self.proposer: Proposer | None = None
        self.reviewer: Reviewer | None = None
        self.details = Details()
        self.names = _names_of(store)
        self._classes = list(store.files.classes)
        self._decisions = Decisions(store.files.home)
        self._lock = threading.Lock()
        if weights is not None:
            self.use_weights(weights)

    def use_weights(self, weights: str) -> None:
        """Propose boxes, and review labels, by these weights from now on."""
        self.close()
        images = self.store.files.images
        self.proposer = Proposer(weights, images, device=self._device, found=self.store.mark)
        self.reviewer = Reviewer(self.store, self.names, self.proposer, self._decisions)

    def close(self) -> None:
        """End the thread of the proposals."""
        if self.proposer is not None:
            self.proposer.close()

    @property
    def title(self) -> str:
        return Path(absolute(self.folder)).name or str(self.folder)

    @property
    def classes(self) -> Sequence[str]:
        """The listed classes, then those of labels, in the order in which they were first seen here."""
        with self._lock:
            found = sorted(set(self.store.counts()) - set(self._classes))
            self._classes += [name for name in found if name]
            return list(self._classes)

    def splits(self) -> dict[str, list[int]]:
        """The numbers of the images of each split, {} for data that is not split."""
        files = self.store.files
        numbers = {absolute(image): number for number, image in enumerate(files.images)}
        named = {name: [numbers.get(absolute(image)) for image in images] for name, images in files.splits.items()}
        return {name: [number for number in found if number is not None] for name, found in named.items()}

    def unlisted(self) -> list[int]:
        """The numbers of labeled images that are in no split, where the data is split."""
        if not (splits := self.splits()):
            return []
        listed = {number for numbers in splits.values() for number in numbers}
        return [number for number, one in enumerate(self.store.summaries) if one.exists and number not in listed]

    def add_to_list(self, name: str) -> int:
        """Add the labeled images that are in no split to the list of one; how many. Raises DataError, RunError."""
        images = [self.store.files.images[number] for number in self.unlisted()]
        with self._lock:
            self.store.files.add_to_list(name, images)
        return len(images)

    def add_class(self, name: str) -> None:
        """Raises DataError for a name that is empty, too long, or that of another class but for case and spaces."""
        name = _checked(name)
        if same := [one for one in self.classes if fold(one) == fold(name)]:
            raise DataError(f"there is a class '{same[0]}' already", fix="Use it, or choose another name.")
        self.store.files.add_class(name)
        with self._lock:
            self._classes.append(name)

    def rename_class(self, old: str, new: str) -> int:
        """Rename a class everywhere; the name of another class, in any case, joins the two. How many images have it.

        Where numbers mean the classes by their place in a list, as in YOLO, one that is joined stays in the list,
        without objects.

        Raises DataError for a class that is not there or a bad name, and what `LabelStore.rename` raises.
        """
        new = _checked(new)
        if old not in self.classes:
            raise DataError(f"there is no class '{old}'", fix="Load the page again.")
        new = next((name for name in self.classes if fold(name) == fold(new) and name != old), new)
        files = self.store.files
        joins = new in self.classes
        changed = sum(old in one.classes for one in self.store.summaries)
        stays = joins and files.names_are_numbered
        if stays or not files.names_are_listed:
            self.store.rename(old, new)
        if not stays:
            files.rename_class(old, new)
        if files.names_are_listed:
            self.store.look_again()
        if not stays:
            with self._lock:
                self._classes = list(dict.fromkeys(new if name == old else name for name in self._classes))
        return changed


def _names_of(store: LabelStore) -> list[str]:
    """What the images are called: their paths below the folder that holds all of them."""
    images = store.files.images
    above = [set(image.parents) for image in images]
    common = max(set.intersection(*above), key=lambda folder: len(folder.parts)) if above else Path()
    return [image.relative_to(common).as_posix() for image in images]


def _checked(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_CLASS or not name.isprintable():
        raise DataError("this is no name for a class", fix=f"Use 1 to {LONGEST_CLASS} letters.")
    if fold(name) == "background":
        raise DataError("'background' is what is left without objects", fix="Choose another name.")
    check_class_list([name], where=None)
    return name
