"""Training from the page: `ssd300 train` as a process of its own, on what is labeled so far.

It goes on when the server ends, and is found again by the next one: a file beside its run says which process it is.
"""

import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ssd300 import run_layout
from ssd300.errors import RunError, UsageError
from ssd300.labeling.label_store import LabelStore
from ssd300.labeling.snapshot import write_snapshot
from ssd300.system.files import free_folder, write_json, write_text

RECORD, DATA, CLASSES, RUN, OUTPUT = "label.json", "data", "classes.txt", "run", "output.txt"
RUNS = Path("runs/label")  # and with a number where this is taken
LAST_LINES = 6
INTERRUPTED, FAILED = "ssd300: interrupted", "ssd300: error"  # how the command says how it ended
State = Literal["none", "starting", "running", "stopping", "stopped", "done", "failed"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is. `best` is the highest mAP on the held-out images so far; `words` are its last lines."""

    state: State
    can_resume: bool = False
    folder: str = ""
    images: int = 0
    step: int = 0
    steps: int = 0
    seconds: float = 0.0
    best: float | None = None
    evaluations: tuple[tuple[int, float], ...] = ()
    losses: tuple[tuple[int, float], ...] = ()
    words: tuple[str, ...] = ()
    weights: str = ""


class TrainingRuns:
    """The newest run of a folder of runs. Threads may share it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopping = False

    def start(self, store: LabelStore, *, classes: Sequence[str], holdout: float) -> Progress:
        """Begin a run on what is labeled now, with those of `classes` that have objects, a share of it held out.

        Raises:
            UsageError: a run goes on already.
            DataError: there is nothing to train on.
            RunError: the folder cannot be written.
        """
        if self.is_running:
            raise UsageError("a training goes on already", fix="Stop it first, or wait for its end.")
        folder = free_folder(self._home)
        images = write_snapshot(store, folder / DATA)
        used = store.counts()
        write_text(folder / CLASSES, "".join(f"{name}\n" for name in classes if used[name]))
        words = ["train", str(folder / DATA), "--out", str(folder / RUN), "--classes", str(folder / CLASSES)]
        words += ["--holdout", str(holdout)]
        record = {"images": images, "labels": str(store.files.home), "words": words}
        self._run(folder, words, record)
        return self.progress()

    def resume(self) -> Progress:
        """Go on with the run that was stopped. Raises UsageError if there is none."""
        folder, record = self._newest()
        if folder is None or self.is_running or not (folder / RUN / run_layout.STATE).is_file():
            raise UsageError("there is no training to go on with", fix="Start one.")
        self._run(folder, record["words"], record, resume=True)
        return self.progress()

    def stop(self) -> Progress:
        """Ask the run to save its state and end, as Ctrl-C does. Nothing happens if none is running."""
        _, record = self._newest()
        if self.is_running:
            self._is_stopping = True
            os.kill(int(record["process"]), signal.SIGINT)
        return self.progress()

    @property
    def is_running(self) -> bool:
        """Whether the newest run has its process, be it of this server or of one before it."""
        if self._process is not None:
            return self._process.poll() is None
        folder, record = self._newest()
        return folder is not None and _is_process(record.get("process"), folder)

    @property
    def command(self) -> str:
        """What stops the run without the page; "" if none is running."""
        _, record = self._newest()
        return f"kill -INT {record['process']}" if self.is_running else ""

    def progress(self) -> Progress:
        """How far the newest run is."""
        folder, record = self._newest()
        if folder is None:
            return Progress(state="none")
        rows = _rows(folder / RUN / run_layout.METRICS_JSONL)
        logged = [row for row in rows if "localization" in row]
        maps = [(int(row["step"]), float(row["map"])) for row in rows if row.get("map") is not None]
        best = folder / RUN / run_layout.BEST_WEIGHTS
        words = _last_lines(folder / OUTPUT)
        return Progress(
            state=self._state(folder, rows, words),
            can_resume=(folder / RUN / run_layout.STATE).is_file(),
            folder=str(folder / RUN),
            images=int(record.get("images", 0)),
            step=int(rows[-1]["step"]) if rows else 0,
            steps=_steps(folder / RUN / run_layout.CONFIG),
            seconds=float(logged[-1]["seconds"]) if logged else 0.0,
            best=max((value for _, value in maps), default=None),
            evaluations=tuple(maps),
            losses=tuple((int(row["step"]), float(row["localization"] + row["classification"])) for row in logged),
            words=words,
            weights=str(folder / RUN) if best.is_file() else "",
        )

    def _state(self, folder: Path, rows: list[dict[str, Any]], words: tuple[str, ...]) -> State:
        if self.is_running:
            return "stopping" if self._is_stopping else "running" if rows else "starting"
        if any(line.startswith(INTERRUPTED) for line in words):
            return "stopped"
        failed = any(line.startswith(FAILED) for line in words)
        if (folder / RUN / run_layout.SUMMARY).is_file() and not failed:
            return "done"
        return "failed" if failed or not (folder / RUN / run_layout.STATE).is_file() else "stopped"

    def _run(self, folder: Path, words: list[str], record: dict[str, Any], *, resume: bool = False) -> None:
        more = ["--resume"] if resume else []
        try:
            with (folder / OUTPUT).open("ab" if resume else "wb") as output:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "ssd300", *words, *more],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C in the server's terminal is not for it
                )
        except OSError as error:
            raise RunError(f"the training cannot be started ({error.strerror})", where=folder) from error
        self._is_stopping = False
        write_json(folder / RECORD, {**record, "process": self._process.pid})

    def _newest(self) -> tuple[Path | None, dict[str, Any]]:
        """The folder of the newest run and its record; None without one."""
        records = [*self._home.parent.glob(f"{self._home.name}*/{RECORD}")]
        if not records:
            return None, {}
        newest = max(records, key=lambda path: path.stat().st_mtime_ns)
        return newest.parent, json.loads(newest.read_text(encoding="utf-8"))


def _is_process(number: object, folder: Path) -> bool:
    """Whether a process of this number runs, and is the training in this folder: numbers are used again."""
    if not isinstance(number, int):
        return False
    words = Path(f"/proc/{number}/cmdline")
    if words.parent.parent.is_dir() and Path("/proc/self/cmdline").is_file():
        return words.is_file() and str(folder / RUN).encode() in words.read_bytes()
    try:
        os.kill(number, 0)
    except OSError:
        return False
    return True


def _rows(path: Path) -> list[dict[str, Any]]:
    """The rows that are whole: the last one may be written just now."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    rows = []
    for line in lines:
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def _steps(config: Path) -> int:
    """The steps that the run is to take; 0 where its configuration is not there yet."""
    import yaml

    try:
        found = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return 0
    return int(found.get("steps", 0)) if isinstance(found, dict) else 0


def _last_lines(path: Path) -> tuple[str, ...]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return tuple(line.rstrip() for line in deque(file, LAST_LINES))
    except OSError:
        return ()
