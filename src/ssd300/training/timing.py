"""Timing of real steps and evaluations on this machine, for `forecast`. Each part ends when its time is over.

A batch may take longer than there is time, as VGG16's 32 images on a CPU. Then steps of fewer images are timed, and
count as their share of a batch.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch

from ssd300.batches import Batch
from ssd300.data.augmented_images import AugmentedImages, Mixing
from ssd300.data.dataset import Dataset
from ssd300.data.loader import training_batches
from ssd300.data.samples import read_pixels
from ssd300.data.sampling import Key
from ssd300.system.memory import child_memory_bytes, peak_memory_bytes
from ssd300.training.config import TrainConfig
from ssd300.training.state import TrainState
from ssd300.training.step import TrainStep
from ssd300.training.validation import Validator

LEAST = 2  # steps timed, if there is time
STEPS_S, STAGES_S, EVALUATION_S = 12.0, 2.0, 3.0  # together far below a minute, which `forecast` may take
PROBE = 2  # images of the first steps; their time tells how many fit
SAMPLED = 24  # images that are decoded, augmented or evaluated for the timing, at most


@dataclass(frozen=True, kw_only=True)
class TimedSteps:
    """Seconds of a whole batch, of work and of waiting for images, on average of `count` timed steps.

    Each of them had `images` images; `last` is its last batch. `memory_bytes` is an estimate for a whole batch.
    """

    work_s: float
    waiting_s: float
    count: int
    images: int
    last: Batch
    memory_bytes: int


class _Steps(NamedTuple):
    """Seconds of work and of waiting per step, the last batch, and memory: the most so far, that of an image, and that
    of workers.
    """

    works: list[float]
    waits: list[float]
    last: Batch
    peak_bytes: int
    image_bytes: float
    workers_bytes: int


def time_steps(
    state: TrainState, dataset: Dataset, device: torch.device, *, seconds: float = STEPS_S, least: int = LEAST
) -> TimedSteps:
    """Make steps for about `seconds`, `least` or more of them if there is time. Changes the weights."""
    whole = state.config.batch_size
    started = time.perf_counter()
    small = min(PROBE, whole)
    found = _steps(state, dataset, device, images=small)
    left = max(seconds - (time.perf_counter() - started), 0.0)
    each = found.works[0] / small
    images = max(small, min(whole, int(left / (each * (least + 1)))))  # one step more, which is not timed
    if each * images * (least + 1) <= left:
        found = _steps(state, dataset, device, images=images, least=least, seconds=left)
    share = whole / images
    parts = state.config.accumulate
    at_once, timed_at_once = -(-whole // parts), -(-images // min(parts, images))
    return TimedSteps(
        work_s=share * sum(found.works) / len(found.works),
        waiting_s=share * sum(found.waits) / len(found.waits),
        count=len(found.works),
        images=images,
        last=found.last,
        memory_bytes=round(found.peak_bytes + (at_once - timed_at_once) * found.image_bytes) + found.workers_bytes,
    )


def _steps(
    state: TrainState, dataset: Dataset, device: torch.device, *, images: int, least: int = 1, seconds: float = 0.0
) -> _Steps:
    """Steps of `images` images: `least` of them, and more until `seconds` are over.

    A step before them is not timed: it pays for what is made once. It counts what the backward pass needs.
    """
    deadline = time.perf_counter() + seconds
    config = replace(state.config, batch_size=images, accumulate=min(state.config.accumulate, images))
    step = TrainStep(replace(state, config=config), device)
    batches = training_batches(
        dataset.annotations,
        size=state.model.settings.image_size_px,
        batch_size=images,
        seed=config.seed,
        workers=config.workers,
        augment=config.augment,
        on_bad_image=config.on_bad_image,
        sampling=config.sampling,
        mixing=Mixing(config.mosaic, config.mixup, config.mixing_steps * config.batch_size),
    )
    batch = next(batches)
    with _counted() as saved:
        step(batch, 0)
    _wait_for(device)
    at_once = -(-images // config.accumulate)
    works: list[float] = []
    waits: list[float] = []
    while len(works) < least or time.perf_counter() < deadline:
        asked = time.perf_counter()
        batch = next(batches)
        got = time.perf_counter()
        step(batch, 0)
        _wait_for(device)
        waits.append(got - asked)
        works.append(time.perf_counter() - got)
    return _Steps(works, waits, batch, peak_memory_bytes(), sum(saved.values()) / at_once, child_memory_bytes())


@contextmanager
def _counted() -> Iterator[dict[int, int]]:
    """In the block, the bytes of each tensor that is stored for a backward pass, by its place in memory; no weights."""
    saved: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        if not (tensor.is_leaf and tensor.requires_grad):
            storage = tensor.untyped_storage()
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        yield saved


def time_evaluation(state: TrainState, validator: Validator, *, seconds: float = EVALUATION_S) -> float:
    """Seconds of an evaluation, estimated from some of its images: more of them until about `seconds` are over."""
    whole = validator.dataset
    ended = time.perf_counter() + seconds
    count, each = 1, 0.0
    while True:
        some = replace(whole, annotations=whole.annotations[:count])
        started = time.perf_counter()
        replace(validator, dataset=some).evaluate(state.model)
        each = (time.perf_counter() - started) / len(some)
        more = min(SAMPLED, len(whole), int((ended - time.perf_counter()) / each))
        if more <= count:
            return each * len(whole)
        count = more


def time_stages(
    dataset: Dataset, config: TrainConfig, size: int, batch: Batch, device: torch.device, *, seconds: float = STAGES_S
) -> dict[str, float]:
    """Seconds that one core takes to decode, augment and copy a batch. `size` is that of the network's images.

    `config` has the size of the batch; `batch` may have fewer images.
    """
    annotations = dataset.first(SAMPLED)
    mixing = Mixing(config.mosaic, config.mixup)
    images = AugmentedImages(annotations, size=size, seed=config.seed, augment=config.augment, mixing=mixing)
    decode_s = prepare_s = 0.0
    count = 0
    while count < len(annotations) and (count == 0 or decode_s + prepare_s < seconds):
        started = time.perf_counter()
        read_pixels(annotations[count])
        decoded = time.perf_counter()
        images[Key(0, count, mixes=True)]
        decode_s, prepare_s = decode_s + decoded - started, prepare_s + time.perf_counter() - decoded
        count += 1
    started = time.perf_counter()
    batch.images.to(device)
    _wait_for(device)
    copy_s = (time.perf_counter() - started) / len(batch)
    share = config.batch_size / count
    return {
        "decode": share * decode_s,
        "augment": share * max(prepare_s - decode_s, 0.0),
        "copy to the device": config.batch_size * copy_s,
    }


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
