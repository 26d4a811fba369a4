"""Where the processes of one start find each other: a name that no earlier start of the same launch had.

After a failure `torchrun` starts all processes again, and keeps the store in which they meet. It still has what those
of the earlier start left there, such as the addresses at which they listened.
"""

import hashlib
import json
import time
from uuid import uuid4

from torch.distributed import DistNetworkError
from torch.distributed.distributed_c10d import Store

PAUSE_S = 0.02
LONGEST_S = 1800.0  # as long as torch waits for a process


def meet(store: Store, rank: int, size: int) -> str:
    """The name of this start, the same in all of its processes, which all call this.

    Each leaves a word of its own, the main process joins the latest ones to a name, and it counts once all have seen
    their word in it: who left an older one is gone, and sees nothing. Raises DistNetworkError if one does not come.
    """
    word = uuid4().hex
    store.set(f"arrived/{rank}", word)
    ended = time.monotonic() + LONGEST_S
    while time.monotonic() < ended:
        if rank == 0:
            words = [store.get(f"arrived/{one}").decode() for one in range(size)]
            store.set("start", json.dumps(words))
        else:
            words = json.loads(store.get("start"))
        name = hashlib.sha256("".join(words).encode()).hexdigest()
        if words[rank : rank + 1] == [word]:
            store.set(f"seen/{name}/{rank}", "")
            if rank == 0 and store.check([f"seen/{name}/{one}" for one in range(size)]):
                store.set(f"begun/{name}", "")
            if store.check([f"begun/{name}"]):
                return name
        time.sleep(PAUSE_S)
    raise DistNetworkError(f"process {rank} of {size} did not meet all others")
