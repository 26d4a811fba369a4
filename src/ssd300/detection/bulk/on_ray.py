"""The engine `ray`: the chunks spread over actors of a Ray cluster, each with the weights loaded once.

Ray passes the place of each chunk in the plan to an actor, which reads the images, writes the part, and returns only
counts. No image goes through Ray's memory, so plain actors do, and Ray Data with its blocks is not needed.
"""

import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from ssd300.detection.backends import load_network
from ssd300.detection.bulk.fingerprint import digest_of
from ssd300.detection.bulk.plan import Entry
from ssd300.detection.bulk.work import Done, Work
from ssd300.detection.bulk.worker import Worker
from ssd300.detection.contents import Note
from ssd300.errors import RunError, SSDError, UsageError, install_hint
from ssd300.system.processors import processors
from ssd300.system.wording import plural

ENOUGH_CPUS = 4  # below it Ray's own work and the actors wait for each other
ANSWER_S = 10.0  # in which a cluster must answer
AUTO = "auto"  # an address: the cluster that this machine is a node of
PER_ACTOR = 2  # chunks that an actor has: one that it does, and the next one
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else it warns of a change to come
    "RAY_DEDUP_LOGS": "0",
}
LOOPBACK_ONLY = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # 0 is Ray's way to listen on 127.0.0.1 alone, on any system


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


def run(work: Work, loading: Loading, entries: Sequence[Entry], cluster: Cluster, note: Note) -> Iterator[Done]:
    """Do the chunks, in any order. `note` takes a line on a cluster that is small. A cluster at an address is connected
    already, one of this machine is started.

    Raises:
        RunError: the cluster has no room for an actor, or a chunk fails.
    """
    with nullcontext() if cluster.address else connected(None):
        import ray

        actors = min(_actors(ray, cluster.actors, loading.device, note), len(entries))
        copies = ray.put([Path(file).read_bytes() for file in loading.files])
        try:
            yield from _spread(ray, _start(ray, work, loading, actors), entries, copies)
        except ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None) or error
            if isinstance(cause, SSDError):
                raise cause from error
            reason = next((line for line in reversed(str(cause).strip().splitlines()) if line), type(cause).__name__)
            raise RunError(f"Ray stopped: {reason}", fix="The same command goes on with what is not done.") from error


def _start(ray: Any, work: Work, loading: Loading, count: int) -> list[Any]:
    """Handles of so many actors. Killed ones are restarted, and their chunks given out again, without limit."""
    gpus = int(loading.device != "cpu")
    kind = ray.remote(num_cpus=0 if gpus else 1, num_gpus=gpus, max_restarts=-1, max_task_retries=-1)(_Actor)
    return [kind.remote(work, loading) for _ in range(count)]


def _spread(ray: Any, actors: list[Any], entries: Sequence[Entry], copies: Any) -> Iterator[Done]:
    """Give the chunks to the actors that have started. One that has no more ends, and makes room for one that waits."""
    waiting, left = iter(entries), len(entries)
    answers = {actor.start.remote(): actor for actor in actors}  # by what they are the answer to
    actors.clear()
    while left:
        (answer,), _ = ray.wait(list(answers), num_returns=1)
        actor, done = answers.pop(answer), ray.get(answer)
        for entry in islice(waiting, PER_ACTOR if done is None else 1):
            answers[actor.do.remote(entry, [copies])] = actor
        del actor
        if done is not None:
            left -= 1
            yield done


class _Actor:
    """One detector in one process of the cluster."""

    def __init__(self, work: Work, loading: Loading) -> None:
        logging.getLogger("ssd300").setLevel(logging.ERROR)
        self._work, self._loading = work, loading
        self._worker: Worker | None = None

    def start(self) -> None:
        """Answers once the actor has a place in the cluster."""

    def do(self, entry: Entry, copies: Sequence[Any]) -> Done:
        """Do a chunk. `copies` holds a reference to the contents of the files of the weights."""
        self._worker = self._worker or self._loaded(copies)
        return self._worker.do(entry)

    def _loaded(self, copies: Sequence[Any]) -> Worker:
        loading = self._loading
        weights = loading.weights if _are_here(loading) else _copied(loading, copies[0])
        load = partial(load_network, weights, device=loading.device, precision=loading.precision, threads=1)
        return Worker(self._work, load, loading.tile_px)


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


def _import_ray(address: str | None) -> Any:
    """The module `ray`, usage statistics off; for a cluster of its own, one that nobody else can reach.

    Raises UsageError where it is not installed.
    """
    wanted = QUIET if address else QUIET | {LOOPBACK_ONLY: "0"}
    os.environ.update({name: value for name, value in wanted.items() if name not in os.environ})
    try:
        import ray
    except ImportError as error:
        raise UsageError("--engine ray needs Ray", fix=install_hint("ray")) from error
    return ray


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """In the block Ray runs: a cluster of its own, or the one at `address`. Its own logs are off, and what it prints of
    killed processes goes to standard error.

    Raises:
        UsageError: Ray is not installed.
        RunError: nobody answers at the address, or no cluster can be started.
    """
    if address:
        _check_answer(address)
    ray = _import_ray(address)
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
        raise RunError(f"no Ray cluster can be used ({reason})", where=address, fix=_fix(address)) from error
    for number, handler in handlers.items():  # Ray sets its own
        signal.signal(number, handler)
    logging.getLogger("ray").setLevel(logging.ERROR)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        ray.shutdown()


def _check_answer(address: str) -> None:
    """Ray itself tries for two minutes, and then ends the process. Raises RunError."""
    host, _, port = (os.environ.get("RAY_ADDRESS", "") if address == AUTO else address).rpartition(":")
    if not (host and port.isdigit()):
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_S).close()
    except OSError as error:
        raise RunError(f"no Ray cluster answers ({error})", where=address, fix=_fix(address)) from error


def _fix(address: str | None) -> str:
    if address is None:
        return "See Ray's logs in /tmp/ray."
    token = "" if address == AUTO else " Where it asks for a token, set RAY_AUTH_MODE=token."
    start = "Start one with `ray start --head`, which listens on all network interfaces (docs/scale.md, Security)"
    return f"{start}, or omit --ray-address.{token}"


def _actors(ray: Any, wanted: int | None, device: str, note: Note) -> int:
    """How many actors: as many as wanted, or as there is room for. Raises RunError where there is room for none."""
    has = ray.cluster_resources()
    kind, room = ("GPU", int(has.get("GPU", 0))) if device != "cpu" else ("CPU", int(has.get("CPU", 0)))
    places, real = room, processors()
    if kind == "CPU" and len(ray.nodes()) == 1:
        room = min(room, real)
    if not room:
        raise RunError(f"the cluster has no {kind}, so no actor can start", fix="Add a node, or choose --device.")
    if has.get("CPU", 0) < ENOUGH_CPUS or (len(ray.nodes()) == 1 and real < ENOUGH_CPUS):
        note(
            f"{plural(min(room, real), 'CPU')}: Ray's own processes share them with "
            f"{plural(min(wanted or room, places), 'detector')}, so this is not faster than --engine local here"
        )
    if wanted is not None and wanted > places:
        note(f"--actors {wanted}: {places} work at the same time, the others wait for a place in the cluster")
    return wanted or room
