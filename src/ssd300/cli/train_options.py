"""The fields of a training's configuration as options of the command line, each with the presets' values."""

import re
from dataclasses import field, make_dataclass
from functools import cache, partial
from typing import Annotated, Any, get_type_hints

from cyclopts import Parameter

from ssd300.cli.help import DATA, LEARNING, NETWORK, RECIPE, RUN, USUAL, in_words
from ssd300.training.config import TrainConfig
from ssd300.training.config_block import GROUPS
from ssd300.training.presets import ON_A_CPU, PRESETS

METAVARS = {"init": "WEIGHTS", "device": "DEVICE"}
HELP_GROUPS = {
    "usual": USUAL, "data": DATA, "learning": LEARNING, "recipe": RECIPE, "network": NETWORK, "run": RUN,
}  # fmt: skip


def _optional_fields(config: type) -> type:
    """The fields of a configuration as options that are None if left out; the help shows the presets' values."""
    groups = {name: HELP_GROUPS[group] for group, names in GROUPS.items() for name in names.split()}
    options = []
    for name, hint in get_type_hints(config).items():
        parameter = Parameter(show_default=partial(_default, name), group=groups.get(name), metavar=METAVARS.get(name))
        if name != "out":
            options.append((name, Annotated[hint | None, parameter], field(default=None)))
    made = make_dataclass("Options", options, frozen=True, kw_only=True)
    made.__doc__, made.__module__ = _as_typed(config.__doc__ or ""), __name__
    return made


def _as_typed(docstring: str) -> str:
    """`lr_drop` and 'cosine' as the command line has them: --lr-drop and cosine."""
    options = re.sub(r"`(\w+)`", lambda found: f"--{found[1].replace('_', '-')}", docstring)
    return re.sub(r"'([\w-]+)'", r"\1", options)


def _default(name: str, _none: None) -> str:
    """The value of an option that is left out: one for all presets, or each with its presets and a common one last."""
    values: dict[str, list[str]] = {}  # to the presets that have it
    for preset, config in preset_values().items():
        values.setdefault(in_words(getattr(config, name)) or "none", []).append(preset)
    common = max(values, key=lambda value: len(values[value]))
    if len(values) == 1:
        return common
    rest = [f"else {common}"] if len(values[common]) > 1 else []
    own = {value: presets for value, presets in values.items() if value != common or not rest}
    return ", ".join([*(f"{value} with {' and '.join(presets)}" for value, presets in own.items()), *rest])


@cache
def preset_values() -> dict[str, TrainConfig]:
    """The configuration of each preset by its name, the usual one first."""
    return {name: PRESETS[name]("run") for name in sorted(PRESETS, key=lambda name: name != ON_A_CPU)}


TrainOptions: Any = _optional_fields(TrainConfig)
