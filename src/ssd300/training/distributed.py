"""Several processes that train one detector, as `torchrun` starts them.

Each batch is cut into one piece per process. Its images do not depend on the number of processes, so a run can be
resumed with another number.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

BACKENDS = "cpu:gloo,cuda:nccl"


@dataclass(frozen=True)
class World:
    """The processes of a run; by default this one alone. All must call sum, any and gather in the same order."""

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        return self.rank == 0

    def sum(self, value: Tensor) -> Tensor:
        """The sum of `value` over all processes, in each of them."""
        if self.size == 1:
            return value
        total = value.clone()
        dist.all_reduce(total)
        return total

    def stacked(self, value: Tensor) -> Tensor:
        """The tensors of all processes, of one shape, in a new first dimension, in each of them."""
        pieces = [torch.empty_like(value) for _ in range(self.size)]
        dist.all_gather(pieces, value)
        return torch.stack(pieces)

    def any(self, flag: bool) -> bool:
        """Whether `flag` is true in any process."""
        return flag if self.size == 1 else bool(self.sum(torch.tensor(int(flag))))

    def gather(self, value: Any) -> list[Any]:
        """The values of all processes in the order of their ranks, in each of them."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def piece(self, count: int) -> slice:
        """The part of this process of `count` items. Parts follow each other; their lengths differ by one at most."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def rows(self, count: int, parts: int) -> list[range]:
        """The rows of this process in each of `parts` parts of a batch of `count` rows.

        A part has the same rows whatever the number of processes, and each process has rows of it if there are enough.
        Lengths differ by one at most, of parts, of pieces, and of all that a process has.
        """
        found, turn = [], 0  # the process that has the next longer piece
        for part in range(parts):
            start, end = count * part // parts, count * (part + 1) // parts
            each, longer = divmod(end - start, self.size)
            lengths = [each + ((rank - turn) % self.size < longer) for rank in range(self.size)]
            turn += longer
            first = start + sum(lengths[: self.rank])
            found.append(range(first, first + lengths[self.rank]))
        return found

    def parallel(self, model: nn.Module, device: torch.device) -> nn.Module:
        """The model; with several processes, one whose backward pass averages gradients over them."""
        if self.size == 1:
            return model
        return DistributedDataParallel(model, device_ids=[device.index] if device.type == "cuda" else None)


ALONE = World()


@contextmanager
def joined() -> Iterator[World]:
    """The processes that `torchrun` describes in the environment; without it, this one alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group(BACKENDS if torch.cuda.is_available() else "gloo")
    try:
        yield World(dist.get_rank(), size)
    finally:
        dist.destroy_process_group()
