"""Our weights file: safetensors, with the model, its classes and its conventions in the metadata.

Nothing in it is executed. Checksums over all of its bytes find damage that safetensors itself does not find; files of
version 1 have one over the tensors alone.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ssd300.data.class_lists import repeated
from ssd300.data.dataset import fold
from ssd300.errors import UsageError, WeightsError
from ssd300.images.resize import ANTIALIASED, RESIZES, Resize
from ssd300.model import SSD, Architecture
from ssd300.model.architecture import MODELS
from ssd300.model.default_boxes import DefaultBoxSettings
from ssd300.model.heads import HeadKind
from ssd300.model.ssd import Normalization
from ssd300.system.files import write_atomically
from ssd300.weights.checksums import OF_DATA, OF_HEADER, UNSEALED, check_header, check_whole, seal
from ssd300.weights.other_files import not_our_weights

FORMAT, FORMAT_VERSION = "ssd300", 2
SSD_HEADS = "ssd"  # those of a card that says nothing of them
CHECKSUM_1 = "sha256"  # of the tensors, in files of version 1
ENTRIES = frozenset(["format", "format_version", "card", CHECKSUM_1, OF_HEADER, OF_DATA])  # of the metadata


@dataclass(frozen=True, kw_only=True)
class Card:
    """The metadata of a weights file.

    `model`, `backbone` and `heads` are those of `Architecture`.
    `classes` are without background, in the order of the outputs. `clip_boxes` clips boxes to the image before
    non-maximum suppression. `metric` is {"name", "value", "images"} of the evaluation that chose these weights, None
    before the first one. `min_scores` are confidence thresholds by class name; a class without one has the default of
    detection. `heads` is a HeadKind.

    `source` tells where the weights come from, as JSON values. Its keys depend on what wrote the file:
    - `ssd300 train`: "start" (the file that it started from, or "none"), "data" ("<folder>, <split>"), "images" (how
      many), and "fingerprint" of the dataset; "recipe" has the choices beyond the paper by option, if there are any.
      `ssd300 thresholds` compares "data" and "fingerprint" with its dataset, and reports if these are training images.
    - `ssd300 import`: "imported_from" (file name) and "layout"; for published weights also "origin", "data", "licence"
      and "published".
    - `ssd300 thresholds` adds "min_scores", a mapping of what they were chosen by and on.
    """

    model: str
    classes: tuple[str, ...] = field(repr=False)
    settings: DefaultBoxSettings = field(repr=False)
    normalization: Normalization
    resize: Resize = ANTIALIASED
    clip_boxes: bool = False
    metric: Mapping[str, Any] | None = None
    min_scores: Mapping[str, float] = field(repr=False, default_factory=dict)
    source: Mapping[str, Any] = field(repr=False, default_factory=dict)
    heads: str = SSD_HEADS
    backbone: str | None = None

    @property
    def image_size_px(self) -> int:
        return self.settings.image_size_px

    @property
    def architecture(self) -> Architecture:
        return Architecture(model=self.model, backbone=self.backbone, heads=self.heads)

    def build(self) -> SSD:
        """A new, randomly initialized detector that these weights fit."""
        return self.architecture.build(len(self.classes), settings=self.settings, normalization=self.normalization)

    def to_json(self) -> dict[str, Any]:
        """Without what says nothing: files of earlier versions have no `fitted_px`, `heads` and `backbone`."""
        card = asdict(self)
        if self.heads == SSD_HEADS:
            del card["heads"]
        if self.backbone is None:
            del card["backbone"]
        if not card["settings"]["fitted_px"]:
            del card["settings"]["fitted_px"]
        return card


def save_weights(path: Path, model: SSD, card: Card) -> None:
    """Write the model's tensors and its card atomically: an interrupted call leaves no partial file."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    metadata = {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "card": json.dumps(card.to_json()),
        **UNSEALED,
    }

    def write(temporary: Path) -> None:
        save_file(tensors, temporary, metadata=metadata)
        seal(temporary)

    write_atomically(path, write)


def is_ours(path: Path) -> bool:
    """Whether `save_weights` wrote the file, in this version or another. Damage to one entry does not make it False."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError):
        return False
    return metadata.get("format") == FORMAT or _has_our_entries(metadata)


def read_card_file(path: Path) -> Card:
    """The card alone; the tensors are not read, nor checked. Raises WeightsError."""
    metadata = _metadata(path)
    _check_sealed(path, metadata, check_header)
    return _parse_card(path, metadata)


def read_weights_file(path: Path, *, device: torch.device | str = "cpu") -> tuple[SSD, Card]:
    """The detector, in evaluation mode, and its card.

    Raises:
        WeightsError: the file was not written by `save_weights`, has a newer format, is damaged, does not fit the
            model of its card, or holds values that are not finite.
    """
    metadata = _metadata(path)
    _check_sealed(path, metadata, check_whole)
    card = _parse_card(path, metadata)
    tensors = _tensors(path, metadata)
    model = _built(card, path)
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    got = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if wanted != got:
        name = next(name for name in sorted(wanted.keys() | got.keys()) if wanted.get(name) != got.get(name))
        raise WeightsError(
            f"{name} is {got.get(name, 'missing')} where {card.model} with {len(card.classes)} classes has "
            f"{wanted.get(name, 'nothing')}",
            where=path,
            fix="Use the file with the version that wrote it, or start from it with --init.",
        )
    model.load_state_dict(tensors)
    return model.to(device).eval(), card


def _built(card: Card, path: Path) -> SSD:
    try:
        return card.build()
    except (ImportError, UsageError) as error:  # timm is missing, or another version of it
        raise WeightsError(f"its detector cannot be built ({error})", where=path) from error
    except Exception as error:  # damaged values raise whatever the code does that they meet
        raise WeightsError(f"its card is of no detector ({error})", where=path, fix="Copy the file again.") from error


def _check_sealed(path: Path, metadata: Mapping[str, str], check: Callable[[Path], None]) -> None:
    """Check the checksums of version 2, which a damaged number of the version does not switch off."""
    if metadata["format_version"] == "1" and not metadata.keys() & {OF_HEADER, OF_DATA}:
        return
    try:
        check(path)
    except (ValueError, OSError) as error:
        raise WeightsError(
            f"the file is damaged, or another program changed it ({error})",
            where=path,
            fix="Copy it again, or write it again with the command that made it.",
        ) from error


def _tensors(path: Path, metadata: Mapping[str, str]) -> dict[str, Tensor]:
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
    if metadata["format_version"] == "1" and _checksum(tensors) != metadata.get(CHECKSUM_1):
        raise WeightsError("the checksum does not match: the file is damaged", where=path, fix="Copy it again.")
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise WeightsError(f"{name} holds values that are not finite", where=path, fix="Use an earlier state.")
    return tensors


def _metadata(path: Path) -> dict[str, str]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise not_our_weights(path, error) from error
    if metadata.get("format") != FORMAT:
        if _has_our_entries(metadata):
            raise WeightsError("the file is damaged: its header is not whole", where=path, fix="Copy it again.")
        raise WeightsError(
            "the file does not state the classes and default boxes of its weights",
            where=path,
            fix="ssd300 did not write it: convert it with `ssd300 import`, or start a training from it with --init.",
        )
    version = metadata.get("format_version", "")
    if not version.isdecimal() or int(version) > FORMAT_VERSION:
        raise WeightsError(
            f"format version {version or 'missing'}; this ssd300 reads up to {FORMAT_VERSION}",
            where=path,
            fix="Install a newer ssd300.",
        )
    return metadata


def _has_our_entries(metadata: Mapping[str, str]) -> bool:
    """Whether there are three of them, which other programs do not write, even if one or two are damaged."""
    return len(metadata.keys() & ENTRIES) >= 3


def _parse_card(path: Path, metadata: Mapping[str, str]) -> Card:
    try:
        card = _card(json.loads(metadata["card"]))
        _check_card(card, path)
    except WeightsError:
        raise
    except Exception as error:  # damaged values of version 1 raise whatever the code does that they meet
        raise WeightsError(f"the metadata cannot be read ({error})", where=path, fix="Copy the file again.") from error
    return card


def _card(fields: dict[str, Any]) -> Card:
    settings = {name: _tuples(value) for name, value in fields.pop("settings").items()}
    normalization = {name: _tuples(value) for name, value in fields.pop("normalization").items()}
    return Card(
        settings=DefaultBoxSettings(**settings),
        normalization=Normalization(**normalization),
        **{name: _tuples(value) if name == "classes" else value for name, value in fields.items()},
    )


def _check_card(card: Card, path: Path) -> None:
    if card.model not in MODELS:
        raise WeightsError(
            f"the model is {card.model}; known are {', '.join(MODELS)}", where=path, fix="Install a newer ssd300."
        )
    if (again := repeated(card.classes)) is not None or "" in map(fold, card.classes):
        raise WeightsError(
            f"the class '{again}' is listed twice" if again else "a class has no name",
            where=path,
            fix="Its detections could not be told apart: write the file again, with a name of its own for each class.",
        )
    if not (set(card.min_scores) <= set(card.classes) and all(0 <= score <= 1 for score in card.min_scores.values())):
        raise WeightsError(
            f"the confidence thresholds are {dict(card.min_scores)}; they must be for its classes and lie in 0..1",
            where=path,
            fix="Choose them again with `ssd300 thresholds`.",
        )
    if card.heads not in get_args(HeadKind):
        raise WeightsError(
            f"the heads are {card.heads}; this ssd300 has {', '.join(get_args(HeadKind))}",
            where=path,
            fix="Install a newer ssd300.",
        )
    if card.resize not in RESIZES:
        raise WeightsError(
            f"images are resized by {card.resize}; this ssd300 has {', '.join(RESIZES)}",
            where=path,
            fix="Install a newer ssd300.",
        )


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
