"""A job from its command to its count: plan what is new, do what has no part, count what is there."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from ssd300.detection.bulk import local, on_ray
from ssd300.detection.bulk.counts import Counts, count
from ssd300.detection.bulk.fingerprint import WEIGHTS_NAME, digest_of, weights_files
from ssd300.detection.bulk.job import Job
from ssd300.detection.bulk.plan import Entry
from ssd300.detection.bulk.rows import VERSION
from ssd300.detection.bulk.sources import check_sources, find_inputs, in_full
from ssd300.detection.bulk.work import Done, Work
from ssd300.detection.bulk.worker import Worker
from ssd300.detection.contents import Note
from ssd300.detection.defaults import CHUNK_IMAGES
from ssd300.detection.network import Network
from ssd300.detection.sources import STDIN
from ssd300.system.files import absolute
from ssd300.system.progress import Progress, Task, silent
from ssd300.system.stores import is_remote
from ssd300.system.wording import counted

Engine = Literal["local", "ray"]


@dataclass(frozen=True, kw_only=True)
class BulkOptions:
    """How a job is done. None of it changes a row."""

    engine: Engine = "local"
    chunk_images: int = CHUNK_IMAGES
    overwrite: bool = False
    cluster: on_ray.Cluster = field(default_factory=on_ray.Cluster)


@dataclass(frozen=True, kw_only=True)
class Model:
    """The weights by their name, and how they run; `network` is loaded already, and `load` does it in another process,
    where an image may kill it.
    """

    weights: str
    network: Network
    load: Callable[[], Network]
    device: str
    precision: str | None = None
    tile_px: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What the job has in all, and what this start did: images, seconds, members of shards that are no images."""

    counts: Counts
    new: int
    seconds: float
    others: int

    @property
    def per_second(self) -> float:
        return self.new / self.seconds if self.seconds else 0.0

    def to_dict(self) -> dict[str, Any]:
        return {
            **asdict(self.counts),
            "new": self.new,
            "seconds": round(self.seconds, 3),
            "images_per_second": round(self.per_second, 3),
        }


def made_with(sources: Sequence[str], column: str | None, model: Model, work: Work) -> dict[str, Any]:
    """The fingerprint of a job. Raises WeightsError."""
    return {
        "weights": digest_of(weights_files(model.weights)),
        "settings": {
            **asdict(work.selection),
            "suppress": sorted(work.suppress),
            "tile": model.tile_px,
            "precision": model.precision,
            "rows": f"{work.form} {VERSION}",
        },
        "input": {
            "sources": [f"standard input in {work.base}" if one in STDIN else one for one in in_full(sources)],
            "column": column,
        },
    }


def detect_in_bulk(
    sources: Sequence[str],
    model: Model,
    work: Work,
    options: BulkOptions,
    *,
    column: str | None = None,
    note: Note = lambda _line: None,
    progress: Progress = silent,
) -> Outcome:
    """Do the job at `work.out`, new or begun, and count it. `note` takes lines for the user.

    Raises:
        DataError: a source is not there, a shard has changed, or a file of the job is damaged.
        UsageError: the place holds something else, or a job that was made with something else.
        RunError: it cannot be written, or the cluster fails. The same command goes on.
    """
    address = options.cluster.address if options.engine == "ray" else None
    with on_ray.connected(address) if address else nullcontext():  # before the plan, which may take long
        return _detect(sources, model, work, options, column, note, progress)


def _detect(
    sources: Sequence[str],
    model: Model,
    work: Work,
    options: BulkOptions,
    column: str | None,
    note: Note,
    progress: Progress,
) -> Outcome:
    check_sources(sources)
    fingerprint = made_with(sources, column, model, work)
    about = {
        WEIGHTS_NAME: model.weights,
        "classes": list(model.network.card.classes),
        "base": work.base,
        "chunk_images": options.chunk_images,
        "finished": False,
    }
    job = Job(work.out, fingerprint, work.form, about, overwrite=options.overwrite)
    try:
        with progress("planning"):
            _plan(job, sources, work, options, column, note)
        # The plan's relative paths start from the folder of the first start.
        out = work.out if is_remote(work.out) else absolute(Path(work.base, work.out))
        work = replace(work, base=job.manifest["base"], out=out)
        entries = [*job.pending(), *(job.failed() if work.retry else ())]
        if len(job.plan.entries) > len(entries):
            note(f"resuming: {_share(job, entries)}")
        outcome = _do(job, model, work, entries, options, note, progress)
        if not outcome.counts.missing:
            job.remove_marks()
        job.write_manifest(finished=not outcome.counts.missing, counts=outcome.to_dict())
    finally:
        job.close()
    return outcome


def _plan(job: Job, sources: Sequence[str], work: Work, options: BulkOptions, column: str | None, note: Note) -> None:
    """Plan what the sources have that the job does not."""
    base, then = job.manifest["base"], job.manifest["chunk_images"]
    if options.chunk_images != then:
        note(
            f"--chunk-images: images that are not planned yet come in chunks of {options.chunk_images}, the others "
            f"stay in chunks of {then}"
        )
    places = [
        full if is_remote(one) or base != work.base else one
        for one, full in zip(sources, in_full(sources), strict=True)
    ]
    inputs = find_inputs(places, note, column=column, out=work.out)
    first = next(inputs)  # or its error, before anything is written
    job.begin()
    changed = partial(job.check_changed, retry=work.retry)
    job.plan.extend(chain([first], inputs), options.chunk_images, note, base=base, changed=changed)
    job.remove_replaced()


def _share(job: Job, pending: Sequence[Entry]) -> str:
    """How much of the job is done: images, or chunks where their images are not counted before they are read."""
    entries, waiting = job.plan.entries, {entry.name for entry in pending}
    if any(entry.images is None for entry in entries):
        return f"{len(entries) - len(waiting):,} of {counted(len(entries), '{chunk is|chunks are} done')}"
    done = sum(entry.images or 0 for entry in entries if entry.name not in waiting)
    return f"{done:,} of {counted(sum(entry.images or 0 for entry in entries), '{image is|images are} done')}"


def _do(
    job: Job, model: Model, work: Work, entries: list[Entry], options: BulkOptions, note: Note, progress: Progress
) -> Outcome:
    unknown = work.retry or any(one.images is None for one in entries)  # until they are read
    total = None if unknown else sum(one.images or 0 for one in entries)
    new = others = 0
    waiting = {entry.name: entry for entry in entries}
    started = time.monotonic()
    try:
        with progress("detecting", total) as task:
            for done in _engine(model, work, entries, options, note, task):
                new, others = new + done.new, others + done.others
                del waiting[done.chunk]
                task.update(max(task.done, new), total)
                task.notes = [f"{task.per_second:.1f} images/s"]
    except BaseException:
        resumes = f"the same command{', without --overwrite,' if options.overwrite else ''} goes on with the others"
        note(f"{_share(job, list(waiting.values()))}; {resumes}")
        raise
    seconds = time.monotonic() - started
    with progress("counting"):
        return Outcome(count(job), new, seconds if new else 0.0, others)


def _engine(
    model: Model, work: Work, entries: list[Entry], options: BulkOptions, note: Note, task: Task
) -> Iterator[Done]:
    if not entries:
        return iter(())
    if options.engine == "local":
        return local.run(Worker(work, model.load, model.tile_px, model.network), entries, task.advance)
    files = weights_files(model.weights)
    loading = on_ray.Loading(
        weights=str(files[0]),
        files=tuple(str(file.absolute()) for file in files),
        digest=digest_of(files),
        device=model.device,
        precision=model.precision,
        tile_px=model.tile_px,
    )
    return on_ray.run(work, loading, entries, options.cluster, note)
