"""Which tensors of a file a training starts from: those of a detector of ours, or of a VGG16 backbone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from ssd300.weights.detectors import is_foreign_detector
from ssd300.weights.layouts import FEATURES
from ssd300.weights.tensor_files import load_tensors, read_contents
from ssd300.weights.vgg16_layers import KINDS
from ssd300.weights.weight_sets import WeightSet, choose, find_sets

KEY_OPTION = "--init-key"
BACKBONE, HEADS = "backbone.", "heads."
IN_PARTS = ("extras", "heads")  # taken layer by layer and map by map, as another image size may have more of them
NEW_HEADS = "the heads"
WORDS = {"pyramid": "the pyramid", "extras": "the extra layers", "heads": NEW_HEADS}


@dataclass(frozen=True, kw_only=True)
class StartTensors:
    """Tensors by the names of our model, and those of a backbone that has more layers; or, if `are_ours` is false, by
    those of a VGG16. There may be none then.

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
    names = dict(choice.taken.names)
    if are_ours:  # with the layers of the backbone that the model has not: it is another one then
        known, place = set(names.values()), choice.taken.place
        others = (name for name in contents.tensors if name.startswith(f"{place}{BACKBONE}") and name not in known)
        names |= {name.removeprefix(place): name for name in others}
    loaded = load_tensors(contents, names.values(), path)
    return StartTensors(
        tensors={known: loaded[name] for known, name in names.items()},
        are_ours=are_ours,
        notes=tuple(choice.notes(KEY_OPTION)),
    )


def holds_vgg16(path: Path) -> bool:
    """Whether a file that is not ours holds VGG16 or its first layers, alone or in a detector.

    Raises WeightsError if it cannot be read.
    """
    contents = read_contents(path)
    first = {f"{FEATURES[name]}.weight" for name in ("conv1_1", "conv1_2", "conv2_1")}
    return is_foreign_detector(contents) or any(len(one.names) == len(first) for one in find_sets(contents, first))


def whole_parts(fits: Mapping[str, Tensor], state: Iterable[str]) -> dict[str, Tensor]:
    """Of the tensors that fit a model with the names `state`, those of parts that fit whole.

    A bias or a batch normalization may have the right shape by chance, beside a convolution of another detector.
    """
    broken = {_part(name) for name in state if name not in fits}
    return {name: tensor for name, tensor in fits.items() if _part(name) not in broken}


def new_parts(fits: Iterable[str], state: Iterable[str]) -> list[str]:
    """In words, what of a model with the names `state` has nothing of `fits`."""
    taken = {name.partition(".")[0] for name in fits}
    return [words for part, words in WORDS.items() if part not in taken and any(n.startswith(part) for n in state)]


def _part(name: str) -> str:
    """Such as backbone, extras.blocks.0 and heads.logits.0."""
    names = name.split(".")
    return ".".join(names[:3]) if names[0] in IN_PARTS else names[0]


def _fullest(sets: Sequence[WeightSet]) -> list[WeightSet]:
    """Without those that have less than half of the most names: these are parts of a network, or other ones."""
    most = max((len(one.names) for one in sets), default=0)
    return [one for one in sets if 2 * len(one.names) > most]


def _size(sets: Sequence[WeightSet]) -> int:
    return max((len(one.names) for one in sets), default=0)
