"""The count at the end of a job: every planned image has one row, read from the parts themselves."""

import hashlib
from collections import Counter
from dataclasses import dataclass

import numpy as np

from ssd300.detection.bulk.chunks import Chunk
from ssd300.detection.bulk.job import Job
from ssd300.detection.bulk.rows import ids_and_errors, part_name
from ssd300.detection.defaults import COUNT_READERS
from ssd300.errors import as_text
from ssd300.system.threads import ordered_map
from ssd300.system.wording import plural

DIGEST_BYTES = 16  # of an id, that stand for it in memory


@dataclass(frozen=True)
class Counts:
    """Images that are planned (those of a tar file as its part has them), and rows; planned images without a row
    (`missing`), and rows that have an id for another time (`twice`); rows with an error, the first of these; tar files
    that are `damaged`, each with one row that stands for all images behind the damage, the first of these; the first
    part that has too few rows.
    """

    planned: int
    rows: int
    missing: int
    twice: int
    errors: int
    first_error: str = ""
    damaged: int = 0
    first_damaged: str = ""
    first_short: str = ""

    def words(self) -> str:
        return (
            f"{plural(self.planned, 'image')} planned, {plural(self.rows, 'row')}, missing {self.missing:,}, "
            f"twice {self.twice:,}, {self.errors:,} with an error"
        )


def count(job: Job) -> Counts:
    """Reads the ids of all parts; 16 bytes of memory per image."""
    done, digests = job.done(), []

    def read(chunk: Chunk) -> tuple[Chunk, list[str], list[str | None]]:
        if chunk.name not in done:
            return chunk, [], []
        return chunk, *ids_and_errors(job.store, part_name(chunk.name, job.form))

    planned = rows = missing = failed = damaged = 0
    first_error = first_damaged = first_short = ""
    for chunk, ids, errors in ordered_map(read, job.plan.chunks(), ahead=COUNT_READERS, threads=COUNT_READERS):
        lost = _missing(chunk, ids, done=chunk.name in done)
        missing, rows = missing + lost, rows + len(ids)
        if lost and chunk.name in done and not first_short:
            first_short = job.store.place(part_name(chunk.name, job.form))
        planned += len(ids) + lost if chunk.images is None else chunk.images
        if chunk.shard is not None and chunk.images is None and (shard := as_text(chunk.shard.file)) in ids:
            damaged += 1
            first_damaged = first_damaged or f"{shard}: {errors[ids.index(shard)]}"
        for image, error in zip(ids, errors, strict=True):
            failed += error is not None
            first_error = first_error or (f"{image}: {error}" if error is not None else "")
        digests.append(np.array([_digest(image) for image in ids], dtype=f"S{DIGEST_BYTES}"))
    together = np.sort(np.concatenate(digests)) if digests else np.zeros(0, dtype="S1")
    twice = int(np.sum(together[1:] == together[:-1]))
    return Counts(planned, rows, missing, twice, failed, first_error, damaged, first_damaged, first_short)


def _missing(chunk: Chunk, ids: list[str], *, done: bool) -> int:
    """How many images of the chunk have no row; of a tar file that is not done, one stands for all."""
    if chunk.ids:
        return sum((Counter(map(as_text, chunk.ids)) - Counter(ids)).values())
    return int(not done) if chunk.images is None else max(chunk.images - len(ids), 0)


def _digest(image: str) -> bytes:
    return hashlib.blake2b(image.encode(), digest_size=DIGEST_BYTES).digest()
