"""A job in its place: `manifest.json`, `plan/`, `parts/`, and `begun/` while it runs. What is done is what has a part;
nothing else counts.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ssd300.detection.bulk import begun
from ssd300.detection.bulk.chunks import Shard
from ssd300.detection.bulk.fingerprint import PARTS, check_same
from ssd300.detection.bulk.new_inputs import refuse_changed
from ssd300.detection.bulk.plan import Entry, Plan
from ssd300.detection.bulk.rows import FOLDER, PartFormat, ids_and_errors, part_name
from ssd300.errors import DataError, UsageError
from ssd300.system.files import check_output_free, free_beside, remove_stale_temporaries
from ssd300.system.lock import LOCK, Lock
from ssd300.system.stores import Folder, Store, is_remote, open_store

MANIFEST = "manifest.json"
KEPT = ("base", "chunk_images")  # of the manifest's entries those of the first start


class Job:
    """A new job, or the one that is there. `close` lets other commands use its folder again.

    `made_with` has the PARTS of the fingerprint, `about` what else the manifest tells. Nothing is written, and with
    `overwrite` nothing is removed, before `begin`.

    Raises:
        UsageError: something else is there, or a job that was made with something else, unless `overwrite`.
        DataError: its manifest or its plan is damaged.
        InUseError: another process works on it. At an address nothing tells that: the parts stay right all the same.
    """

    def __init__(
        self, out: str, made_with: Mapping[str, Any], form: PartFormat, about: Mapping[str, Any], *, overwrite: bool
    ) -> None:
        self.out, self.form = out, form
        self.store: Store = open_store(out)
        _check_place(out, self.store, overwrite=overwrite)
        self._overwrites, self._has_begun = overwrite, False
        self._is_new_folder = not is_remote(out) and not Path(out).exists()
        self._lock = _lock(out)
        try:
            before = {} if overwrite else read_manifest(self.store) or {}
            self.plan = Plan(self.store, is_new=overwrite)
            self.manifest: dict[str, Any] = {**{name: made_with[name] for name in PARTS}, **about}
            if self.plan.entries:  # else nothing was begun
                check_same(before, self.manifest, out)
                self.manifest = before | self.manifest | {name: before[name] for name in KEPT if name in before}
        except BaseException:
            self.close()
            raise

    def begin(self) -> None:
        """Remove the job that `overwrite` replaces, and write the manifest. To be called once an input is found."""
        if self._overwrites:
            _remove(self.store)
        elif not is_remote(self.out):
            remove_stale_temporaries(Path(self.out))
        self._has_begun = True
        self.write_manifest()

    def write_manifest(self, **more: Any) -> None:
        self.manifest |= more
        self.store.write(MANIFEST, (json.dumps(self.manifest, indent=2) + "\n").encode())

    def done(self) -> set[str]:
        """The chunks that have their part."""
        ending = f".{self.form}"
        names = (name for name in self.store.names(ending) if name.startswith(f"{FOLDER}/"))
        return {name.removeprefix(f"{FOLDER}/").removesuffix(ending) for name in names}

    def remove_replaced(self) -> None:
        """Remove the parts of chunks that other chunks stand instead of."""
        if self.plan.replaced:
            for name in self.plan.replaced & self.done():
                self.store.remove(part_name(name, self.form))

    def check_changed(self, before: Shard, now: Shard, chunks: Sequence[str], *, retry: bool) -> None:
        """Whether a shard that has changed since it was planned may be planned again: if no row of it is there, or one
        has an error and `retry` is set. Raises DataError otherwise.
        """
        done = self.done().intersection(chunks)
        if not done:
            return
        is_whole = len(done) == len(chunks) and not any(any(self._errors(name)) for name in chunks)
        if is_whole or not retry:
            instead = "" if is_whole else "Add --retry-errors to detect on all of it again."
            refuse_changed(before, now, chunks, instead=instead)

    def pending(self) -> list[Entry]:
        """The chunks without a part."""
        done = self.done()
        return [entry for entry in self.plan.entries if entry.name not in done]

    def failed(self) -> list[Entry]:
        """The chunks whose part has rows with an error."""
        done = self.done()
        return [entry for entry in self.plan.entries if entry.name in done and any(self._errors(entry.name))]

    def _errors(self, chunk: str) -> list[str | None]:
        return ids_and_errors(self.store, part_name(chunk, self.form))[1]

    def remove_marks(self) -> None:
        """Remove what is left of marks, once nothing is pending."""
        begun.remove_all(self.store)
        if isinstance(self.store, Folder):
            with suppress(OSError):  # it is not there, or not empty
                (self.store.path / begun.FOLDER).rmdir()

    def close(self) -> None:
        """Nothing is left of a job that has planned nothing, as after a mistake in the sources."""
        if self._has_begun and not self.plan.entries:
            self.store.remove(MANIFEST)
        if self._lock is not None:
            self._lock.release()
        if self._is_new_folder:
            with suppress(OSError):  # it is not empty
                Path(self.out).rmdir()


def read_manifest(store: Store) -> dict[str, Any] | None:
    """The manifest in a store; None if there is none. Raises DataError for one that is damaged."""
    try:
        content = store.read(MANIFEST)
    except DataError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise
    try:
        manifest: dict[str, Any] = json.loads(content)
    except ValueError as error:
        place = store.place(MANIFEST)
        fix = "Get the file back, or start another job with another --out."
        raise DataError("the manifest of the job is damaged", where=place, fix=fix) from error
    return manifest


def _check_place(out: str, store: Store, *, overwrite: bool) -> None:
    if not is_remote(out):
        check_output_free(Path(out), overwrite=True)  # which refuses a file
    if overwrite or read_manifest(store) is not None:
        return
    if not is_remote(out):
        check_output_free(Path(out), overwrite=False)
    elif store.names():
        fix = "Name a free one, or --overwrite to replace a job there."
        raise UsageError("the output is not empty, and has no job", where=out, fix=fix)


def _remove(store: Store) -> None:
    """The files of a job that is there; others stay."""
    for name in store.names():
        if name == MANIFEST or name.startswith(("plan/", f"{FOLDER}/", f"{begun.FOLDER}/")):
            store.remove(name)


def _lock(out: str) -> Lock | None:
    if is_remote(out):
        return None
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    return Lock(folder / LOCK, output=folder, instead=free_beside(folder))
