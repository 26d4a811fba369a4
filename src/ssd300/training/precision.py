"""The precision of a run: as the option --amp says, or the one in which a training step is faster on this machine."""

import copy
import logging
import time

import torch

from ssd300.model import SSD
from ssd300.system.environment import cpu_has_bf16

IMAGES = 2
LEAST, MOST = 2, 6  # trials of each precision; the best one counts, as the first one compiles
LONG_S = 2.0  # after so long it is said that steps are timed
CLEAR = 1.25  # times as fast: then no more trials are made. Beside other work a trial may take twice the time
WORTH = 0.95  # bfloat16 rounds more, and times vary: so much of the time of float32 is the most that it may take
log = logging.getLogger(__name__)


def choose_precision(amp: str, device: torch.device, model: SSD) -> torch.dtype:
    """'auto' is bfloat16 on CUDA where it is supported, else float16 there; on a CPU that has bfloat16, what is faster
    in a step of `model`, which is not changed; else float32, as on MPS.
    """
    if amp == "bf16":
        return torch.bfloat16
    if amp == "fp16":
        if device.type == "cpu":
            log.warning("float16 is slow on a CPU; --amp bf16 or --amp off is faster")
        return torch.float16
    if amp == "auto" and device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if amp == "auto" and device.type == "cpu":
        if cpu_has_bf16():
            return _faster_on_cpu(model)
        log.info("--amp auto: float32, as this processor has no bfloat16")
    return torch.float32


def _faster_on_cpu(model: SSD) -> torch.dtype:
    """To have the instructions is not enough: with them, some processors are slower (docs/performance.md)."""
    best = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    for trial in range(1, MOST + 1):
        for precision in best:
            best[precision] = min(best[precision], step_seconds(model, precision))
        if trial == 1 and sum(best.values()) > LONG_S:
            log.info("--amp auto: timing steps in bfloat16 and in float32")
        if trial >= LEAST and max(best.values()) >= CLEAR * min(best.values()):
            break
    bf16, float32 = best[torch.bfloat16], best[torch.float32]
    chosen = torch.bfloat16 if bf16 <= WORTH * float32 else torch.float32
    log.info(
        "--amp auto: %s, as a step of %d images takes %.0f ms in bfloat16 and %.0f ms in float32; --amp %s repeats it",
        str(chosen).removeprefix("torch."), IMAGES, 1000 * bf16, 1000 * float32,
        "bf16" if chosen == torch.bfloat16 else "off",
    )  # fmt: skip
    return chosen


def step_seconds(model: SSD, precision: torch.dtype) -> float:
    """Seconds of a forward and a backward pass of a copy of the model, on gray images."""
    trained = copy.deepcopy(model).train()
    images = torch.full((IMAGES, 3, *[model.settings.image_size_px] * 2), 0.5)
    started = time.perf_counter()
    with torch.autocast("cpu", precision, enabled=precision != torch.float32):
        logits, offsets = trained(images)
    (logits.float().sum() + offsets.float().sum()).backward()
    return time.perf_counter() - started
