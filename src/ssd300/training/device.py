"""Which device and precision a run uses."""

import torch

from ssd300.errors import UsageError
from ssd300.training.environment import cpu_has_bf16


def choose_device(name: str) -> torch.device:
    """'auto' takes CUDA, then MPS, then the CPU. Raises UsageError for a device that this machine has not."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"the device {name} is not to be had here", fix="Use --device auto, or see `ssd300 env`."
        ) from error
    return device


def choose_precision(amp: str, device: torch.device) -> torch.dtype:
    """The network's precision: bfloat16 where asked for, or where 'auto' finds hardware that has it."""
    if amp == "bf16":
        return torch.bfloat16
    if amp == "auto":
        has = torch.cuda.is_bf16_supported(including_emulation=False) if device.type == "cuda" else cpu_has_bf16()
        if has and device.type in ("cuda", "cpu"):
            return torch.bfloat16
    return torch.float32
