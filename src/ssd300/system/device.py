"""The device of a run, and the names of precisions."""

import torch

from ssd300.errors import UsageError, did_you_mean

DEVICES = ("auto", "cpu", "cuda", "mps")


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


def dtype_name(dtype: torch.dtype) -> str:
    """The name without torch's prefix: 'float32', 'bfloat16'."""
    return str(dtype).removeprefix("torch.")
