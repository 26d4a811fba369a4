"""One annotation to one image as a batch takes it: read, augmented, and at the network's size.

What is random about an image follows from the seed and its key alone, so it does not depend on workers or on a cache.
"""

import multiprocessing
import os
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data import get_worker_info

from ssd300.data.augment import Augmentation, apply_geometry, sample_augmentation
from ssd300.data.cache import ImageCache
from ssd300.data.dataset import OnBadImage
from ssd300.data.mixup import mixup, sample_share
from ssd300.data.mosaic import mosaic, sample_center
from ssd300.data.samples import as_sample, read_sample
from ssd300.data.sampling import Key
from ssd300.data.shards.annotations import ShardedAnnotations
from ssd300.data.shards.index import ShardError
from ssd300.errors import DataError
from ssd300.images.resize import resize
from ssd300.types import Annotation, Sample


class Item(NamedTuple):
    """An image for a batch. `augmentation` is None where there is none; `content_px` is the rectangle (xyxy) that shows
    the photograph; `skipped` are the errors of unreadable images that this one replaces.
    """

    sample: Sample
    augmentation: Augmentation | None
    content_px: tuple[int, int, int, int]
    skipped: tuple[DataError, ...] = ()


class Mixing(NamedTuple):
    """The shares of augmented images that are a mosaic, and that are mixed with another, among the first `images` of a
    run.
    """

    mosaic: float = 0.0
    mixup: float = 0.0
    images: int = 0


NO_MIXING = Mixing()


class AugmentedImages(TorchDataset[Item | DataError]):
    """The images of a dataset at the network's size; with `augment`, another version of each in every epoch.

    For an image that cannot be read the error itself is the item: raised in a worker, it would lose its parts on the
    way to the training process. With `on_bad_image` 'skip' the next image that can be read replaces it.
    """

    def __init__(
        self,
        annotations: Sequence[Annotation],
        *,
        size: int,
        seed: int,
        augment: bool,
        on_bad_image: OnBadImage = "error",
        cache: ImageCache | None = None,
        workers: int = 0,
        mixing: Mixing = NO_MIXING,
    ) -> None:
        self.annotations = annotations
        self.size = size
        self.seed = seed
        self.augment = augment
        self.on_bad_image = on_bad_image
        self.cache = cache
        self.mixing = mixing
        # Process and image of each worker, in memory shared with this process: a dead worker cannot report its image.
        self.at = multiprocessing.RawArray("q", 2 * max(workers, 1))
        self.parent_ends = multiprocessing.RawValue("b", 0)

    def __getitem__(self, key: Key) -> Item | DataError:
        try:
            return self._item(key)
        except DataError as error:
            return error
        except Exception as error:  # torch would report it without the image's name
            return DataError(
                f"the image or its boxes cannot be prepared ({type(error).__name__}: {error})",
                where=self._name(key.image),
                fix="Run `ssd300 check` on the data; if it finds nothing, this is a fault of ssd300.",
            )

    def at_death(self, message: str) -> str | None:
        """The image of the worker that died by torch's `message`; None if the message is about something else."""
        died = {int(number) for number in re.findall(r"\d+", message)} if "worker" in message else set()
        for process, index in zip(self.at[::2], self.at[1::2], strict=True):
            if process in died:
                return self._name(index)
        return None

    def _name(self, index: int) -> str:
        if isinstance(self.annotations, ShardedAnnotations):
            return self.annotations.name(index)
        return str(self.annotations[index].image_path)

    def _item(self, key: Key) -> Item:
        sample, skipped = self._read(key.image)
        if not self.augment:
            return Item(at_network_size(sample, self.size), None, (0, 0, self.size, self.size), skipped)
        copy = [key.copy] if key.copy else []
        random = np.random.default_rng([self.seed, 1, key.epoch, key.image, *copy])
        mixing = np.random.default_rng([self.seed, 2, key.epoch, key.image, *copy])
        is_mosaic = key.mixes and mixing.random() < self.mixing.mosaic
        if is_mosaic:
            others, errors = self._others(mixing, key.image, 3)
            sample = mosaic([sample, *others], sample_center(mixing), 2 * self.size)
            skipped = (*skipped, *errors)
        augmentation = sample_augmentation(random, sample.size_hw, sample.boxes_px, zoom_out=not is_mosaic)
        changed, content = apply_geometry(sample, augmentation, self.size)
        if key.mixes and mixing.random() < self.mixing.mixup:
            (other,), errors = self._others(mixing, key.image, 1)
            change = sample_augmentation(mixing, other.size_hw, other.boxes_px)
            second, second_content = apply_geometry(other, change, self.size)
            changed, content = mixup(changed, second, sample_share(mixing), (content, second_content))
            skipped = (*skipped, *errors)
        return Item(changed, augmentation, content, skipped)

    def _others(self, random: np.random.Generator, image: int, count: int) -> tuple[list[Sample], list[DataError]]:
        """Images to mix one with, any of the dataset or of its shard, and the errors of those that were skipped.

        Raises DataError.
        """
        choice = range(len(self.annotations))
        if isinstance(self.annotations, ShardedAnnotations):
            choice = self.annotations.beside(image)
        read = [self._read(choice[int(index)]) for index in random.integers(len(choice), size=count)]
        return [sample for sample, _ in read], [error for _, errors in read for error in errors]

    def _read(self, index: int) -> tuple[Sample, tuple[DataError, ...]]:
        """The image, or the next good one where bad ones are skipped, with their errors. Raises DataError."""
        skipped: list[DataError] = []
        for place in range(index, index + len(self.annotations)):
            try:
                return self._sample(place % len(self.annotations)), tuple(skipped)
            except DataError as error:
                if self.on_bad_image == "error" or isinstance(error, ShardError):
                    raise
                skipped.append(error)
        raise DataError(
            f"none of the {len(skipped)} images can be read; the first: {skipped[0].what}",
            where=skipped[0].where,
            fix="Run `ssd300 check` on the data.",
        )

    def _sample(self, index: int) -> Sample:
        if (worker := get_worker_info()) is not None:
            self.at[2 * worker.id], self.at[2 * worker.id + 1] = os.getpid(), index
        annotation = self.annotations[index]
        if self.cache is None:
            return read_sample(annotation)
        return as_sample(annotation, self.cache.read(index, annotation.image_path))


def at_network_size(sample: Sample, size: int) -> Sample:
    """The whole image stretched to size x size, as in evaluation, and its boxes with it."""
    height, width = sample.size_hw
    scale = np.array([size / width, size / height] * 2)
    return Sample(
        image=resize(sample.image, size),
        boxes_px=sample.boxes_px * scale,
        labels=sample.labels,
        difficult=sample.difficult,
        image_id=sample.image_id,
        size_hw=sample.size_hw,
    )
