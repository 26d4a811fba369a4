"""The model that a server has loaded: its files by checksum, and whether the same files are still on the disk.

Workers load a private copy, so that one that starts later has the same model whatever became of the user's files.
"""

import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from ssd300.detection.backends import is_exported
from ssd300.errors import RunError

OnDisk = Literal["unchanged", "changed", "missing"]
CHUNK = 1 << 20  # bytes
MEGA = 1_000_000
_Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class ServedFile:
    """A file as it was loaded. `path` is the user's, `sha256` in hexadecimal digits as `sha256sum` prints it."""

    path: Path
    sha256: str
    stamp: _Stamp

    @property
    def on_disk(self) -> OnDisk:
        try:
            stamp = _stamp(self.path)
            same = stamp == self.stamp or _digest_of(self.path, stamp) == self.sha256
        except OSError:
            return "missing"
        return "unchanged" if same else "changed"


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """The files of a model, the one that is named first, and the `name` that the user gave, without its folder."""

    name: str
    files: tuple[ServedFile, ...]

    @property
    def on_disk(self) -> OnDisk:
        """Whether what was loaded is still what lies on the disk. Reads a file again if its date has changed."""
        states = {file.on_disk for file in self.files}
        return "missing" if "missing" in states else "changed" if "changed" in states else "unchanged"

    def check_loaded(self) -> None:
        """Raises RunError if a file was replaced between its checksum and now."""
        for file in self.files:
            if file.on_disk != "unchanged":
                raise RunError("the file changed while it was read", where=file.path, fix="Start the server again.")

    def check_copy(self, copy: Path) -> None:
        """Raises RunError unless the copy is still what `copy_model` wrote."""
        for file in self.files:
            copied = copy.parent / file.path.name
            try:
                same = _digest(copied) == file.sha256
            except OSError:
                same = False
            if not same:
                raise RunError(
                    "the server's private copy of the weights is gone or damaged",
                    where=copied,
                    fix="Start the server again.",
                )


def model_of(weights: str) -> ServedModel:
    """The model's files, read for their checksums. Raises WeightsError, and RunError if one cannot be read."""
    return _model(weights, lambda path: _digest(path))


def copy_model(weights: str, folder: Path) -> tuple[ServedModel, Path]:
    """Copy a model's files into a folder; the model, and the copy that stands for `weights`.

    Raises:
        WeightsError: there are no such weights.
        RunError: a file cannot be read, changed meanwhile, or does not fit on the disk of the folder.
    """
    model = _model(weights, lambda path: _copied(path, folder / path.name))
    model.check_loaded()
    return model, folder / model.files[0].path.name


def _model(weights: str, digest: Callable[[Path], str]) -> ServedModel:
    files = []
    for path in _paths(weights):
        try:
            stamp = _stamp(path)
            files.append(ServedFile(path=path, sha256=digest(path), stamp=stamp))
        except OSError as error:
            raise RunError(
                f"the file cannot be read ({error.strerror})", where=path, fix="Check its permissions."
            ) from error
    return ServedModel(name=Path(weights).absolute().name, files=tuple(files))


def _paths(weights: str) -> list[Path]:
    """The file that `weights` stands for; OpenVINO's .xml with its .bin. A published name is downloaded."""
    path = Path(weights)
    if not (is_exported(weights) and path.is_file()):  # an exported file does without torch, which this imports
        from ssd300.weights import resolve_weights

        path = resolve_weights(weights)
    path = path.absolute()
    beside = path.with_suffix(".bin")
    return [path, beside] if path.suffix.lower() == ".xml" and beside.exists() else [path]


def _copied(path: Path, copy: Path) -> str:
    """Copy a file; its checksum."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        try:
            with copy.open("xb") as target:
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    target.write(chunk)
        except OSError as error:
            size = f"It takes {path.stat().st_size / MEGA:.0f} MB: " if error.errno == errno.ENOSPC else ""
            raise RunError(
                f"the private copy of the weights for the workers cannot be written ({error.strerror})",
                where=copy.parent,
                fix=f"{size}free space there, set TMPDIR to a folder elsewhere, or omit --workers.",
            ) from error
    return digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=8)
def _digest_of(path: Path, _stamp_now: _Stamp) -> str:
    """The checksum, once for each state of a file."""
    return _digest(path)


def _stamp(path: Path) -> _Stamp:
    """What changes when a file is replaced or written to."""
    now: os.stat_result = path.stat()
    return now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns
