"""A job of detection in bulk as stored predictions: whether it is whole, and how its rows were made."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from ssd300.data.predictions.origin import Origin
from ssd300.detection.bulk.job import MANIFEST, read_manifest
from ssd300.detection.bulk.plan import Plan
from ssd300.detection.bulk.rows import FOLDER, PartFormat, ids_and_errors, part_name
from ssd300.errors import DataError
from ssd300.system.stores import Store, is_remote, open_store
from ssd300.system.wording import counted, plural

GO_ON = "Run its command again, which goes on, or score what is there with --on-bad-prediction skip."
FORMATS: tuple[PartFormat, ...] = get_args(PartFormat)


@dataclass(frozen=True)
class StoredJob:
    """A job at a path or address, and its manifest."""

    place: str
    store: Store
    manifest: dict[str, Any]

    def origin(self, known: Origin) -> Origin:
        """`known`, with what the manifest says."""
        settings = self.manifest["settings"]
        scores = settings.get("min_score")
        return replace(
            known,
            rows=self.manifest.get("counts", {}).get("rows"),
            lowest_min_score=min(scores) if isinstance(scores, list) else scores,
            top_k=settings.get("top_k"),
        )

    def fault(self) -> DataError | None:
        """Why the job is not whole; None for one that is. Nothing but names is read of a finished one.

        Raises DataError for a job without any part, and for a damaged plan; of a job that is not finished also for a
        damaged part.
        """
        plan = Plan(self.store)
        names = set(self.store.names())
        parts = {
            entry.name: name
            for entry in plan.entries
            for name in (part_name(entry.name, form) for form in FORMATS)
            if name in names
        }
        if not parts:
            raise DataError("the job has no part yet", where=self.place, fix="Run its command again, which goes on.")
        if self.manifest["finished"] and len(parts) == len(plan.entries):
            damaged = self.manifest.get("counts", {}).get("damaged", 0)
            if not damaged:
                return None
            what = counted(damaged, "tar {file|files} of the job {is|are} damaged, and images in {it|them} have no row")
            fix = "Replace it, and give the command of the job again with --retry-errors; or score what is there with "
            return DataError(what, where=self.place, fix=f"{fix}--on-bad-prediction skip.")
        rows = sum(len(ids_and_errors(self.store, name)[0]) for name in parts.values())
        if all(entry.images is not None for entry in plan.entries):
            planned = sum(entry.images or 0 for entry in plan.entries)
            share = f"{rows:,} of {counted(planned, '{image has|images have} a row')}"
        else:
            share = f"{len(parts):,} of {plural(len(plan.entries), 'part')} are there, with {plural(rows, 'row')}"
        state = "parts of the job are missing" if self.manifest["finished"] else "the job is not finished"
        return DataError(f"{state}: {share}", where=self.place, fix=GO_ON)

    def lacks_rows(self, rows: int) -> DataError | None:
        """What is wrong if so many rows were read; None if that is right."""
        planned = self.manifest.get("counts", {}).get("rows", 0)
        if not self.manifest["finished"] or rows >= planned:
            return None
        what = f"the job was finished with {plural(planned, 'row')}, and its parts have {rows:,}"
        fix = "Get its parts again, or delete the damaged ones and run its command again."
        return DataError(what, where=self.place, fix=fix)


def find_job(predictions: Path | str) -> StoredJob | None:
    """The job at a path, or as a text at an address, or that whose folder of parts is there; None if there is none.

    Raises DataError for a damaged manifest.
    """
    place = str(predictions).rstrip("/")
    place = place.removesuffix(f"/{FOLDER}") if "/" in place else place
    if not is_remote(place) and not (Path(place) / MANIFEST).is_file():
        return None
    if place.endswith(tuple(f".{form}" for form in FORMATS)) and is_remote(place):
        return None  # a file
    store = open_store(place)
    manifest = read_manifest(store)
    if manifest is None or not {"finished", "settings", "input"} <= manifest.keys():
        return None
    return StoredJob(place, store, manifest)
