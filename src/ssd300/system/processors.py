"""The number of processors for this process. A quota of CPU time, as containers may have, is not considered."""

import os


def processors() -> int:
    """How many this process may run on; those of the machine where the system does not tell."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
