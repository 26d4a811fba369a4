"""Which tensors of a file a training starts from: those of a detector of ours, or of a VGG16 backbone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from ssd300.weights.detectors import is_foreign_detector
from ssd300.weights.tensor_files import load_tensors, read_contents
from ssd300.weights.vgg16_layers import KINDS
from ssd300.weights.weight_sets import WeightSet, choose, find_sets

KEY_OPTION = "--init-key"
HEADS = "heads."


@dataclass(frozen=True, kw_only=True)
class StartTensors:
    """Tensors by the names of our model, or, if `are_ours` is false, by those of a VGG16; there may be none then.

    `is_foreign`: the file holds a detector of another code, and its tensors are for `import_weights`; here are none.
    `notes` say which weights of the file they are, and what was taken off their names.
    """

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    are_ours: bool = False
    is_foreign: bool = False
    notes: tuple[str, ...] = ()


def read_start(path: Path, ours: Iterable[str], key: str | None = None) -> StartTensors:
    """The tensors of a file for a model with the names `ours`; `key` chooses as `weight_sets.choose` does.

    Raises:
        WeightsError: the file cannot be read, or has no weights called `key`.
    """
    contents = read_contents(path)
    sets = _fullest(
        [one for one in find_sets(contents, set(ours)) if any(name.startswith(HEADS) for name in one.names)]
    )
    are_ours = bool(sets)
    if not are_ours:
        if is_foreign_detector(contents):
            return StartTensors(is_foreign=True)
        sets = max((_fullest(find_sets(contents, names)) for names in KINDS), key=_size)
    if not sets:
        return StartTensors()
    choice = choose(sets, key, path, KEY_OPTION)
    names = choice.taken.names
    loaded = load_tensors(contents, names.values(), path)
    return StartTensors(
        tensors={known: loaded[name] for known, name in names.items()},
        are_ours=are_ours,
        notes=tuple(choice.notes(KEY_OPTION)),
    )


def _fullest(sets: Sequence[WeightSet]) -> list[WeightSet]:
    """Without those that have less than half of the most names: these are parts of a network, or other ones."""
    most = max((len(one.names) for one in sets), default=0)
    return [one for one in sets if 2 * len(one.names) > most]


def _size(sets: Sequence[WeightSet]) -> int:
    return max((len(one.names) for one in sets), default=0)
