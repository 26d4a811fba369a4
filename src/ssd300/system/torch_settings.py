"""Settings of torch's libraries that are environment variables, and count only before torch is loaded."""

import os

SETTINGS = {
    # Threads that wait for others soon sleep, so that they take less time from other work (docs/performance.md).
    "GOMP_SPINCOUNT": "10000",
    # Large tensors in large pages of memory (Linux): a new tensor costs less than with pages of 4 kB.
    "THP_MEM_ALLOC_ENABLE": "1",
}


def set_before_torch() -> None:
    """Set what the user has not set. Call it before torch is imported."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
