"""Sets of weights in a file: where they stand, what stands before their names, and which one is taken.

A file may hold the same network several times: the trained one, its running average, a teacher. Its names may have a
prefix from the code around the network, as "module." of DataParallel. Neither is looked up in a list: a set is found by
the names of a known network, and what stands before these names is its place.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ssd300.errors import WeightsError, did_you_mean
from ssd300.system.wording import words
from ssd300.weights.contents import Contents

# Modules that wrap a part of a network, whose names may also stand in the middle of a tensor's name.
WRAPPERS = words(
    """
    module _orig_mod _fsdp_wrapped_module _checkpoint_wrapped_module _forward_module _fpw_module
    """
)
AVERAGES = words("ema avg average averaged averages averager swa teacher shadow polyak target")
NOT_WEIGHTS = words("exp_avg exp_avg_sq max_exp_avg_sq momentum_buffer grad grads gradients")
LONGEST_NAME = 40  # parts of a name that are looked at
KEY_OPTION = "--key"
TOP = "the top of the file"


@dataclass(frozen=True, kw_only=True)
class WeightSet:
    """One set of weights in a file.

    `key` is the place of its dictionary, "" at the top; `prefix` is what all its names begin with there, with the dot
    at its end; `inside` are the wrappers in the middle of names. `names` are its names in the file by the known ones.
    """

    key: str
    prefix: str
    names: Mapping[str, str]
    inside: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """What stands before the known names: "state_dict.model."."""
        return f"{self.key}.{self.prefix}" if self.key else self.prefix

    @property
    def is_average(self) -> bool:
        words = re.split(r"[^A-Za-z]+|(?<=[a-z])(?=[A-Z])", self.place)
        return not AVERAGES.isdisjoint(word.casefold() for word in words)

    def notes(self) -> list[str]:
        """A sentence on what was taken off the names; none if nothing was."""
        off = [f"the prefix '{self.prefix}' was taken off its names"] if self.prefix else []
        return off + [f"'{name}.' was taken out of its names" for name in self.inside]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The set that was taken of a file, its name there, and the names of the others."""

    taken: WeightSet
    name: str
    others: tuple[str, ...] = ()

    def describe(self) -> str:
        """Such as "model (also there: ema)"."""
        return self.name + (f" (also there: {', '.join(self.others)})" if self.others else "")

    def facts(self) -> dict[str, str]:
        """What a weights file keeps of this, by name; nothing for a plain state dict."""
        weights = {"weights": self.describe()} if self.others or self.taken.key else {}
        return weights | ({"prefix": self.taken.prefix} if self.taken.prefix else {})

    def notes(self, option: str = KEY_OPTION) -> list[str]:
        """What was chosen, and what was taken off the names; none for a plain state dict."""
        said = []
        if self.others:
            said = [f"weights taken: {self.describe()}; {option} chooses another set"]
        elif self.taken.key:
            said = [f"weights taken: {self.name}"]
        return said + self.taken.notes()


def find_sets(contents: Contents, wanted: Collection[str]) -> list[WeightSet]:
    """The sets that have any of the wanted names, in the order of the file. Those of an optimizer are left out."""
    found: dict[str, dict[str, str]] = {}
    inside: dict[str, dict[str, None]] = {}
    for name in contents.tensors:
        for place, ending, wrappers in _endings(name):
            if ending in wanted:
                found.setdefault(place, {}).setdefault(ending, name)
                inside.setdefault(place, {}).update(dict.fromkeys(wrappers))
    return [_set(contents, place, names, tuple(inside[place])) for place, names in found.items() if _usable(place)]


def choose(sets: Sequence[WeightSet], key: str | None, where: object, option: str = KEY_OPTION) -> Choice:
    """The set that `key` names; without one the first in the file that is no running average.

    `sets` is not empty, and in the order of the file. Raises WeightsError if `key` names none of them.
    """
    names = _names(sets)
    possible = list(sets) if key is None else _named(sets, names, key)
    if not possible:
        raise WeightsError(
            f"the file has no weights called '{key}'",
            where=where,
            fix=did_you_mean(str(key), names, f"{option} takes one of: {', '.join(names)}."),
        )
    taken = min(possible, key=lambda one: one.is_average)  # the first of equal ones
    name = names[list(sets).index(taken)]
    return Choice(taken=taken, name=name, others=tuple(other for other in names if other != name))


def _named(sets: Sequence[WeightSet], names: Sequence[str], key: str) -> list[WeightSet]:
    """The sets that a user can mean: by whole name, else by a beginning or an end of it."""
    wanted = key.strip(".")
    pairs = list(zip(sets, names, strict=True))
    places = [(one, {name, one.key, one.place.strip("./")}) for one, name in pairs]
    for fits in (
        lambda place: place == wanted,
        lambda place: place.startswith(f"{wanted}."),
        lambda place: place.endswith(f".{wanted}") or f".{wanted}." in place,
    ):
        if found := [one for one, all_ in places if any(map(fits, all_))]:
            return found
    return []


def _names(sets: Sequence[WeightSet]) -> list[str]:
    """A name for each set: its key, or where several have that key, its whole place."""
    keys = [one.key for one in sets]
    return [(one.key if keys.count(one.key) == 1 else one.place.strip("./")) or TOP for one in sets]


def _endings(name: str) -> Iterator[tuple[str, str, list[str]]]:
    """Each way to cut a name into a place and a known name, the latter without the wrappers in it."""
    parts = re.findall(r"[^./]*[./]?", name)[:-1]
    for start in range(max(0, len(parts) - LONGEST_NAME), len(parts)):
        if _is_wrapper(parts[start]):
            continue  # it belongs to the place
        ending = [part for part in parts[start:] if not _is_wrapper(part)]
        wrappers = [part[:-1] for part in parts[start:] if _is_wrapper(part)]
        yield "".join(parts[:start]), "".join(ending), wrappers


def _is_wrapper(part: str) -> bool:
    return part[-1:] == "." and part[:-1] in WRAPPERS


def _usable(place: str) -> bool:
    return not any("optim" in part.casefold() or part.casefold() in NOT_WEIGHTS for part in place.split("."))


def _set(contents: Contents, place: str, names: Mapping[str, str], inside: Iterable[str]) -> WeightSet:
    keys = [key for key in contents.keys if key and place.startswith(f"{key}.")]
    key = max(keys, key=len, default="")
    return WeightSet(key=key, prefix=place[len(key) + 1 :] if key else place, names=names, inside=tuple(inside))
