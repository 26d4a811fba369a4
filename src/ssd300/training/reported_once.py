"""An error in one of several processes: reported once, and with its reason, though all of them end.

Where one process ends, the others only notice that an exchange with it fails. They leave each other words in a store:
the one with an error says what it is, the main process says that it reports it.
"""

import json
import time
from contextlib import suppress

from torch.distributed import DistError
from torch.distributed.distributed_c10d import Store

from ssd300.errors import ReportedElsewhereError, RunError, SSDError

OF_EXCHANGES = ("gloo", "NCCL", "Connection closed by peer", "Connection reset by peer")  # in the words of their errors
# To wait for the main process to report an error, and for the reason of a lost process. One that can leave a reason has
# done so before it is lost.
MAIN_S, REASON_S = 2.0, 1.0
POLL_S = 0.05  # a store cannot wake up who waits for several keys
REPORTING, REPORTED = (
    "the main process reports",
    "reported by its own",
)  # keys; the reason of process n has the key str(n)


def reported_once(error: Exception, *, rank: int, size: int, store: Store) -> Exception:
    """What process `rank` raises in place of `error`: ReportedElsewhereError where another process reports the reason.

    The main process reports its own error, or that of another one, in its words. If it cannot, as it is busy or gone,
    the one with the error does.
    """
    if isinstance(error, ReportedElsewhereError):
        return error
    reported: Exception = error
    with suppress(RuntimeError):  # the store may end with its process
        if _is_of_exchange(error):
            reported = _reason(size, store)
        else:
            store.set(str(rank), json.dumps(_parts(error)))
        if rank == 0:
            if not isinstance(reported, ReportedElsewhereError):
                store.set(REPORTING, "")
        elif reported is not error or _appears(store, REPORTING):
            return ReportedElsewhereError(str(reported))
        else:
            store.set(REPORTED, "")
    return reported


def _is_of_exchange(error: Exception) -> bool:
    return isinstance(error, DistError) or (
        type(error) is RuntimeError and any(word in str(error) for word in OF_EXCHANGES)
    )


def _parts(error: Exception) -> tuple[str, str | None, str | None]:
    if isinstance(error, SSDError):
        return error.what, error.where, error.fix
    return f"{type(error).__name__}: {error}", None, None


def _reason(size: int, store: Store) -> Exception:
    """Why an exchange failed: the error of the first process that left one; or that none did."""
    ended = time.monotonic() + REASON_S
    while time.monotonic() < ended:
        for rank in range(size):
            if store.check([str(rank)]):
                what, where, fix = json.loads(store.get(str(rank)))
                reported = RunError(f"process {rank} of {size}: {what}", where=where, fix=fix)
                return ReportedElsewhereError(str(reported)) if store.check([REPORTED]) else reported
        time.sleep(POLL_S)
    return RunError(
        "another process of this run ended without a word",
        fix="See which one, and its exit code, in what torchrun prints. Signal 9 is often a lack of memory.",
    )


def _appears(store: Store, key: str) -> bool:
    """Whether the key is there, or comes in `MAIN_S`."""
    ended = time.monotonic() + MAIN_S
    while not store.check([key]):
        if time.monotonic() > ended:
            return False
        time.sleep(POLL_S)
    return True
