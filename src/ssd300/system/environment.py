"""What a run depends on besides its options: versions, processor, accelerator."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

PACKAGES = ("ssd300", "torch", "torchvision", "timm", "numpy", "Pillow", "safetensors")


def environment() -> dict[str, str | int | bool | list[str]]:
    """Facts of this machine as plain values: for `ssd300 env`, and for the file that each run stores.

    A package that is not installed has the version "". `processors` are the machine's, `threads` are torch's.
    """
    facts: dict[str, str | int | bool | list[str]] = {name: _version(name) for name in PACKAGES}
    facts |= {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "mps": torch.backends.mps.is_available(),
        "bf16_on_cpu": cpu_has_bf16(),
    }
    return facts


def source_commit() -> str | None:
    """The git commit of the checkout that holds this package; None outside a checkout or without git."""
    try:
        found = subprocess.run(
            ["git", "-C", Path(__file__).parent, "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def cpu_has_bf16() -> bool:
    """Whether the processor has instructions for bfloat16. Without them, bfloat16 is slower than float32."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
