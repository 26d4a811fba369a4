"""Annotated images: formats, checks, augmentation and batches.

Names are imported when they are first used: detection, which needs none of them, starts a tenth of a second sooner.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssd300.data.dataset import Dataset
    from ssd300.data.load import load_dataset

__all__ = ["Dataset", "load_dataset"]

_HOMES = {"Dataset": "ssd300.data.dataset", "load_dataset": "ssd300.data.load"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ssd300.data' has no attribute '{name}'")
