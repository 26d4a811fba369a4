"""What a run would take, found by making real steps: time, memory, disk, and what limits it. Nothing is written."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

import torch

from ssd300.batches import Batch
from ssd300.data.augmented_images import AugmentedImages
from ssd300.data.dataset import Dataset
from ssd300.data.loader import training_batches
from ssd300.images.read import DECODES_FAST, read_image
from ssd300.system.device import choose_device, dtype_name
from ssd300.system.memory import used_memory_bytes
from ssd300.training.config import TrainConfig
from ssd300.training.distributed import ALONE
from ssd300.training.initial_state import initial_state
from ssd300.training.memory_limit import explained
from ssd300.training.state import TrainState
from ssd300.training.step import TrainStep
from ssd300.training.validation import validate
from ssd300.weights import Card

WARM_UP, LEAST, AT_LEAST_S = 2, 3, 10.0  # steps before timing, steps timed, and for how long
SAMPLED = 24  # images that are decoded, augmented or evaluated for the timing
MUCH = 0.1  # of a step: waiting that is less is no limit


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Seconds are of the wall. `stages` are those of a batch if each had a core for itself; `waiting_s` is what a step
    waits for its images. `finish_s` has the evaluations in it.
    """

    device: str
    precision: str
    steps: int
    timed_steps: int
    step_s: float
    waiting_s: float
    images_per_second: float
    evaluations: int
    evaluation_s: float
    finish_s: float
    stages: dict[str, float]
    memory_bytes: int
    disk_bytes: int
    limit: str
    advice: str


def forecast(dataset: Dataset, config: TrainConfig, *, validation: Dataset | None = None) -> Forecast:
    """Make some steps of the run, and say what all of them would take. Raises as `train` does."""
    device = choose_device(config.device)
    state, card = initial_state(dataset, config, ALONE, device)
    works, waits, batch = _time_steps(state, dataset, device)
    step_s, waiting_s = sum(works + waits) / len(works), sum(waits) / len(waits)
    evaluations, evaluation_s = 0, 0.0
    if validation is not None:
        evaluations = -(-config.steps // config.eval_every) if config.eval_every else 1
        evaluation_s = _time_evaluation(state, card, validation, device)
    stages = _time_stages(dataset, config, state.model.settings.image_size_px, batch, device)
    stages["network and update"] = step_s - waiting_s - stages["copy to the device"]
    limit, advice = _advise(config, device, stages, waits=waiting_s > MUCH * step_s)
    return Forecast(
        device=str(device),
        precision=dtype_name(state.progress.precision),
        steps=config.steps,
        timed_steps=len(works),
        step_s=step_s,
        waiting_s=waiting_s,
        images_per_second=config.batch_size / step_s,
        evaluations=evaluations,
        evaluation_s=evaluation_s,
        finish_s=config.steps * step_s + evaluations * evaluation_s,
        stages=stages,
        memory_bytes=torch.cuda.max_memory_allocated() if device.type == "cuda" else used_memory_bytes(),
        disk_bytes=_disk(state),
        limit=limit,
        advice=advice,
    )


def _time_steps(state: TrainState, dataset: Dataset, device: torch.device) -> tuple[list[float], list[float], Batch]:
    """Seconds of work and of waiting for images, of each step after the first ones; and a batch."""
    config, step = state.config, TrainStep(state, device)
    batches = training_batches(
        dataset.annotations,
        size=state.model.settings.image_size_px,
        batch_size=config.batch_size,
        seed=config.seed,
        workers=config.workers,
        augment=config.augment,
        on_bad_image=config.on_bad_image,
    )
    works: list[float] = []
    waits: list[float] = []
    while len(works) < WARM_UP + LEAST or sum(works[WARM_UP:]) + sum(waits[WARM_UP:]) < AT_LEAST_S:
        asked = time.perf_counter()
        batch = next(batches)
        got = time.perf_counter()
        with explained(step.most_at_once(len(batch)), partial(_backward, step, batch)):
            step(batch, 0)
        _wait_for(device)
        waits.append(got - asked)
        works.append(time.perf_counter() - got)
    return works[WARM_UP:], waits[WARM_UP:], batch


def _backward(step: TrainStep, batch: Batch, count: int) -> None:
    step.backward(batch.part(slice(count)))


def _time_evaluation(state: TrainState, card: Card, validation: Dataset, device: torch.device) -> float:
    """Seconds of an evaluation, from some of its images."""
    some = replace(validation, annotations=validation.annotations[:SAMPLED])
    started = time.perf_counter()
    validate(
        state.model, card, some, ALONE,
        device=device, on_bad_image=state.config.on_bad_image, interrupted=lambda: False,
    )  # fmt: skip
    return (time.perf_counter() - started) * len(validation) / len(some)


def _time_stages(
    dataset: Dataset, config: TrainConfig, size: int, batch: Batch, device: torch.device
) -> dict[str, float]:
    """Seconds that a batch takes to decode, to augment and to copy, on one core."""
    annotations = dataset.annotations[:: max(len(dataset) // SAMPLED, 1)][:SAMPLED]
    started = time.perf_counter()
    for annotation in annotations:
        read_image(annotation.image_path)
    decoded = time.perf_counter()
    images = AugmentedImages(annotations, size=size, seed=config.seed, augment=config.augment)
    for index in range(len(annotations)):
        images[0, index]
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


def _advise(config: TrainConfig, device: torch.device, stages: dict[str, float], *, waits: bool) -> tuple[str, str]:
    """What limits the run, and the one option that would help most."""
    if waits:
        limit = max(("decode", "augment"), key=stages.__getitem__)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if config.workers < cores:
            return limit, f"--workers {cores}"
        if limit == "decode" and not DECODES_FAST:
            return limit, "pip install 'ssd300[fast]', which decodes JPEG faster"
        if limit == "decode" and config.cache == "none":
            return limit, "--cache ram, if the decoded images fit"
        return limit, "nothing here: the network is faster than all cores can prepare images"
    limit = max(("copy to the device", "network and update"), key=stages.__getitem__)
    if device.type != "cpu":
        return limit, "--amp auto" if config.amp == "off" else "a larger --batch-size, if memory allows, with its --lr"
    if config.amp == "off":
        return limit, "--amp auto, which takes bf16 where this processor is faster with it"
    if config.model == "ssd300_vgg16":
        return limit, "--model ssd300_efficientnet_lite0, which is made for a CPU; or a GPU"
    return limit, "a GPU; of the options here none"


def _disk(state: TrainState) -> int:
    """Bytes of the weights and states that a run keeps; the rest of its folder is small."""
    model, momentum = _nbytes(state.model.state_dict().values()), _nbytes(state.model.parameters())
    averages = 0 if state.average is None else 1
    return (2 + averages) * model + 2 * ((1 + averages) * model + momentum)


def _nbytes(tensors: Iterable[torch.Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors)


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
