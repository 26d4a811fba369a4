"""Several processes that train one detector, as `torchrun` starts them.

Each batch is cut into one piece per process. Its images do not depend on the number of processes, so a run can be
resumed with another number.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from ssd300.errors import UsageError
from ssd300.system.processes import process_count
from ssd300.training.meeting import meet
from ssd300.training.reported_once import reported_once

BACKENDS = "cpu:gloo,cuda:nccl"


@dataclass(frozen=True)
class World:
    """The processes of a run; by default this one alone. All must call sum, stacked, any, gather, check_same and
    copy_from_main in the same order. `store` is where they leave words for each other.
    """

    rank: int = 0
    size: int = 1
    store: Store | None = field(default=None, repr=False, compare=False)

    def __deepcopy__(self, _memo: object) -> "World":
        return self  # a layer has it, and a store cannot be copied

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

    def check_same(self, values: Mapping[str, Any]) -> None:
        """Raises UsageError, in all processes, that names the values that they do not have in common."""
        first, *others = self.gather(dict(values))
        if differ := [name for name in first if any(other.get(name) != first[name] for other in others)]:
            raise UsageError(
                f"the processes of this run differ in {', '.join(differ)}",
                fix="Start ssd300 with the same options, on the same data and in the same version, on all machines.",
            )

    def copy_from_main(self, model: nn.Module) -> None:
        """Give `model` in all processes the weights and statistics that it has in the main one."""
        if self.size > 1:
            for tensor in model.state_dict().values():
                dist.broadcast(tensor, src=0)

    def understood(self, error: BaseException) -> BaseException:
        """What to raise in place of an error that ends this process, so that one process tells what the matter is."""
        if self.store is None or not isinstance(error, Exception):
            return error
        return reported_once(error, rank=self.rank, size=self.size, store=self.store)

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
_joined: ContextVar[World | None] = ContextVar("joined", default=None)


@contextmanager
def joined() -> Iterator[World]:
    """The processes that `torchrun` describes in the environment; without it, this one alone. Inside of another
    `joined`, it is the same.

    Raises ReportedElsewhereError in place of an error that another process reports.
    """
    if process_count() == 1:
        yield ALONE
        return
    if (known := _joined.get()) is not None:
        yield known
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    shared, rank, size = next(rendezvous("env://"))
    store = PrefixStore(meet(shared, rank, size), shared)
    dist.init_process_group(
        BACKENDS if torch.cuda.is_available() else "gloo",
        store=PrefixStore("group", store),
        rank=rank,
        world_size=size,
    )
    world = World(rank, size, PrefixStore("words", store))
    token = _joined.set(world)
    try:
        yield world
    except Exception as error:
        if (found := world.understood(error)) is error:
            raise
        raise found from error
    finally:
        _joined.reset(token)
        dist.destroy_process_group()
