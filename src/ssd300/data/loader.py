"""From annotations to batches: the endless, shuffled stream that training takes.

The order follows from (seed, epoch) and each image from the seed and its key, so batches do not depend on the number of
workers. To resume the stream, the number of images seen is enough.
"""

import atexit
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import FrameType
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from torch.utils.data import DataLoader, get_worker_info
from torch.utils.data import Sampler as TorchSampler

from ssd300.batches import Batch, Photometric, Targets
from ssd300.data.augmented_images import NO_MIXING, AugmentedImages, Item, Mixing
from ssd300.data.cache import ImageCache
from ssd300.data.dataset import OnBadImage
from ssd300.data.sampling import Key, Sampling, epoch_order, keys_of_epoch, repeat_factors
from ssd300.data.shards.annotations import ShardedAnnotations
from ssd300.errors import DataError, RunError, UsageError
from ssd300.types import Annotation

FORK = "fork"  # the way of starting workers that lets them share a cache


class EndlessBatches(TorchSampler[list[Key]]):
    """Keys of the images of batch after batch, after the first `images_seen` images. A batch may span two epochs.

    `rows` are those of each batch that are yielded: all, or those of one process. `factors` are those of
    `sampling.epoch_order`. The first `mixing_images` of the stream may be mixed with others. Images of shards come in
    an order of their own: `order_of_shards` gives the keys of an epoch from an image of it on, by seed, epoch, image.
    """

    def __init__(
        self,
        count: int,
        *,
        batch_size: int,
        seed: int,
        images_seen: int = 0,
        rows: Sequence[int] | None = None,
        factors: Float[np.ndarray, " images"] | None = None,
        mixing_images: int = 0,
        order_of_shards: Callable[[int, int, int], Iterator[Key]] | None = None,
    ) -> None:
        self.count = count
        self.rows = range(batch_size) if rows is None else rows
        self.batch_size = batch_size
        self.seed = seed
        self.images_seen = images_seen
        self.factors = factors
        self.mixing_images = mixing_images
        self.order_of_shards = order_of_shards

    def __iter__(self) -> Iterator[list[Key]]:
        keys = enumerate(self._keys(), start=self.images_seen)
        while True:
            batch = [next(keys) for _ in range(self.batch_size)]
            yield [key._replace(mixes=number < self.mixing_images) for number, key in map(batch.__getitem__, self.rows)]

    def _keys(self) -> Iterator[Key]:
        epoch, start = divmod(self.images_seen, self.count)
        while True:
            if self.order_of_shards is not None:
                yield from self.order_of_shards(self.seed, epoch, start)
            else:
                order = epoch_order(self.count, seed=self.seed, epoch=epoch, factors=self.factors)
                yield from keys_of_epoch(order, epoch)[start:]
            epoch, start = epoch + 1, 0


def collate(items: Sequence[Item]) -> Batch:
    """Samples of one size as a batch. Boxes become relative, and labels count from 1, as 0 is background."""
    samples = [item.sample for item in items]
    height, width = samples[0].image.shape[:2]
    most = max(len(sample.boxes_px) for sample in samples)
    boxes = np.zeros((len(samples), most, 4), np.float32)
    labels = np.zeros((len(samples), most), np.int64)
    for row, sample in enumerate(samples):
        boxes[row, : len(sample.boxes_px)] = sample.boxes_px / [width, height, width, height]
        labels[row, : len(sample.labels)] = sample.labels + 1
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
    rows: Sequence[int] | None = None,
    sampling: Sampling = "uniform",
    mixing: Mixing = NO_MIXING,
) -> Iterator[Batch]:
    """An endless stream of batches, or of these `rows` of them; the same for any number of workers, and with or without
    a cache.

    Raises:
        DataError: an image cannot be read, and the policy does not skip it.
        RunError: a worker died; `where` is the image that it had.
        UsageError: there are workers and a cache, and this system cannot share memory with them.
    """
    if cache is not None and workers and FORK not in multiprocessing.get_all_start_methods():
        raise UsageError("workers cannot share a cache of images on this system", fix="Use --workers 0, or no cache.")
    images = AugmentedImages(
        annotations,
        size=size,
        seed=seed,
        augment=augment,
        on_bad_image=on_bad_image,
        cache=cache,
        workers=workers,
        mixing=mixing,
    )
    loader: DataLoader[Item | DataError] = DataLoader(
        images,
        batch_sampler=EndlessBatches(
            len(annotations),
            batch_size=batch_size,
            seed=seed,
            images_seen=images_seen,
            rows=rows,
            factors=repeat_factors(annotations) if sampling == "balanced" else None,
            mixing_images=mixing.images,
            order_of_shards=annotations.keys if isinstance(annotations, ShardedAnnotations) else None,
        ),
        collate_fn=_collate_or_error,
        num_workers=workers,
        multiprocessing_context=FORK if cache is not None and workers else None,
        worker_init_fn=_leave_signals_to_the_parent,
        # Without one of its own the loader draws from torch's stream when it starts: once more at each resume.
        generator=torch.Generator().manual_seed(seed),
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
            fix="Inspect this image. If memory ran out, lower --workers; with --workers 0 the reason is shown.",
        ) from error.with_traceback(None)
    finally:
        atexit.unregister(at_exit)
        del batches  # and with it the workers, also while an error's traceback keeps this frame


def _leave_signals_to_the_parent(_worker: int) -> None:
    """Ctrl-C in a terminal and SIGTERM of a service manager reach workers too; but a run that ends in good order still
    needs their batches, however long its present step takes. A worker whose parent is gone ends by itself: torch's
    workers look for their parent every few seconds.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_if_not_needed)


def _end_if_not_needed(number: int, _frame: FrameType | None) -> None:
    """Ends this worker if the parent is ending; else nothing happens."""
    info = get_worker_info()
    if info is None or cast(AugmentedImages, info.dataset).parent_ends.value:
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)


def _collate_or_error(items: Sequence[Item | DataError]) -> Batch | DataError:
    errors = [item for item in items if isinstance(item, DataError)]
    return errors[0] if errors else collate([item for item in items if not isinstance(item, DataError)])
