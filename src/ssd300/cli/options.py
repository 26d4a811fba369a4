"""What several verbs take and do alike: class lists, notes on stderr, log lines, JSON on stdout."""

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ssd300.errors import DataError

if TYPE_CHECKING:
    from ssd300.data import Dataset

Json = Annotated[bool, Parameter(name="--json", negative="")]
Switch = Annotated[bool, Parameter(negative="")]
Weights = Annotated[str, Parameter(name=["--weights", "-w"])]
DataFormat = Annotated[Literal["auto", "voc", "coco", "yolo", "lists"], Parameter(name="--format")]
OnBadLabel = Literal["error", "drop-box", "drop-image"]
MinScore = Parameter(name=["--min-score", "--conf"])
MaxOverlap = Parameter(name=["--max-overlap", "--iou"])
TopK = Parameter(name=["--top-k", "--max-det"])


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """How a dataset is read.

    Parameters
    ----------
    split
        The split to read; left out, the usual one for this command.
    classes
        A text file with one class per line; left out, the classes of the data.
    format
        The format of the data; 'auto' recognises it by its content.
    on_bad_label
        What to do with a box that is inverted, empty or outside its image: stop, drop the box, or drop the image.
    """

    split: str | None = None
    classes: Path | None = None
    format: DataFormat = "auto"
    on_bad_label: OnBadLabel = "error"

    def load(self, data: Sequence[Path], purpose: Literal["train", "test"], **more: Any) -> "Dataset":
        """The dataset, by `load_dataset`; its notes go to stderr."""
        from ssd300.data import load_dataset

        dataset = load_dataset(
            *data,
            split=self.split,
            classes=read_classes(self.classes),
            format=self.format,
            on_bad_label=self.on_bad_label,
            purpose=purpose,
            **more,
        )
        say(dataset.notes)
        return dataset


def read_classes(path: Path | None) -> list[str] | None:
    """One class a line. Raises DataError."""
    if path is None:
        return None
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            "the class list cannot be read", where=path, fix="Name a text file, one class a line."
        ) from error
    return [line.strip() for line in lines if line.strip()]


def device_for(weights: str, device: str) -> str:
    """The device that is meant; torch is not imported for an exported file."""
    from ssd300.detection.backends import backend_for

    return backend_for(weights).choose_device(device)


def say(lines: Iterable[str]) -> None:
    sys.stderr.writelines(f"{line}\n" for line in lines)


def print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


class _ToStderr(logging.StreamHandler[Any]):
    """Writes to what stderr is now: a progress bar puts itself in its place while it is drawn."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[_ToStderr()], force=True)
