"""The folder that detection fills, image by image, and resumes after an interruption.

A progress file in it has a line per image or frame that is done. When all are done, the files with all images are
written from it, and it is removed.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ssd300.detection.outputs import Output, save_table
from ssd300.errors import UsageError
from ssd300.system.files import (
    appending,
    check_output_free,
    free_beside,
    is_empty,
    remove_stale_temporaries,
    write_text,
)
from ssd300.system.lock import LOCK, InUseError, Lock

PROGRESS = ".detections.progress"
USUAL = "detections"  # the folder where none is named; `detections-2` and so on where it is not free


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Raises UsageError if the folder is not empty and holds no unfinished run, unless `overwrite`."""
    if not (folder / PROGRESS).is_file():
        check_output_free(folder, overwrite=overwrite)


def open_usual_folder(
    command: Mapping[str, Any], check: Callable[[Path], None], *, overwrite: bool = False
) -> "DetectionFolder":
    """The folder for detections where none is named: that of the same command, unfinished, or else the next free one.

    `command` is as for `DetectionFolder`. A folder that another process is filling is not free. `check` is called with
    the path before anything is made there.
    """
    for folder in _usual_folders(_as_stored(command), overwrite=overwrite):
        check(folder)
        try:
            return DetectionFolder(folder, command, overwrite=overwrite)
        except InUseError:
            continue
    raise AssertionError("folders are numbered without end")


def _usual_folders(command: Any, *, overwrite: bool) -> Iterator[Path]:
    """Those that are free or hold the unfinished run of the command, in order; with `overwrite` all."""
    for number in itertools.count(1):
        folder = Path(USUAL if number == 1 else f"{USUAL}-{number}")
        empty = folder.is_dir() and is_empty(folder)
        if overwrite or not folder.exists() or empty or _stored_command(folder) == command:
            yield folder


def _as_stored(command: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(command, default=str))


def _stored_command(folder: Path) -> Any:
    """The command of the unfinished run in a folder; None if there is none."""
    try:
        first = (folder / PROGRESS).read_text(encoding="utf-8").split("\n", maxsplit=1)[0]
    except OSError:
        return None
    return (_parsed(first) or {}).get("command")


class DetectionFolder:
    """A folder of detections, new or unfinished. `done` are the numbers of the sources that are done.

    `skipped` are those of them that could not be read, with the reason. `command` identifies the run: only the same one
    resumes an unfinished folder, and then it tries the skipped sources again.

    Until `close` no other process can open it.

    Raises:
        InUseError: another process has it open.
        UsageError: the folder holds something else, or an unfinished run of another command, and `overwrite` is false.
        RunError: it cannot be written.
    """

    def __init__(self, folder: Path, command: Mapping[str, Any], *, overwrite: bool = False) -> None:
        self.folder = folder
        self._progress = folder / PROGRESS
        self._command = _as_stored(command)
        check_folder(folder, overwrite=overwrite)  # before a lock is put into it
        self._is_new = not folder.exists()
        self.done: set[int] = set()
        self.skipped: dict[int, str] = {}
        with appending(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = Lock(folder / LOCK, output=folder, instead=free_beside(folder))
        try:
            self._begin(overwrite=overwrite)
        except BaseException:
            self._leave()
            raise

    def _begin(self, *, overwrite: bool) -> None:
        lines = None if overwrite else self._unfinished()
        if lines is None:
            check_output_free(self.folder, overwrite=overwrite)
        else:
            remove_stale_temporaries(self.folder)
        self._rewrite(lines or [])
        with appending(self._progress):
            self._file = self._progress.open("a", encoding="utf-8", newline="\n")

    def add(self, source: int, name: str, row: Mapping[str, Any], *, done: bool) -> None:
        """Record an image or frame of the `source`th source, whose own files are written.

        `done` marks the source as done. `name` is as for `outputs.save_image`, `row` is that of `Result.to_dict`.
        """
        self._put({"source": source, "name": name, "row": row, "done": done})

    def end(self, source: int, *, skipped: str | None = None) -> None:
        """Mark the `source`th source as done; `skipped` is the reason why it, or the rest of it, could not be read."""
        self._put({"source": source, "done": True, "skipped": skipped})

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and row of each image and frame, in the order in which they were recorded."""
        self._file.flush()
        with self._progress.open(encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                if "row" in entry:
                    yield entry["name"], entry["row"]

    def finish(self, classes: Sequence[str], wanted: Sequence[Output]) -> None:
        """Write the files with all images, in the formats `wanted` that have such."""
        names = [name for name, _ in self.rows()]
        save_table(self.folder, names, _Rows(self), classes, wanted)

    def close(self, *, finished: bool) -> None:
        """Remove the progress file if all is finished or nothing was done; then also the folder if new and empty."""
        with suppress(OSError):  # a line that a full disk refused is refused again
            self._file.close()
        others = (path for path in self.folder.iterdir() if path.name not in (LOCK, PROGRESS))
        if finished or (not self.done and next(others, None) is None):
            self._progress.unlink()
        self._leave()

    def _leave(self) -> None:
        """Unlock the folder, and remove it if it is new and empty."""
        self._lock.release()
        if self._is_new and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _put(self, entry: Mapping[str, Any]) -> None:
        with appending(self._progress):
            self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self._file.flush()
        self._note(entry)

    def _note(self, entry: Mapping[str, Any]) -> None:
        if entry["done"]:
            self.done.add(entry["source"])
            if entry.get("skipped"):
                self.skipped[entry["source"]] = entry["skipped"]

    def _unfinished(self) -> list[dict[str, Any]] | None:
        """The recorded lines of the sources that are done; a source that was skipped or not ended starts again.

        None where there is no unfinished run. Raises UsageError for one of another command.
        """
        if not self._progress.is_file():
            return None
        first, *lines = self._progress.read_text(encoding="utf-8").split("\n")
        entries = [entry for entry in map(_parsed, lines) if entry is not None]
        before = (_parsed(first) or {}).get("command", {})
        if before != self._command:
            same_options = before | {"sources": None} == self._command | {"sources": None}
            raise UsageError(
                f"the folder holds an unfinished run on other images ({len(before.get('sources', []))} then)"
                if same_options
                else "the folder holds an unfinished run of another command",
                where=self.folder,
                fix=f"Repeat that command, with the same paths, to resume it. Or name a free folder: --out "
                f"{free_beside(self.folder)}. --overwrite starts anew in this one.",
            )
        for entry in entries:
            if not entry.get("skipped"):
                self._note(entry)
        return [entry for entry in entries if entry["source"] in self.done]

    def _rewrite(self, entries: Sequence[Mapping[str, Any]]) -> None:
        lines = [{"command": self._command}, *entries]
        write_text(self._progress, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


class _Rows:
    """The rows without names, which can be iterated more than once."""

    def __init__(self, folder: DetectionFolder) -> None:
        self._folder = folder

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (row for _, row in self._folder.rows())


def _parsed(line: str) -> dict[str, Any] | None:
    """The entry of a line; None for a line that was only partly written."""
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return entry
