"""Start a script or a module in several processes, as `torchrun` does, on this machine alone."""

import os
import subprocess
import sys
from collections.abc import Sequence


def torchrun(processes: int, *command: object, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """With one process, without `torchrun`. `options` are those of `torchrun`."""
    starter = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), *options]
    return subprocess.run(
        [sys.executable, *(starter if processes > 1 else []), *map(str, command)],
        capture_output=True, text=True, timeout=300, env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
