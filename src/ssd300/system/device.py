"""The device and the precision of a run."""

import logging
import time

import torch
import torch.nn.functional as F

from ssd300.errors import UsageError, did_you_mean
from ssd300.system.environment import cpu_has_bf16

DEVICES = ("auto", "cpu", "cuda", "mps")
log = logging.getLogger(__name__)
TRIALS = 12  # of each precision, the best one counts: the first compiles, and other work may disturb some


def choose_device(name: str) -> torch.device:
    """The device by torch's name; 'auto' is CUDA if there is one, else MPS, else the CPU.

    Raises:
        UsageError: this machine does not have the device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        fix = "Use --device auto, which takes what is there; `ssd300 env` lists it."
        if name.partition(":")[0] not in DEVICES:
            fix = did_you_mean({"gpu": "cuda"}.get(name.casefold(), name), DEVICES, fix)
        raise UsageError(f"the device {name} is not available", fix=fix) from error
    return device


def choose_precision(amp: str, device: torch.device) -> torch.dtype:
    """The network's precision by the option --amp.

    'auto' is bfloat16 on CUDA where it is supported, else float16 there; bfloat16 on a CPU that has it, if a timing
    finds it faster; else float32, as on MPS.
    """
    if amp == "bf16":
        return torch.bfloat16
    if amp == "fp16":
        return torch.float16
    if amp == "auto" and device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if amp == "auto" and device.type == "cpu":
        if not cpu_has_bf16():
            log.info("--amp auto: float32, as this processor has no bfloat16")
        elif _bf16_pays_on_cpu():
            return torch.bfloat16
    return torch.float32


def dtype_name(dtype: torch.dtype) -> str:
    """The name without torch's prefix: 'float32', 'bfloat16'."""
    return str(dtype).removeprefix("torch.")


def _bf16_pays_on_cpu() -> bool:
    """Whether a convolution like the network's, forward and backward, is faster in bfloat16 than in float32. Timed.

    To have the instructions is not enough: AMD's Zen 4 is about twice as fast with them, an Intel Xeon without the
    matrix unit about half as fast (docs/performance.md).
    """
    images = torch.ones(2, 128, 38, 38).contiguous(memory_format=torch.channels_last)
    kernel = torch.ones(128, 128, 3, 3).contiguous(memory_format=torch.channels_last)
    best = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    for _ in range(TRIALS):
        for precision in best:
            weight = kernel.clone().requires_grad_()
            started = time.perf_counter()
            with torch.autocast("cpu", precision, enabled=precision != torch.float32):
                F.conv2d(images, weight, padding=1).float().sum().backward()  # type: ignore[no-untyped-call]  # torch's
            best[precision] = min(best[precision], time.perf_counter() - started)
    bf16, float32 = best[torch.bfloat16], best[torch.float32]
    faster = "bfloat16" if bf16 < float32 else "float32"
    log.info(
        "--amp auto: %s, as a convolution takes %.1f ms in bfloat16 and %.1f ms in float32",
        faster, 1000 * bf16, 1000 * float32,
    )  # fmt: skip
    return bf16 < float32
