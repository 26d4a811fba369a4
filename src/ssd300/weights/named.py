"""Published weights by name: their addresses, origin and license, and how they are downloaded.

Addresses and the beginnings of the SHA-256 come from torchvision's file names, sizes from its descriptions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from ssd300.errors import DownloadError, WeightsError
from ssd300.system.cache_folder import cache_folder
from ssd300.system.download import RemoteFile, fetch
from ssd300.weights.foreign import import_weights
from ssd300.weights.format import save_weights


@dataclass(frozen=True, kw_only=True)
class NamedWeights:
    """A published file: a detector, or a backbone, which only `--init` can use. `published` is its published result."""

    file: RemoteFile
    is_detector: bool
    origin: str
    data: str
    license: str
    published: str | None = None


def _torchvision(name: str, sha256: str, size_mib: float) -> RemoteFile:
    file = f"{name}-{sha256}.pth"
    return RemoteFile(
        name=file, addresses=(f"https://download.pytorch.org/models/{file}",), sha256=sha256, size_mib=size_mib
    )


NAMED: Mapping[str, NamedWeights] = MappingProxyType(
    {
        "coco": NamedWeights(
            file=_torchvision("ssd300_vgg16_coco", "b556d3b4", 135.988),
            is_detector=True,
            origin="torchvision, SSD300_VGG16_Weights.COCO_V1",
            data="COCO train2017",
            license="torchvision: BSD-3-Clause; COCO's images have terms of their own",
            published="COCO AP 0.251 on val2017, according to torchvision",
        ),
        "vgg16": NamedWeights(
            file=_torchvision("vgg16", "397923af", 527.796),
            is_detector=False,
            origin="torchvision, VGG16_Weights.IMAGENET1K_V1",
            data="ImageNet-1K",
            license="torchvision: BSD-3-Clause; ImageNet's images have terms of their own",
        ),
        "vgg16_features": NamedWeights(
            file=_torchvision("vgg16_features-amdegroot", "88682ab5", 527.802),
            is_detector=False,
            origin="torchvision, VGG16_Weights.IMAGENET1K_FEATURES: Caffe's VGG16, by way of amdegroot's ssd.pytorch",
            data="ImageNet-1K",
            license="ssd.pytorch: MIT; ImageNet's images have terms of their own",
        ),
    }
)


def is_downloaded(name: str) -> bool:
    """Whether the published file is in the cache. Nothing is downloaded or read."""
    return (cache_folder() / NAMED[name].file.name).is_file()


def fetch_named(name: str) -> Path:
    """The published file as it is, in the cache, downloaded if it is not there yet.

    Raises:
        WeightsError: it cannot be downloaded, or the file there is not the published one.
    """
    try:
        return fetch(NAMED[name].file, cache_folder())
    except DownloadError as error:
        what = error.what.replace(NAMED[name].file.name, f"the weights '{name}'")
        raise WeightsError(what, where=error.where, fix=error.fix) from error


def check_is_detector(name: str) -> None:
    """Raises WeightsError for the name of a backbone, which only `--init` can use."""
    if not NAMED[name].is_detector:
        raise WeightsError(
            f"{name} is a backbone, not a detector",
            where=NAMED[name].origin,
            fix=f"Train a detector that starts from it: `ssd300 train DATA --init {name} --out RUN`.",
        )


def named_detector(name: str) -> Path:
    """The detector of that name as a weights file of ours, in the cache; it is downloaded and imported once.

    Raises:
        WeightsError: the name is a backbone's, or it cannot be downloaded.
    """
    check_is_detector(name)
    known = NAMED[name]
    ours = cache_folder() / Path(known.file.name).with_suffix(".safetensors")
    if not ours.is_file():
        model, card, _ = import_weights(fetch_named(name))
        source = dict(card.source) | {
            "origin": known.origin,
            "data": known.data,
            "licence": known.license,
            "published": known.published,
        }
        save_weights(ours, model, replace(card, source=source))
    return ours
