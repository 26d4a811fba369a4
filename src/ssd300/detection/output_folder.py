"""The folder that detection fills, image by image, and goes on filling after an interrupt.

What is done stands in a file there, a line an image or frame, until all is done; then the forms of all images
together are written and that file is removed.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ssd300.detection.outputs import Output, save_table
from ssd300.errors import UsageError
from ssd300.system.files import check_output_free, remove_stale_temporaries

PROGRESS = ".detections.progress"


class DetectionFolder:
    """`command` is all that the content depends on: a folder that is unfinished is gone on with by the same alone.

    Raises:
        UsageError: the folder holds something else, or an unfinished run of another command, and `overwrite` is false.
    """

    def __init__(self, folder: Path, command: Mapping[str, Any], *, overwrite: bool = False) -> None:
        self.folder = folder
        self._progress = folder / PROGRESS
        self._command = json.loads(json.dumps(command, default=str))
        self._is_new = not folder.exists()
        self.done: set[int] = set()
        self.skipped: dict[int, str] = {}
        lines = None if overwrite else self._unfinished()
        if lines is None:
            check_output_free(folder, overwrite=overwrite)
        else:
            remove_stale_temporaries(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._write_anew(lines or [])
        self._file = self._progress.open("a", encoding="utf-8", newline="\n")

    def add(self, source: int, name: str, row: Mapping[str, Any], *, done: bool) -> None:
        """An image or frame of the `source`th source, whose own files are written. `done` says that it is all of it.

        `name` is as for `outputs.save_image`, `row` as `Result.to_dict` gives it.
        """
        self._put({"source": source, "name": name, "row": row, "done": done})

    def end(self, source: int, *, skipped: str | None = None) -> None:
        """Nothing more comes of it; `skipped` says what could not be read."""
        self._put({"source": source, "done": True, "skipped": skipped})

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and row of each image and frame, in the order of the sources."""
        self._file.flush()
        with self._progress.open(encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                if "row" in entry:
                    yield entry["name"], entry["row"]

    def finish(self, classes: Sequence[str], wanted: Sequence[Output]) -> None:
        """Write the forms of all images together."""
        names = [name for name, _ in self.rows()]
        save_table(self.folder, names, _Rows(self), classes, wanted)

    def close(self, *, finished: bool) -> None:
        """What is unfinished keeps the file to go on from, unless nothing was done."""
        self._file.close()
        if finished or (not self.done and list(self.folder.iterdir()) == [self._progress]):
            self._progress.unlink()
            if self._is_new and not any(self.folder.iterdir()):
                self.folder.rmdir()

    def _put(self, entry: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self._file.flush()
        self._note(entry)

    def _note(self, entry: Mapping[str, Any]) -> None:
        if entry["done"]:
            self.done.add(entry["source"])
            if entry.get("skipped"):
                self.skipped[entry["source"]] = entry["skipped"]

    def _unfinished(self) -> list[dict[str, Any]] | None:
        """What is done, of the same command; a source that was not ended, or not read, is begun again.

        None where nothing is unfinished.
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
                fix="Repeat that one, paths and all, to go on with it; name another --out; or add --overwrite.",
            )
        for entry in entries:
            if not entry.get("skipped"):
                self._note(entry)
        return [entry for entry in entries if entry["source"] in self.done]

    def _write_anew(self, entries: Sequence[Mapping[str, Any]]) -> None:
        lines = [{"command": self._command}, *entries]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        self._progress.write_text(text, encoding="utf-8", newline="\n")


class _Rows:
    """The rows alone, which can be gone through more than once."""

    def __init__(self, folder: DetectionFolder) -> None:
        self._folder = folder

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (row for _, row in self._folder.rows())


def _parsed(line: str) -> dict[str, Any] | None:
    """None for a line that was not written to its end."""
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return entry
