"""What a job was made with: weights, settings and input. A start with others is another job."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ssd300.detection.backends import is_exported
from ssd300.errors import UsageError

PARTS = ("weights", "settings", "input")
BLOCK = 1 << 20


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
    """Raises UsageError that names which of PARTS differ, and how."""
    different = [name for name in PARTS if before.get(name) != as_stored(now[name])]
    if different:
        how = "; ".join(f"{name}: {_difference(before.get(name), as_stored(now[name]))}" for name in different)
        raise UsageError(
            f"the job there was made with other {' and '.join(different)} ({how})",
            where=out,
            fix="Repeat its command to go on with it, name another --out, or start anew there with --overwrite.",
        )


def _difference(before: Any, now: Any) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = [key for key in {**before, **now} if before.get(key) != now.get(key)]
        return ", ".join(f"{key} {_short(before.get(key))} then, {_short(now.get(key))} now" for key in keys)
    return f"{_short(before)} then, {_short(now)} now"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
