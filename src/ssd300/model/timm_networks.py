"""Networks of timm by name: which of their maps a detector uses, and how large these are at an image size.

timm is imported where it is used: it is optional, the extra `light`, and takes seconds.
"""

import warnings
from functools import cache
from types import ModuleType
from typing import NamedTuple

import torch
from torch import nn

from ssd300.errors import UsageError, as_text, did_you_mean, install_hint

PREFIX = "timm:"  # of a backbone's name, before timm's own
Triple = tuple[float, float, float]
STRIDES = (8, 16, 32)  # of the maps that a detector uses
ALL_NAMES = "In Python, `timm.list_models()` lists all names."


class UsedMaps(NamedTuple):
    """The maps at `STRIDES`: their places among the maps that timm has of a network, and their channels."""

    places: tuple[int, ...]
    channels: tuple[int, ...]


def import_timm() -> ModuleType:
    """Raises ImportError, which says how to install it."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "IProgress not found")  # in notebooks, about bars that are not drawn
            import timm
    except ImportError as error:
        raise ImportError(f"this backbone needs timm. {install_hint('light')}", name="timm") from error
    return timm


def timm_name(backbone: str) -> str:
    """The name that timm has of the backbone 'timm:NAME'. Raises UsageError for one that timm does not have."""
    name = backbone.removeprefix(PREFIX)
    architecture, _, tag = name.partition(".")
    timm = import_timm()
    known = timm.list_models()
    if architecture not in known:
        raise UsageError(
            f"timm has no network '{name}'", where=backbone, fix=did_you_mean(architecture, known, ALL_NAMES)
        )
    tags = [one.partition(".")[2] for one in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        fix = f"It has {', '.join(tags)}." if tags else f"Leave out '.{tag}': it has no weights."
        raise UsageError(f"timm has no weights '{tag}' of {architecture}", where=backbone, fix=fix)
    return name


@cache
def used_maps(name: str) -> UsedMaps:
    """Raises UsageError if the network has no map at one of the strides, or if timm gives none of its maps."""
    try:
        with torch.device("meta"):
            network = import_timm().create_model(name, features_only=True)
    except ImportError:
        raise
    except Exception as error:  # timm raises RuntimeError, AssertionError, AttributeError and others
        raise UsageError(
            f"timm has no maps of {name} to detect on ({_first_line(error)})", fix="Use another network of timm."
        ) from error
    maps = network.feature_info.info
    strides = [one["reduction"] for one in maps]
    missing = [str(stride) for stride in STRIDES if stride not in strides]
    if missing:
        has = ", ".join(map(str, sorted(set(strides))))
        raise UsageError(
            f"{name} has no map at stride {' and '.join(missing)}; its maps are at stride {has}",
            fix=f"A backbone has maps at strides {', '.join(map(str, STRIDES))}, as most convolutional networks do.",
        )
    places = tuple(len(strides) - 1 - strides[::-1].index(stride) for stride in STRIDES)
    return UsedMaps(places, tuple(maps[place]["num_chs"] for place in places))


def create_features(name: str) -> nn.Module:
    """The network without what comes after its last used map, randomly initialized. It returns the used maps."""
    network: nn.Module = import_timm().create_model(name, features_only=True, out_indices=used_maps(name).places)
    return network


def has_channels_last(network: nn.Module) -> bool:
    """Whether the maps of a network of timm are (batch, h, w, channels), as those of some transformers are."""
    return getattr(getattr(network, "output_fmt", None), "value", None) == "NHWC"


@cache
def cells(name: str, image_size_px: int) -> tuple[int, ...]:
    """Cells along a side of each used map: networks round an odd size up or down. Nothing is computed.

    Raises UsageError if the network cannot process images of this size.
    """
    try:
        with torch.device("meta"), torch.no_grad():
            network = create_features(name).eval()
            maps = network(torch.zeros(1, 3, image_size_px, image_size_px))
    except (ImportError, UsageError):
        raise
    except Exception as error:  # whatever the network meets in a size that it was not made for
        raise UsageError(
            f"{name} cannot process images of {image_size_px} x {image_size_px} pixels ({_first_line(error)})",
            fix=_other_size(name, image_size_px),
        ) from error
    return tuple(one.shape[2 if not has_channels_last(network) else 1] for one in maps)


def usual_normalization(name: str) -> tuple[Triple, Triple]:
    """Mean and standard deviation of the images, RGB in 0..1, that timm's weights of the network were trained with."""
    config = import_timm().get_pretrained_cfg(name)
    mean, std = config.mean, config.std
    return (mean[0], mean[1], mean[2]), (std[0], std[1], std[2])


def _other_size(name: str, image_size_px: int) -> str:
    config = import_timm().get_pretrained_cfg(name)
    usual = config.input_size[-1]
    if config.fixed_input_size or image_size_px % STRIDES[-1] == 0:
        return f"Use --image-size {usual}, which it was made for, or another network."
    return f"Use --image-size {-(-image_size_px // STRIDES[-1]) * STRIDES[-1]}, or another network."


def _first_line(error: Exception) -> str:
    return as_text(str(error).splitlines()[0] if str(error) else type(error).__name__).rstrip(".")
