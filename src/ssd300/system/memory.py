"""How much memory there is, of this machine or of the container that it is divided into."""

import sys
from pathlib import Path

import psutil

# (limit, in use) of control groups, version 2 and 1. A limit of "max", or one above the machine's memory, is none.
CONTAINER_FILES = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


def free_memory_bytes() -> int:
    """What can still be taken without pushing others out, of the machine and of the container."""
    free = int(psutil.virtual_memory().available)
    for limit, in_use in CONTAINER_FILES:
        try:
            free = min(free, int(limit.read_text()) - int(in_use.read_text()))
        except (OSError, ValueError):
            continue
    return max(free, 0)


def used_memory_bytes() -> int:
    """What this process and its workers hold, what they share counted once for each."""
    used = 0
    process = psutil.Process()
    for one in (process, *process.children(recursive=True)):
        try:
            used += int(one.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return used


def gigabytes(count: int) -> str:
    """For messages: '0.31 GB', of 10^9 bytes."""
    return f"{count / 1e9:.2f} GB"


def peak_memory_bytes() -> int:
    """The most that this process has held so far."""
    try:
        import resource
    except ImportError:  # Windows
        return int(psutil.Process().memory_info().peak_wset)  # type: ignore[attr-defined]  # Windows alone has it
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
