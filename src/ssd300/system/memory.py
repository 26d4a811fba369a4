"""Memory of this machine, of the container in which this process runs, and of this process."""

import ctypes
import os
import sys
from pathlib import Path

import psutil

# (limit, in use) of Linux control groups, version 2 and 1. "max", or more than the machine's memory, means no limit.
CONTAINER_FILES = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)

# Of glibc's malloc.h: blocks from M_MMAP_THRESHOLD on come from the system one by one and go back at once, and above
# M_TRIM_THRESHOLD freed memory at the end of the heap goes back.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 2**31 - 1  # as much as `mallopt` takes
OF_MALLOC = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")

STATUS, PEAK = Path("/proc/self/status"), "VmHWM:"  # of Linux; in kB, which are 1,024 bytes there


def free_memory_bytes() -> int:
    """Memory that is available without swapping, within the limits of machine and container."""
    free = int(psutil.virtual_memory().available)
    for limit, in_use in CONTAINER_FILES:
        try:
            free = min(free, int(limit.read_text()) - int(in_use.read_text()))
        except (OSError, ValueError):
            continue
    return max(free, 0)


def used_memory_bytes() -> int:
    """Resident memory of this process and its children. Memory that they share is counted for each."""
    used = 0
    process = psutil.Process()
    for one in (process, *process.children(recursive=True)):
        try:
            used += int(one.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return used


def child_memory_bytes() -> int:
    """Memory that the children of this process have for themselves: what they share with it is not counted."""
    used = 0
    for one in psutil.Process().children(recursive=True):
        try:
            used += int(one.memory_full_info().uss)
        except psutil.Error:
            continue
    return used


def keep_freed_memory() -> None:
    """Let this process keep the memory of freed tensors for the next ones: with glibc, and if the user has set nothing.

    It is for work of the same sizes again and again, such as training steps: the system zeroes each page that it gives.
    """
    if sys.platform != "linux" or any(name in os.environ for name in OF_MALLOC):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # another C library has none
        mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def gigabytes(count: int) -> str:
    """For messages: '0.31 GB', where 1 GB is 10^9 bytes."""
    return f"{count / 1e9:.2f} GB"


def peak_memory_bytes() -> int:
    """The greatest resident memory of this process so far. Linux is asked for it by name, as its `getrusage` counts the
    process that started this one, too.
    """
    try:
        return next(int(line.split()[1]) * 1024 for line in STATUS.read_text().splitlines() if line.startswith(PEAK))
    except (OSError, StopIteration):
        return _peak_by_usage()


def _peak_by_usage() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return int(psutil.Process().memory_info().peak_wset)  # type: ignore[attr-defined]  # only on Windows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
