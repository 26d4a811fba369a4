"""Forecast: the time, memory and disk that a run would take, and what limits it, from real steps. Writes nothing."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from ssd300.data.dataset import Dataset, check_trainable
from ssd300.data.shards.dataset import check_use
from ssd300.errors import install_hint
from ssd300.images.read import DECODES_FAST
from ssd300.system.device import choose_device, dtype_name
from ssd300.system.duration import duration
from ssd300.system.memory import gigabytes
from ssd300.system.wording import plural
from ssd300.training.config import TrainConfig
from ssd300.training.distributed import ALONE
from ssd300.training.initial_state import initial_state
from ssd300.training.state import TrainState
from ssd300.training.timing import time_evaluation, time_stages, time_steps
from ssd300.training.validation import Validator

MUCH = 0.1  # of a step: less waiting than this is no limit


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Seconds are wall time. Of `step_s`, `waiting_s` is spent waiting for images. `stages` has the seconds that
    each stage of a batch takes on one core. Where a whole batch takes long, the `timed_steps` had fewer images,
    `timed_images`; all is for a whole batch. `finish_s` is that of the whole run, evaluations included.
    """

    device: str
    precision: str
    steps: int
    timed_steps: int
    timed_images: int
    batch_size: int
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

    def describe(self) -> dict[str, str]:
        """Rows of a table for people."""
        parts = "" if self.timed_images == self.batch_size else f", of {self.timed_images} of {self.batch_size} images"
        timed = f"{plural(self.timed_steps, 'step')} timed{parts}"
        return {
            "device": f"{self.device}, {self.precision}",
            "a step": f"{self.step_s:.3g} s, {self.images_per_second:.3g} images/s ({timed})",
            "of it waiting for images": f"{self.waiting_s:.3g} s",
            **{f"a batch alone, {name}": f"{seconds:.3g} s" for name, seconds in self.stages.items()},
            "evaluations": f"{self.evaluations}, {duration(self.evaluation_s)} each",
            "time to finish": f"{duration(self.finish_s)} for {self.steps:,} steps",
            "memory": gigabytes(self.memory_bytes),
            "disk": gigabytes(self.disk_bytes),
            "what limits it": self.limit,
            "what would help": self.advice,
        }


def forecast(dataset: Dataset, config: TrainConfig, *, validation: Dataset | None = None) -> Forecast:
    """Make some steps of the run, and estimate what all of it would take. Raises what `train` raises."""
    check_trainable(dataset)
    check_use(dataset, sampling=config.sampling, cache=config.cache)
    device = choose_device(config.device)
    state, card = initial_state(dataset, config, ALONE, device)
    timed = time_steps(state, dataset, device)
    step_s, waiting_s = timed.work_s + timed.waiting_s, timed.waiting_s
    evaluations, evaluation_s = 0, 0.0
    if validation is not None:
        evaluations = -(-config.steps // config.eval_every) if config.eval_every else 1
        validator = Validator(dataset=validation, card=card, device=device, on_bad_image=config.on_bad_image)
        evaluation_s = time_evaluation(state, validator)
    stages = time_stages(dataset, config, state.model.settings.image_size_px, timed.last, device)
    stages["network and update"] = step_s - waiting_s - stages["copy to the device"]
    limit, advice = _advise(config, device, stages, waits=waiting_s > MUCH * step_s)
    return Forecast(
        device=str(device),
        precision=dtype_name(state.progress.precision),
        steps=config.steps,
        timed_steps=timed.count,
        timed_images=timed.images,
        batch_size=config.batch_size,
        step_s=step_s,
        waiting_s=waiting_s,
        images_per_second=config.batch_size / step_s,
        evaluations=evaluations,
        evaluation_s=evaluation_s,
        finish_s=config.steps * step_s + evaluations * evaluation_s,
        stages=stages,
        memory_bytes=torch.cuda.max_memory_allocated() if device.type == "cuda" else timed.memory_bytes,
        disk_bytes=_disk(state),
        limit=limit,
        advice=advice,
    )


def _advise(config: TrainConfig, device: torch.device, stages: dict[str, float], *, waits: bool) -> tuple[str, str]:
    """What limits the run, and the option to try first. The choice is by rules of thumb; it is not timed."""
    if waits:
        limit = max(("decode", "augment"), key=stages.__getitem__)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        if config.workers < cores:
            return limit, f"--workers {cores}"
        if limit == "decode" and not DECODES_FAST:
            return limit, f"{install_hint('fast')} It decodes JPEG faster."
        if limit == "decode" and config.cache == "none":
            return limit, "--cache ram, if the decoded images fit"
        return limit, "no option: the network is faster than all cores can prepare images"
    limit = max(("copy to the device", "network and update"), key=stages.__getitem__)
    if device.type != "cpu":
        return limit, "--amp auto" if config.amp == "off" else "a larger --batch-size, if memory allows, with its --lr"
    if config.amp == "off":
        return limit, "--amp auto, which uses bf16 if this processor is faster with it"
    if config.model.endswith("_vgg16"):
        return limit, "--model ssd300_efficientnet_lite0, which is made for a CPU; or a GPU"
    return limit, "a GPU; no option"


def _disk(state: TrainState) -> int:
    """Bytes of the weights and states of a run folder; its other files are small."""
    model, of_weights = _nbytes(state.model.state_dict().values()), _nbytes(state.model.parameters())
    averages = 0 if state.average is None else 1
    moments = 2 if state.config.optimizer == "adamw" else 1
    return (2 + averages) * model + 2 * ((1 + averages) * model + moments * of_weights)


def _nbytes(tensors: Iterable[torch.Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors)
