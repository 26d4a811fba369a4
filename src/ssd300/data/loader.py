"""From annotations to batches: an endless, shuffled stream for training and a plain pass for evaluation.

Every image's chance comes from (seed, epoch, image) alone, so batches do not depend on the number of workers and
the stream goes on anywhere: its whole state is how many images were seen.
"""

import atexit
import multiprocessing
import os
import re
import signal
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NamedTuple, cast

import numpy as np
import torch
from torch.utils.data import DataLoader, get_worker_info
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data import Sampler as TorchSampler

from ssd300.batches import Batch, Photometric, Targets
from ssd300.data.augment import Augmentation, apply_geometry, draw_augmentation
from ssd300.data.cache import ImageCache
from ssd300.data.dataset import OnBadImage
from ssd300.data.samples import as_sample, read_sample
from ssd300.errors import DataError, RunError, UsageError
from ssd300.images.resize import resize
from ssd300.types import Annotation, Sample

WHOLE = slice(None)
GRACE_S = 60  # that a worker goes on after SIGTERM, for the run to end in good order
FORK = "fork"  # the way of starting workers that lets them share a cache


class Item(NamedTuple):
    """An image for a batch: what was drawn for it, which part of it is a photograph, and the images that should
    have stood in its place and could not be read.
    """

    sample: Sample
    augmentation: Augmentation | None
    content_px: tuple[int, int, int, int]
    skipped: tuple[DataError, ...] = ()


class AugmentedImages(TorchDataset[Item | DataError]):
    """The images of a data set at the network's size, a new version of each in every epoch.

    For an image that cannot be read the error itself is the item: raised in a worker, it would lose its parts on the
    way to the training process. With `on_bad_image` 'skip' the next one that can be read stands in its place.
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
    ) -> None:
        self.annotations = annotations
        self.size = size
        self.seed = seed
        self.augment = augment
        self.on_bad_image = on_bad_image
        self.cache = cache
        # Process and image of each worker, in memory that this process sees too: a dead one cannot say where it was.
        self.at = multiprocessing.RawArray("q", 2 * max(workers, 1))
        self.parent_ends = multiprocessing.RawValue("b", 0)

    def __getitem__(self, key: tuple[int, int]) -> Item | DataError:
        epoch, index = key
        if (worker := get_worker_info()) is not None:
            self.at[2 * worker.id], self.at[2 * worker.id + 1] = os.getpid(), index
        try:
            return self._item(epoch, index)
        except DataError as error:
            return error
        except Exception as error:  # else torch would tell it without the image's name
            return DataError(
                f"the image or its boxes cannot be prepared ({type(error).__name__}: {error})",
                where=self.annotations[index].image_path,
                fix="Look at both with `ssd300 check`; if nothing is wrong there, this is a fault of ssd300.",
            )

    def at_death(self, message: str) -> Path | None:
        """The image that the worker had that torch's `message` says died; None if it says no such thing."""
        died = {int(number) for number in re.findall(r"\d+", message)} if "worker" in message else set()
        for process, index in zip(self.at[::2], self.at[1::2], strict=True):
            if process in died:
                path: Path = self.annotations[index].image_path
                return path
        return None

    def _item(self, epoch: int, index: int) -> Item:
        sample, skipped = self._read(index)
        if not self.augment:
            return Item(at_network_size(sample, self.size), None, (0, 0, self.size, self.size), skipped)
        random = np.random.default_rng([self.seed, 1, epoch, index])
        augmentation = draw_augmentation(random, sample.size_hw, sample.boxes_px)
        changed, content = apply_geometry(sample, augmentation, self.size)
        return Item(changed, augmentation, content, skipped)

    def _read(self, index: int) -> tuple[Sample, tuple[DataError, ...]]:
        """The image, or under the policy the next one, and what was skipped. Raises DataError."""
        skipped: list[DataError] = []
        for place in range(index, index + len(self.annotations)):
            try:
                return self._sample(place % len(self.annotations)), tuple(skipped)
            except DataError as error:
                if self.on_bad_image == "error":
                    raise
                skipped.append(error)
        raise DataError(
            f"none of the {len(skipped)} images can be read; the first: {skipped[0].what}",
            where=skipped[0].where,
            fix="Look at them with `ssd300 check`.",
        )

    def _sample(self, index: int) -> Sample:
        annotation = self.annotations[index]
        if self.cache is None:
            return read_sample(annotation)
        return as_sample(annotation, self.cache.read(index, annotation.image_path))


def at_network_size(sample: Sample, size: int) -> Sample:
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


class EndlessBatches(TorchSampler[list[tuple[int, int]]]):
    """Keys (epoch, image) of batch after batch, from the `images_seen`-th image on. Epochs follow without a gap.

    Of each batch the `rows` alone are given: the whole, or one process's piece.
    """

    def __init__(self, count: int, *, batch_size: int, seed: int, images_seen: int = 0, rows: slice = WHOLE) -> None:
        self.count = count
        self.rows = rows
        self.batch_size = batch_size
        self.seed = seed
        self.images_seen = images_seen

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        keys = self._keys()
        while True:
            yield [next(keys) for _ in range(self.batch_size)][self.rows]

    def _keys(self) -> Iterator[tuple[int, int]]:
        epoch, start = divmod(self.images_seen, self.count)
        while True:
            order = np.random.default_rng([self.seed, 0, epoch]).permutation(self.count)
            for index in order[start:]:
                yield epoch, int(index)
            epoch, start = epoch + 1, 0


def collate(items: Sequence[Item]) -> Batch:
    """Samples of one size as a batch; here pixels become relative."""
    samples = [item.sample for item in items]
    height, width = samples[0].image.shape[:2]
    most = max(len(sample.boxes_px) for sample in samples)
    boxes = np.zeros((len(samples), most, 4), np.float32)
    labels = np.zeros((len(samples), most), np.int64)
    for row, sample in enumerate(samples):
        boxes[row, : len(sample.boxes_px)] = sample.boxes_px / [width, height, width, height]
        labels[row, : len(sample.labels)] = sample.labels + 1  # 0 is background from here on
    images = torch.from_numpy(np.stack([sample.image for sample in samples])).permute(0, 3, 1, 2)
    changes = [item.augmentation for item in items if item.augmentation is not None]
    photometric = None
    if changes:
        photometric = Photometric(
            brightness=torch.tensor([change.brightness for change in changes]),
            contrast=torch.tensor([change.contrast for change in changes]),
            saturation=torch.tensor([change.saturation for change in changes]),
            hue_degrees=torch.tensor([change.hue_degrees for change in changes]),
            contrast_first=torch.tensor([change.contrast_first for change in changes]),
            content_px=torch.tensor([item.content_px for item in items]),
        )
    return Batch(
        images=images,
        targets=Targets(boxes=torch.from_numpy(boxes), labels=torch.from_numpy(labels)),
        image_ids=tuple(sample.image_id for sample in samples),
        photometric=photometric,
        skipped=tuple(str(error) for item in items for error in item.skipped),
    )


def training_batches(
    annotations: Sequence[Annotation],
    *,
    size: int,
    batch_size: int,
    seed: int,
    workers: int,
    images_seen: int = 0,
    augment: bool = True,
    on_bad_image: OnBadImage = "error",
    cache: ImageCache | None = None,
    rows: slice = WHOLE,
) -> Iterator[Batch]:
    """An endless stream of batches, or of these `rows` of them; the same for any number of workers, with a cache and
    without.

    Raises:
        DataError: an image cannot be read, and the policy does not skip it.
        RunError: a worker died, with the image that it was at.
        UsageError: there are workers and a cache that they cannot share on this system.
    """
    if cache is not None and workers and FORK not in multiprocessing.get_all_start_methods():
        raise UsageError("workers cannot share a cache of images on this system", fix="Use --workers 0, or no cache.")
    images = AugmentedImages(
        annotations, size=size, seed=seed, augment=augment, on_bad_image=on_bad_image, cache=cache, workers=workers
    )
    loader: DataLoader[Item | DataError] = DataLoader(
        images,
        batch_sampler=EndlessBatches(
            len(annotations), batch_size=batch_size, seed=seed, images_seen=images_seen, rows=rows
        ),
        collate_fn=_collate_or_error,
        num_workers=workers,
        multiprocessing_context=FORK if cache is not None and workers else None,
        worker_init_fn=_leave_signals_to_the_parent,
    )
    batches = iter(loader)
    at_exit = partial(setattr, images.parent_ends, "value", 1)
    atexit.register(at_exit)  # before Python's own, which ends workers and waits for them
    try:
        while True:
            batch = next(batches)
            if isinstance(batch, DataError):
                raise batch
            yield batch
    except RuntimeError as error:
        if (at := images.at_death(str(error))) is None:
            raise
        raise RunError(
            "a process that reads images died",
            where=at,
            fix="Look at this image. If memory ran out, lower --workers; with --workers 0 the reason shows.",
        ) from error.with_traceback(None)
    finally:
        atexit.unregister(at_exit)
        del batches  # and with it the workers, also while an error's traceback keeps this frame


def _leave_signals_to_the_parent(_worker: int) -> None:
    """A terminal's Ctrl-C, and the SIGTERM of a service manager, reach workers too, and would take the batches away
    that end the run in good order.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_if_not_needed)


def _end_if_not_needed(number: int, _frame: FrameType | None) -> None:
    """At once if the parent is ending; else when its run should have ended long ago."""
    info = get_worker_info()
    if info is None or cast(AugmentedImages, info.dataset).parent_ends.value:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
    elif hasattr(signal, "alarm"):  # not on Windows
        signal.alarm(GRACE_S)


def _collate_or_error(items: Sequence[Item | DataError]) -> Batch | DataError:
    errors = [item for item in items if isinstance(item, DataError)]
    return errors[0] if errors else collate([item for item in items if not isinstance(item, DataError)])
