"""Timing of real steps and evaluations on this machine, for `forecast`."""

import time
from dataclasses import replace

import torch

from ssd300.batches import Batch
from ssd300.data.augmented_images import AugmentedImages, Mixing
from ssd300.data.dataset import Dataset
from ssd300.data.loader import training_batches
from ssd300.data.sampling import Key
from ssd300.images.read import read_image
from ssd300.training.config import TrainConfig
from ssd300.training.state import TrainState
from ssd300.training.step import TrainStep
from ssd300.training.validation import Validator

WARM_UP, LEAST, AT_LEAST_S = 2, 3, 10.0  # steps before timing, steps timed, and for how long
SAMPLED = 24  # images that are decoded, augmented or evaluated for the timing


def time_steps(
    state: TrainState, dataset: Dataset, device: torch.device, *, at_least_s: float = AT_LEAST_S
) -> tuple[list[float], list[float], Batch]:
    """Seconds of work and seconds of waiting for images, of each timed step; and its batch. Changes the weights."""
    config, step = state.config, TrainStep(state, device)
    batches = training_batches(
        dataset.annotations,
        size=state.model.settings.image_size_px,
        batch_size=config.batch_size,
        seed=config.seed,
        workers=config.workers,
        augment=config.augment,
        on_bad_image=config.on_bad_image,
        sampling=config.sampling,
        mixing=Mixing(config.mosaic, config.mixup, config.mixing_steps * config.batch_size),
    )
    works: list[float] = []
    waits: list[float] = []
    while len(works) < WARM_UP + LEAST or sum(works[WARM_UP:]) + sum(waits[WARM_UP:]) < at_least_s:
        asked = time.perf_counter()
        batch = next(batches)
        got = time.perf_counter()
        step(batch, 0)
        _wait_for(device)
        waits.append(got - asked)
        works.append(time.perf_counter() - got)
    return works[WARM_UP:], waits[WARM_UP:], batch


def time_evaluation(state: TrainState, validator: Validator) -> float:
    """Seconds of an evaluation, estimated from some of its images."""
    whole = validator.dataset
    some = replace(whole, annotations=whole.annotations[:SAMPLED])
    started = time.perf_counter()
    replace(validator, dataset=some).evaluate(state.model)
    return (time.perf_counter() - started) * len(whole) / len(some)


def time_stages(
    dataset: Dataset, config: TrainConfig, size: int, batch: Batch, device: torch.device
) -> dict[str, float]:
    """Seconds that one core takes to decode, augment and copy a batch. `size` is that of the network's images."""
    annotations = dataset.annotations[:: max(len(dataset) // SAMPLED, 1)][:SAMPLED]
    started = time.perf_counter()
    for annotation in annotations:
        read_image(annotation.image_path)
    decoded = time.perf_counter()
    mixing = Mixing(config.mosaic, config.mixup)
    images = AugmentedImages(annotations, size=size, seed=config.seed, augment=config.augment, mixing=mixing)
    for index in range(len(annotations)):
        images[Key(0, index, mixes=True)]
    prepared = time.perf_counter()
    batch.images.to(device)
    _wait_for(device)
    copied = time.perf_counter()
    share = config.batch_size / len(annotations)
    decode = (decoded - started) * share
    return {
        "decode": decode,
        "augment": max((prepared - decoded) * share - decode, 0.0),
        "copy to the device": copied - prepared,
    }


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
