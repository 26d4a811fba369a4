"""What a job was made with: weights, settings and input. A start with others is another job."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ssd300.detection.backends import is_exported
from ssd300.errors import UsageError

PARTS = ("weights", "settings", "input")
WEIGHTS_NAME = "weights_file"  # in the manifest: the weights as they were named
BLOCK = 1 << 20
SHOWN, DIGEST_SHOWN = 100, 12  # characters in messages


def weights_files(weights: str) -> list[Path]:
    """The files that weights are made of; of OpenVINO two. A published name is downloaded. Raises WeightsError."""
    if is_exported(weights) and Path(weights).is_file():
        path = Path(weights)
    else:
        from ssd300.weights.resolve import resolve_weights  # which imports torch

        path = resolve_weights(weights)
    return [path, path.with_suffix(".bin")] if path.suffix.lower() == ".xml" else [path]


def digest_of(files: Sequence[Path]) -> str:
    """The SHA-256 of the files' bytes, one after the other."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()


def as_stored(value: Any) -> Any:
    """The value as it comes back from JSON."""
    return json.loads(json.dumps(value))


def check_same(before: Mapping[str, Any], now: Mapping[str, Any], out: str) -> None:
    """Raises UsageError that names which of PARTS differ, and how; of weights also their names, if both manifests have
    them.
    """
    different = [name for name in PARTS if before.get(name) != as_stored(now[name])]
    if different:
        how = "; ".join(f"{name}: {_difference(name, before, as_stored(dict(now)))}" for name in different)
        raise UsageError(
            f"the job there was made with other {' and '.join(different)} ({how})",
            where=out,
            fix="Repeat its command to go on with it, name another --out, or start anew there with --overwrite.",
        )


def _difference(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    then, today = before.get(name), now.get(name)
    if name == "weights" and before.get(WEIGHTS_NAME) and now.get(WEIGHTS_NAME):
        return f"{before[WEIGHTS_NAME]} (SHA-256 {_digest(then)}) then, {now[WEIGHTS_NAME]} ({_digest(today)}) now"
    if isinstance(then, dict) and isinstance(today, dict):
        keys = [key for key in {**then, **today} if then.get(key) != today.get(key)]
        return ", ".join(f"{key} {_only(then, today, key)} then, {_only(today, then, key)} now" for key in keys)
    return f"{_short(then)} then, {_short(today)} now"


def _only(values: Mapping[str, Any], others: Mapping[str, Any], key: str) -> str:
    """A value; of a list that others have too, what they do not have."""
    value, other = values.get(key), others.get(key)
    if isinstance(value, list) and isinstance(other, list):
        own = [one for one in value if one not in other]
        return ", ".join(map(_short, own)) or f"{len(value)} of these"
    return _short(value)


def _digest(value: Any) -> str:
    return f"{str(value)[:DIGEST_SHOWN]}..."


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}...{text[-SHOWN // 2 :]}"
