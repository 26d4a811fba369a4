"""What stands in a checkpoint: its tensors by full name, the places of its dictionaries, and lists of class names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ssd300.system.wording import words
from ssd300.weights.inert_pickle import Inert, LateTensor

DEEPEST = 60  # levels; a pickled network has a few for each of its modules
MOST_NODES = 500_000  # a pickle of a few bytes can hold the same list a million times
CLASS_KEYS = words(
    """
    classes classnames names labels labelnames labelmap categories id2label label2id idxtoclass idx2class idx2label
    classtoidx class2idx classlist classdict classmapping classidtoname catnames thingclasses targetnames vocclasses
    voclabels cococlasses cocolabels idtoname id2name labeltoname
    """
)


@dataclass
class Contents:
    """What a file holds.

    `tensors` have their full names, the keys of the dictionaries around them first: "model.module.conv1.weight". `keys`
    are the places of dictionaries and networks: "", "model". `class_lists` are the values that may list class names,
    by their place. `kind` says what the file is where that matters, as "a TorchScript archive".
    """

    tensors: dict[str, Tensor | LateTensor] = field(default_factory=dict)
    keys: dict[str, None] = field(default_factory=dict)  # in the order of the file
    class_lists: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    kind: str = ""


def contents_of(found: Any, *, title: str = "", kind: str = "") -> Contents:
    """The contents of what was unpickled, or of a plain dictionary of tensors.

    Raises ValueError if it is nested so deeply that it can only have been made to exhaust a reader.
    """
    contents = Contents(title=title, kind=kind)
    _Visit(contents).visit(found, "")
    return contents


class _Visit:
    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.nodes = 0

    def visit(self, value: Any, place: str, *, depth: int = 0, in_network: bool = False) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES or depth > DEEPEST:
            raise ValueError("it is nested too deeply")
        if isinstance(value, (Tensor, LateTensor)):
            self.contents.tensors.setdefault(place, value)
            return
        network = _is_network(value)
        if isinstance(value, (dict, Inert)) and not in_network:
            self.contents.keys[place] = None
        for key, child in _children(value):
            name = f"{place}.{key}" if place else key
            if isinstance(key, str) and _bare(key.rpartition(".")[2]) in CLASS_KEYS:
                self.contents.class_lists.setdefault(name, child)
            self.visit(child, name, depth=depth + 1, in_network=network)


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    """The parts of a dictionary, a list or an object, by key, number or attribute.

    Those of a module of torch are its parameters, buffers and modules, by the names that a state dict gives them.
    """
    if isinstance(value, dict):
        yield from ((str(key), child) for key, child in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((str(number), child) for number, child in enumerate(value))
    elif isinstance(value, Inert):
        yield from ((str(key), child) for key, child in value.items.items())
        yield from (one for argument in value.arguments if isinstance(argument, dict) for one in _children(argument))
        for state in value.state if isinstance(value.state, tuple) else (value.state,):
            for key, child in state.items() if isinstance(state, dict) else ():
                if key in ("_parameters", "_buffers", "_modules"):
                    yield from _children(child)
                else:
                    yield str(key), child


def _is_network(value: Any) -> bool:
    state = value.state if isinstance(value, Inert) else None
    return isinstance(state, dict) and ("_modules" in state or "training" in state)


def _bare(key: str) -> str:
    return key.casefold().replace("_", "").replace("-", "").replace(" ", "")


def plain(value: Any) -> Any:
    """A value of a file as Python's own: stand-ins for lists and dictionaries of other classes become these."""
    if isinstance(value, Inert):
        entries: Mapping[Any, Any] = value.items or next((one for one in value.arguments if isinstance(one, dict)), {})
        return list(entries.values()) if list(entries) == list(range(len(entries))) else dict(entries)
    return value
