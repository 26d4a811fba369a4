"""The rows of a run: a row per logged step and per evaluation, in metrics.jsonl and, without AP per class, results.csv.

Rows are appended during the run. A resumed run removes those that a killed run wrote after its last state.
"""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ssd300 import run_layout
from ssd300.system.files import appending, write_text

COLUMNS = (
    "step", "images_seen", "seconds", "lr", "localization", "classification", "images_per_second", "memory_bytes",
    "metric", "map", "map_ema",
)  # fmt: skip

Row = dict[str, Any]


class StepRow(NamedTuple):
    """A step: its number from 1, images and seconds up to it, its learning rate, and both losses of its batch."""

    step: int
    images_seen: int
    seconds: float
    lr: float
    localization: float
    classification: float


def rate_in_words(rate: float) -> str:
    """A learning rate in few characters: '4.1e-4'."""
    return f"{rate:.1e}".replace("e-0", "e-").replace("e+00", "")


class Records:
    """The rows so far, in memory and on disk. Call `start` for a new run, or `resume`, before `add`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[Row] = []

    def start(self) -> None:
        self.rows = []
        self._write_all()

    def resume(self, step: int, *, evaluated: bool = True) -> None:
        """Read the stored rows up to `step`, and remove the others from both files. An evaluation at `step` is one of
        the others unless `evaluated`.
        """
        path = self.folder / run_layout.METRICS_JSONL
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        rows = [row for row in map(_parse, lines) if row is not None and row["step"] <= step]
        self.rows = [row for row in rows if evaluated or row["step"] < step or "map" not in row]
        self._write_all()

    def add(self, row: Row) -> None:
        self.rows.append(row)
        for name, line in ((run_layout.METRICS_JSONL, _json_line(row)), (run_layout.RESULTS_CSV, _csv_line(row))):
            path = self.folder / name
            with appending(path), path.open("a", encoding="utf-8", newline="") as file:
                file.write(line)

    @property
    def logged(self) -> list[Row]:
        return [row for row in self.rows if "lr" in row]

    @property
    def evaluations(self) -> list[Row]:
        return [row for row in self.rows if "map" in row]

    def _write_all(self) -> None:
        write_text(self.folder / run_layout.METRICS_JSONL, "".join(map(_json_line, self.rows)))
        header = _csv_line({name: name for name in COLUMNS})
        write_text(self.folder / run_layout.RESULTS_CSV, header + "".join(map(_csv_line, self.rows)))


def _parse(line: str) -> Row | None:
    """The row; None for a line that was not written completely."""
    try:
        row: Row = json.loads(line)
    except ValueError:
        return None
    return row


def _json_line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def _csv_line(row: Mapping[str, Any]) -> str:
    """The row's values in the order of the columns; missing ones are empty."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(["" if (v := row.get(name)) is None else v for name in COLUMNS])
    return line.getvalue()
