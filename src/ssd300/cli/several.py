"""A verb that `torchrun` starts in several processes: they join before it begins, so that an error is reported once."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from ssd300.system.processes import process_count

P = ParamSpec("P")


def joining(verb: Callable[P, None]) -> Callable[P, None]:
    """The verb, with its processes joined if there are several."""

    @wraps(verb)
    def joined_verb(*arguments: P.args, **options: P.kwargs) -> None:
        if process_count() == 1:
            verb(*arguments, **options)
            return
        from ssd300.training.distributed import joined

        with joined():
            verb(*arguments, **options)

    return joined_verb
