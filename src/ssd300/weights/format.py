"""Our weights file: safetensors, with the model, its classes and its conventions in the metadata.

Nothing in it is executed. Checksums over all of its bytes find damage that safetensors itself does not find; files of
version 1 have one over the tensors alone.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ssd300.errors import UsageError, WeightsError
from ssd300.model import SSD
from ssd300.system.files import write_atomically
from ssd300.weights.card import Card, parse_card
from ssd300.weights.checksums import OF_DATA, OF_HEADER, UNSEALED, check_header, check_whole, seal
from ssd300.weights.other_files import not_our_weights

FORMAT, FORMAT_VERSION = "ssd300", 2
CHECKSUM_1 = "sha256"  # of the tensors, in files of version 1
ENTRIES = frozenset(["format", "format_version", "card", CHECKSUM_1, OF_HEADER, OF_DATA])  # of the metadata


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
    return parse_card(metadata.get("card"), path)


def read_weights_file(path: Path, *, device: torch.device | str = "cpu") -> tuple[SSD, Card]:
    """The detector, in evaluation mode, and its card.

    Raises:
        WeightsError: the file was not written by `save_weights`, has a newer format, is damaged, does not fit the
            model of its card, or holds values that are not finite.
    """
    metadata = _metadata(path)
    _check_sealed(path, metadata, check_whole)
    card = parse_card(metadata.get("card"), path)
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


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
