"""The engine `ray`: the chunks spread over actors of a Ray cluster, each with the weights loaded once.

Ray passes the place of each chunk in the plan to an actor, which reads the images, writes the part, and returns only
counts. Ray restarts killed actors without limit, and gives their chunks out again: both are its default for actors.
"""

import logging
import os
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from ssd300.detection.backends import load_network
from ssd300.detection.bulk.fingerprint import digest_of
from ssd300.detection.bulk.plan import Entry
from ssd300.detection.bulk.work import Done, Work
from ssd300.detection.bulk.worker import Worker
from ssd300.detection.contents import Note
from ssd300.errors import RunError, UsageError, install_hint
from ssd300.system.processors import processors

ENOUGH_CPUS = 4  # below it Ray's own work and the actors wait for each other
AT_ONCE = 20_000  # chunks that Ray gets at a time, which limits its memory
PER_ACTOR = 2  # chunks that an actor has: one that it does, and the next one
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else it warns of a change to come
    "RAY_DEDUP_LOGS": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # else it says that its own actors may not restart, and looks for a network
}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Where Ray runs: `address` None is a cluster of this machine that ends with the job. `actors` None is one per CPU,
    or per GPU where `device` is one.
    """

    address: str | None = None
    actors: int | None = None


@dataclass(frozen=True, kw_only=True)
class Loading:
    """How each actor loads the weights: from `files`, or where a node does not have the same ones, from a copy."""

    weights: str
    files: tuple[str, ...]
    digest: str
    device: str
    precision: str | None
    tile_px: int | None


def import_ray() -> Any:
    """The module `ray` with `ray.data`, usage statistics off. Raises UsageError where it is not installed."""
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise UsageError("--engine ray needs Ray", fix=install_hint("ray")) from error
    return ray


def run(work: Work, loading: Loading, entries: Sequence[Entry], cluster: Cluster, note: Note) -> Iterator[Done]:
    """Do the chunks, in any order. `note` takes a line on a cluster that is small.

    Raises:
        RunError: the cluster cannot be reached, has no room for an actor, or a chunk fails.
    """
    ray = import_ray()
    with _connected(ray, cluster.address):
        actors = _actors(ray, cluster.actors, loading.device, note)
        copies = ray.put([Path(file).read_bytes() for file in loading.files])
        for first in range(0, len(entries), AT_ONCE):
            yield from _spread(ray, work, loading, copies, entries[first : first + AT_ONCE], actors)


def _spread(
    ray: Any, work: Work, loading: Loading, copies: Any, entries: Sequence[Entry], actors: int
) -> Iterator[Done]:
    gpus = int(loading.device != "cpu")
    rows = ray.data.from_items([asdict(entry) for entry in entries], override_num_blocks=len(entries)).map_batches(
        _Actor,
        fn_constructor_args=(work, loading, copies),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=min(actors, len(entries)), max_tasks_in_flight_per_actor=PER_ACTOR),
        num_cpus=0 if gpus else 1,
        num_gpus=gpus,
    )
    names = [field.name for field in fields(Done)]
    try:
        for row in rows.iter_rows():
            yield Done(**{name: row[name] for name in names})
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None) or error
        reason = next((line for line in reversed(str(cause).strip().splitlines()) if line), type(cause).__name__)
        raise RunError(f"Ray stopped: {reason}", fix="The same command goes on with what is not done.") from error


class _Actor:
    """One detector in one process of the cluster."""

    def __init__(self, work: Work, loading: Loading, copies: Any) -> None:
        logging.getLogger("ssd300").setLevel(logging.ERROR)
        weights = loading.weights if _are_here(loading) else _copied(loading, copies)
        load = partial(load_network, weights, device=loading.device, precision=loading.precision, threads=1)
        self._worker = Worker(work, load, loading.tile_px)

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        """A batch of one entry of the plan, done."""
        values = {field.name: batch[field.name][0] for field in fields(Entry)}
        images = None if values["images"] is None else int(values["images"])
        entry = Entry(str(values["name"]), images, str(values["file"]), int(values["start"]), int(values["count"]))
        return {name: [value] for name, value in asdict(self._worker.do(entry)).items()}


def _are_here(loading: Loading) -> bool:
    files = [Path(file) for file in loading.files]
    return all(file.is_file() for file in files) and digest_of(files) == loading.digest


def _copied(loading: Loading, copies: Any) -> str:
    """The weights in a folder of this process, for a node that does not have them."""
    import ray

    folder = Path(tempfile.mkdtemp(prefix="ssd300-weights-"))
    for file, content in zip(loading.files, ray.get(copies), strict=True):
        (folder / Path(file).name).write_bytes(content)
    return str(folder / Path(loading.files[0]).name)


@contextmanager
def _connected(ray: Any, address: str | None) -> Iterator[None]:
    """In the block Ray runs: a cluster of its own, or the one at `address`. Its own bars and logs are off."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    more = {} if address else {"num_cpus": max(processors(), ENOUGH_CPUS), "include_dashboard": False}
    try:
        ray.init(
            address=address or "local",
            logging_level=logging.ERROR,
            log_to_driver=False,
            configure_logging=True,
            **more,
        )
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        fix = "Start one with `ray start --head`, or omit --ray-address." if address else "See Ray's logs in /tmp/ray."
        raise RunError(f"no Ray cluster can be used ({reason})", where=address, fix=fix) from error
    for number, handler in handlers.items():  # Ray sets its own
        signal.signal(number, handler)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.target_min_block_size = 1  # bytes: a chunk is a block of its own
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()


def _actors(ray: Any, wanted: int | None, device: str, note: Note) -> int:
    """How many actors: as many as wanted, or as there is room for. Raises RunError where there is room for none."""
    has = ray.cluster_resources()
    kind, room = ("GPU", int(has.get("GPU", 0))) if device != "cpu" else ("CPU", int(has.get("CPU", 0)))
    real = processors()
    if kind == "CPU" and len(ray.nodes()) == 1:
        room = min(room, real)
    if not room:
        raise RunError(f"the cluster has no {kind}, so no actor can start", fix="Add a node, or choose --device.")
    if has.get("CPU", 0) < ENOUGH_CPUS or (len(ray.nodes()) == 1 and real < ENOUGH_CPUS):
        note(
            f"{min(room, real)} CPUs: Ray's own processes share them with {wanted or room} detectors, so this is not "
            "faster than --engine local here"
        )
    if wanted is not None and wanted > int(has.get(kind, 0)):
        note(f"--actors {wanted}: the cluster has {int(has.get(kind, 0))} {kind}s, and more than one per {kind} waits")
    return wanted or room
