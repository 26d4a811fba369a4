"""What is said when memory runs out: what was tried, and what would fit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from ssd300.errors import RunError
from ssd300.system.memory import free_memory_bytes, gigabytes

_CPU_WORDS = ("DefaultCPUAllocator", "can't allocate memory", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch, on any device, or Python could not have the memory it asked for."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _CPU_WORDS)


@contextmanager
def explained(count: int, attempt: Callable[[int], object] | None) -> Iterator[None]:
    """Turns running out of memory into a RunError that names the largest number of images that fits.

    `attempt` makes forward and backward pass of so many of the `count` images; halves are tried until one fits.
    Without it nothing is tried, as one of several processes cannot do it alone.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        said = str(error).splitlines()[0]
    else:
        return
    # Out of the except clause, as the error holds on to the tensors of the pass that failed.
    what = f"memory ran out with {count} images at once ({said}; {_free()} are free)"
    if attempt is None:
        raise RunError(what, fix="Give --accumulate 2 or more, which keeps the batch, or a smaller --batch-size.")
    fits = _largest_that_fits(count, attempt)
    fix = (
        f"{fits} images fit: --accumulate {-(-count // fits)} keeps the batch as it is, --batch-size {fits} makes it "
        "smaller."
        if fits
        else "Not even one image fits: use another device, or a smaller --model."
    )
    raise RunError(what, fix=fix)


def _largest_that_fits(count: int, attempt: Callable[[int], object]) -> int:
    """0 if not even one does."""
    while (count := count // 2) > 0:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        try:
            attempt(count)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        else:
            return count
    return 0


def _free() -> str:
    return gigabytes(torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else free_memory_bytes())
