"""The error when memory runs out: what was tried, and a number of images that fits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from ssd300.errors import RunError
from ssd300.system.memory import free_memory_bytes, gigabytes

_CPU_WORDS = ("DefaultCPUAllocator", "can't allocate memory", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` is how torch or Python reports that memory ran out."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _CPU_WORDS)


@contextmanager
def explained(count: int, attempt: Callable[[int], object] | None, *, batch: int) -> Iterator[None]:
    """Turn running out of memory into a RunError that names a number of images that fits.

    The network processes `count` images together, of a `batch` that `--accumulate` may have divided. `attempt(n)` makes
    the forward and backward pass of n images together. It gets half of `count`, then half of that, and so on: the first
    number that fits is named, and more may fit. If `attempt` is None nothing is tried.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        reason = str(error).splitlines()[0]
    else:
        return
    # Outside the except clause: the error keeps the tensors of the failed pass alive.
    what = f"memory ran out with {count} images at once ({reason}; {_free()} are free)"
    if attempt is None:
        more = 2 * -(-batch // count)
        raise RunError(what, fix=f"Use --accumulate {more} or more, which keeps the batch, or a smaller --batch-size.")
    fits = _first_half_that_fits(count, attempt)
    fix = (
        f"{fits} images fit: --accumulate {-(-batch // fits)} keeps the batch as it is, --batch-size {fits} makes it "
        "smaller."
        if fits
        else "Not even one image fits: use another device, or a smaller --model."
    )
    raise RunError(what, fix=fix)


def _first_half_that_fits(count: int, attempt: Callable[[int], object]) -> int:
    """Of half, a quarter and so on, the first number of images that fits; 0 if not even one does."""
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
