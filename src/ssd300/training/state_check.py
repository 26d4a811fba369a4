"""The content of a state file, checked entry by entry before any of it is used.

The file's own checksums find flipped bits. This finds what is whole and yet no state: an entry that is missing or one
too many, a value of a wrong type, tensors of other sizes, numbers that are not finite.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

import torch
from torch import Tensor

from ssd300.model.default_boxes import DefaultBoxSettings
from ssd300.training.config import TrainConfig

VERSION, WRITTEN_BY = "format_version", "written_by"  # states of version 1 have neither
FIRST_VERSION = 2  # that a state can name
WHOLE_VERSION = 5  # from this one on, a state has every option; an older one may be from before some
ENTRIES = ("model", "optimizer", "scaler", "average", "progress", "data", "config", "random", "random_cuda")
BOXES, BOXES_VERSION = "default_boxes", 3  # an entry, and the first version whose states all have it
NEW_IN_PROGRESS, PROGRESS_VERSION = ("images_seen", "begins_with_evaluation"), 6  # entries of the progress, likewise
PRECISIONS = (torch.float32, torch.bfloat16, torch.float16)
OF_BEST: dict[str, type | tuple[type, ...]] = {
    "metric": str,
    "map": (float, type(None)),
    "per_class": dict,
    "averaged": bool,
}
# With the data, which has the classes, these decide all sizes, and the optimizer's groups.
SIZE_OPTIONS = ("model", "backbone", "default_boxes", "optimizer", "backbone_lr", "freeze", "heads")
OF_GROUP = {  # by optimizer; torch adds others, by its version
    "sgd": ("params", "lr", "rate", "momentum", "dampening", "weight_decay"),
    "adamw": ("params", "lr", "rate", "eps", "weight_decay"),
}
OF_PARAMETER = {"sgd": ("momentum_buffer",), "adamw": ("step", "exp_avg", "exp_avg_sq")}
FINGERPRINT_DIGITS = 64  # of the data; a state that was made without data has ""


class Expected(NamedTuple):
    """What the run that resumes would write now, in the same form; and its parameters, in the order of its optimizer.

    Sizes are compared if data and `SIZE_OPTIONS` are the same.
    """

    content: Mapping[str, Any]
    parameters: Sequence[Tensor]


def check_state(content: object, expected: Expected) -> None:
    """Raises ValueError that names the entry and what is wrong with it."""
    versioned = isinstance(content, dict) and bool({VERSION, WRITTEN_BY} & content.keys())
    boxes = (BOXES,) if isinstance(content, dict) and (BOXES in content or _has_reached(BOXES_VERSION, content)) else ()
    entries = _mapping("the content", content, (*ENTRIES, *boxes, *((VERSION, WRITTEN_BY) if versioned else ())))
    if versioned:
        _is(VERSION, entries[VERSION], int)
        _require(entries[VERSION] >= FIRST_VERSION, VERSION, f"is {entries[VERSION]}")
        _is(WRITTEN_BY, entries[WRITTEN_BY], str)
    _is("data", entries["data"], str)
    _require(len(entries["data"]) in (0, FINGERPRINT_DIGITS), "data", "is no fingerprint")
    if boxes:
        _check_default_boxes(entries[BOXES], expected.content[BOXES])
    _check_config(entries["config"], expected, whole=_has_reached(WHOLE_VERSION, entries))
    config = complete(entries["config"])
    same = entries["data"] == expected.content["data"] and all(
        config[name] == expected.content["config"][name] for name in SIZE_OPTIONS
    )
    _tensors("model", entries["model"], expected.content["model"] if same else None)
    _check_progress(entries["progress"], expected.content["progress"], whole=_has_reached(PROGRESS_VERSION, entries))
    _check_average(entries["average"], entries["model"], wanted=config["ema"])
    _check_scaler(entries["scaler"], needed=entries["progress"]["precision"] == torch.float16)
    _check_optimizer(entries["optimizer"], expected, config["optimizer"], same=same)
    keeps = config["momentum"] or config["optimizer"] == "adamw"
    has_made_steps = entries["progress"]["step"] and not entries["scaler"]
    _require(bool(entries["optimizer"]["state"] or not (keeps and has_made_steps)), "optimizer.state", "is empty")
    _check_random(entries["random"], entries["random_cuda"])


def _has_reached(least: int, entries: Mapping[str, Any]) -> bool:
    """Whether the state must have what that version has. One whose version is damaged must."""
    version = entries.get(VERSION, 1)
    return not isinstance(version, int) or version >= least


def _check_default_boxes(settings: object, like: Mapping[str, Any]) -> None:
    values = _mapping(BOXES, settings, tuple(like))
    for name, value in values.items():
        _is(f"{BOXES}.{name}", value, type(like[name]))
    try:
        DefaultBoxSettings(**values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{BOXES}: {error}") from error


def complete(config: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a state; those that it is too old to have, with the defaults, which change nothing."""
    defaults = {one.name: one.default for one in fields(TrainConfig) if one.default is not MISSING}
    return defaults | {"lr_drop": list(TrainConfig.lr_drop)} | dict(config)


def _check_config(config: object, expected: Expected, *, whole: bool) -> None:
    """`whole` demands every option."""
    _is("config", config, dict)
    assert isinstance(config, dict)
    if whole:
        _mapping("config", config, tuple(expected.content["config"]))
    hints = get_type_hints(TrainConfig)
    for name, value in config.items():
        _require(name in hints, f"config.{name}", "is no option")
        _is(f"config.{name}", value, _kinds(hints[name]))
    drops = config.get("lr_drop", [])
    for drop in drops:
        _is("config.lr_drop", drop, int)
    try:
        TrainConfig(**config | {"out": Path(config.get("out", "")), "lr_drop": tuple(drops)})
    except (TypeError, ValueError) as error:
        raise ValueError(f"config: {error}") from error


def _kinds(hint: Any) -> tuple[type, ...]:
    """The types of the plain values that an option of this type has in the file."""
    nothing = (type(None),) if type(None) in get_args(hint) else ()
    kinds = {hint, *get_args(hint)} - {type(None)}
    if hint == int | None:
        return (int, *nothing)
    if bool in kinds:
        return (bool, *nothing)
    if float in kinds or hint is int:
        return (int, float, *nothing)
    return (list,) if int in kinds else (str, *nothing)


def _check_progress(progress: object, like: Mapping[str, Any], *, whole: bool) -> None:
    """`whole` demands what older states do not have."""
    _is("progress", progress, dict)
    assert isinstance(progress, dict)
    older = () if whole else tuple(name for name in NEW_IN_PROGRESS if name not in progress)
    values = _mapping("progress", progress, tuple(name for name in like if name not in older))
    values = {"images_seen": values["step"], "begins_with_evaluation": False} | values
    for name in ("step", "images_seen", "evaluated", "stale"):
        _is(f"progress.{name}", values[name], int)
        _require(values[name] >= 0, f"progress.{name}", f"is {values[name]}")
    _require(values["images_seen"] >= values["step"], "progress.images_seen", "is less than an image a step")
    _is("progress.begins_with_evaluation", values["begins_with_evaluation"], bool)
    _require(values["evaluated"] <= values["step"], "progress.evaluated", "is after the last step")
    _is("progress.seconds", values["seconds"], (int, float))
    _require(0 <= values["seconds"] < math.inf, "progress.seconds", f"is {values['seconds']}")
    _require(values["precision"] in PRECISIONS, "progress.precision", f"is {values['precision']}")
    _is("progress.skipped", values["skipped"], tuple)
    for message in values["skipped"]:
        _is("progress.skipped", message, str)
    best = values["best"]
    if best is None:
        return
    _is("progress.best", best, dict)
    for name, kind in OF_BEST.items():
        _require(name in best, f"progress.best.{name}", "is missing")
        _is(f"progress.best.{name}", best[name], kind)
    _is("progress.best.min_scores", best.get("min_scores", {}), dict)  # older runs have none
    try:
        json.dumps(best, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"progress.best: {error}") from error


def _check_average(average: object, model: Mapping[str, Tensor], *, wanted: object) -> None:
    _require((average is not None) == bool(wanted), "average", "does not agree with the option ema")
    if average is not None:
        counter = {"n_averaged": torch.tensor(0)}
        _tensors("average", average, counter | {f"module.{name}": tensor for name, tensor in model.items()})


def _check_scaler(scaler: object, *, needed: bool) -> None:
    """It is empty unless gradients are scaled, and on a device that cannot scale them."""
    _is("scaler", scaler, dict)
    assert isinstance(scaler, dict)
    if scaler:
        _require(needed, "scaler", "is of another precision")
        _mapping("scaler", scaler, tuple(torch.amp.GradScaler("cpu").state_dict()))
        for name, value in scaler.items():
            _is(f"scaler.{name}", value, (int, float))
            _require(0 <= value < math.inf, f"scaler.{name}", f"is {value}")


def _check_optimizer(optimizer: object, expected: Expected, kind: str, *, same: bool) -> None:
    values = _mapping("optimizer", optimizer, ("state", "param_groups"))
    _is("optimizer.param_groups", values["param_groups"], list)
    _is("optimizer.state", values["state"], dict)
    numbers: list[int] = []
    group_like = expected.content["optimizer"]["param_groups"][0]
    for group in values["param_groups"]:
        numbers += _check_group(group, group_like, OF_GROUP[kind])
    _require(numbers == list(range(len(numbers))), "optimizer.param_groups", "does not number the parameters")
    if same:
        _require(len(numbers) == len(expected.parameters), "optimizer.param_groups", "has other parameters")
        sizes = [len(group["params"]) for group in expected.content["optimizer"]["param_groups"]]
        _require([len(group["params"]) for group in values["param_groups"]] == sizes, "optimizer", "has other groups")
    state = values["state"]
    _require(not state or sorted(state) == numbers, "optimizer.state", "has not one entry per parameter")
    for number, entry in state.items():
        name = f"optimizer.state.{number}"
        of_parameter = _mapping(name, entry, OF_PARAMETER[kind])
        if kind == "sgd" and of_parameter["momentum_buffer"] is None:  # as it is without momentum
            continue
        _tensors(name, entry, _like(expected.parameters[number], kind) if same else None)


def _like(parameter: Tensor, kind: str) -> dict[str, Tensor]:
    """What the optimizer keeps of a parameter, in its shapes and types."""
    return {name: torch.zeros(()) if name == "step" else parameter for name in OF_PARAMETER[kind]}


def _check_group(group: object, like: Mapping[str, Any], needed: Sequence[str]) -> list[int]:
    """The numbers of its parameters. `needed` are the entries that it must have."""
    where = "optimizer.param_groups"
    _is(where, group, dict)
    assert isinstance(group, dict)
    for name in needed:
        _require(name in group, f"{where}.{name}", "is missing")
    for name, value in group.items():
        if name in needed and name != "params":
            _is(f"{where}.{name}", value, (int, float))
            _require(math.isfinite(value), f"{where}.{name}", f"is {value}")
        elif name in like:
            _is(f"{where}.{name}", value, type(like[name]))
    for number in group["params"]:
        _is(f"{where}.params", number, int)
    return list(group["params"])


def _check_random(random: object, random_cuda: object) -> None:
    _is("random_cuda", random_cuda, list)
    assert isinstance(random_cuda, list)
    for name, stream in [("random", random), *(("random_cuda", one) for one in random_cuda)]:
        _is(name, stream, Tensor)
        assert isinstance(stream, Tensor)
        _require(stream.dtype == torch.uint8 and stream.ndim == 1, name, "is no random stream")
    try:
        torch.Generator().set_state(random)  # type: ignore[arg-type]  # a Tensor, as checked above
    except (RuntimeError, TypeError) as error:
        raise ValueError("random: it is no random stream") from error


def _tensors(where: str, value: object, like: Mapping[str, Tensor] | None = None) -> None:
    """Finite tensors by name; with `like`, of the same names, shapes and types."""
    tensors = _mapping(where, value, tuple(like)) if like is not None else value
    _is(where, tensors, dict)
    assert isinstance(tensors, dict)
    _require(bool(tensors), where, "is empty")
    for name, tensor in tensors.items():
        _is(f"{where}.{name}", tensor, Tensor)
        if like is not None:
            got, wanted = (f"{tuple(one.shape)} {one.dtype}" for one in (tensor, like[name]))
            _require(got == wanted, f"{where}.{name}", f"is {got} and not {wanted}")
        finite = not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())
        _require(finite, f"{where}.{name}", "holds values that are not finite")


def _mapping(where: str, value: object, names: Sequence[str]) -> dict[str, Any]:
    _is(where, value, dict)
    assert isinstance(value, dict)
    missing, unknown = [name for name in names if name not in value], [name for name in value if name not in names]
    _require(not missing, where, f"lacks {', '.join(missing[:3])}")
    _require(not unknown, where, f"has the unknown entry {', '.join(map(str, unknown[:3]))}")
    return value


def _is(where: str, value: object, kind: type | tuple[type, ...]) -> None:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    right = isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)  # True is an int in Python
    _require(right, where, f"is of type {type(value).__name__}")


def _require(condition: bool, where: str, what: str) -> None:
    if not condition:
        raise ValueError(f"{where}: it {what}")
