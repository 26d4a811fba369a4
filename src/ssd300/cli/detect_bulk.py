"""`ssd300 detect` as a job on millions of images: with --engine ray, or with --save parquet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ssd300.cli.detect_parts import check_classes, load, selection_of
from ssd300.cli.early_checks import check_counts, check_device, check_weights
from ssd300.cli.help import JOBS
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.options import Switch, print_json, say, say_result
from ssd300.detection.defaults import CHUNK_IMAGES
from ssd300.system.progress import shown

if TYPE_CHECKING:
    from ssd300.detection.bulk.run import Model, Outcome
    from ssd300.detection.bulk.work import Work

FORMATS = ("parquet", "jsonl")


@Parameter(name="*", group=JOBS)
@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """A job on millions of images. These options are for --engine ray and --save parquet.

    Parameters
    ----------
    engine
        What does the work: this process, or a Ray cluster (the extra ray). The rows are the same.
    retry_errors
        Try the images again whose row has an error.
    chunk_images
        Images per part file. After a kill each detector does the images of two files again, at most.
    column
        The column of Parquet files that holds images, or their paths or addresses. Default: recognized by its name.
    actors
        Detectors that work at the same time on Ray. Default: one per CPU, or one per GPU.
    ray_address
        The cluster to join: auto or an address. Default: a cluster of this machine, for this job alone.
    """

    engine: Literal["local", "ray"] = "local"
    retry_errors: Switch = False
    chunk_images: Annotated[int, Parameter(metavar="N")] = CHUNK_IMAGES
    column: Annotated[str | None, Parameter(metavar="NAME")] = None
    actors: Annotated[int | None, Parameter(metavar="N")] = None
    ray_address: Annotated[str | None, Parameter(metavar="ADDRESS")] = None

    def is_wanted(self, save: Sequence[str]) -> bool:
        """Whether the command is a job."""
        return self.engine == "ray" or "parquet" in save

    def check_left_out(self, mistakes: Mistakes, out: str | None) -> None:
        """Check that a command that is no job has none of these options, and no address to write to."""
        from ssd300.system.stores import is_remote

        given = [name for name, value in self._given() if value]
        if given:
            fix = "Add --save parquet (a job of this process writes Parquet) or --engine ray, or omit it."
            mistakes.add(f"{' and '.join(given)}: for jobs on millions of images", fix=fix)
        if out is not None and is_remote(out):
            fix = "Add --save parquet or --engine ray, or name a folder of this machine."
            mistakes.add("only a job on millions of images writes to an address", where=out, fix=fix)

    def check(self, mistakes: Mistakes) -> None:
        check_counts(mistakes, (("--chunk-images", self.chunk_images), ("--actors", self.actors)), "detect")
        given = [name for name, value in self._given() if value and name in ("--actors", "--ray-address")]
        if self.engine == "local" and given:
            mistakes.add(f"{' and '.join(given)}: for --engine ray", fix="Add --engine ray, or omit it.")
        if self.engine == "ray":
            self._check_ray(mistakes)

    def _check_ray(self, mistakes: Mistakes) -> None:
        from importlib.util import find_spec

        from ssd300.errors import install_hint

        if find_spec("ray") is None:
            mistakes.add("--engine ray needs Ray", fix=install_hint("ray"))
        host, _, port = (self.ray_address or "").rpartition(":")
        if self.ray_address not in (None, "auto") and not (host and "://" not in host and port.isdigit()):
            fix = "Give auto on a node of the cluster, or HOST:PORT, where `ray start --head` says it listens."
            mistakes.add("this is no address of a Ray cluster", where=f"--ray-address {self.ray_address}", fix=fix)

    def _given(self) -> list[tuple[str, bool]]:
        return [
            ("--retry-errors", self.retry_errors),
            ("--chunk-images", self.chunk_images != CHUNK_IMAGES),
            ("--column", self.column is not None),
            ("--actors", self.actors is not None),
            ("--ray-address", self.ray_address is not None),
        ]


@dataclass(frozen=True, kw_only=True)
class Command:
    """The options of detect that a job has too. `save` is None where --save is left out."""

    sources: Sequence[str]
    weights: str
    out: str | None
    limits: Mapping[str, Any]
    own: Mapping[str, float]
    only: Sequence[str]
    suppress: Sequence[str]
    tile: int | None
    batch_size: int
    device: str
    precision: str | None
    save: Sequence[str] | None
    overwrite: bool
    as_json: bool


def detect_as_job(mistakes: Mistakes, command: Command, job: JobOptions, *, misplaced: Sequence[str]) -> None:
    """Do the job and print its count. `misplaced` are options that are given, and that a job does not have.

    Raises DataError where no image could be read, or a tar file is damaged.
    """
    form = _check(mistakes, command, job, misplaced)
    model, work = _loaded(mistakes, command, job, form)

    from ssd300.detection.bulk.on_ray import Cluster
    from ssd300.detection.bulk.run import BulkOptions, detect_in_bulk

    options = BulkOptions(
        engine=job.engine,
        chunk_images=job.chunk_images,
        overwrite=command.overwrite,
        cluster=Cluster(address=job.ray_address, actors=job.actors),
    )
    outcome = detect_in_bulk(
        command.sources,
        model,
        work,
        options,
        column=job.column,
        note=lambda line: say([line]),
        progress=shown,
    )
    _print(outcome, work.out, as_json=command.as_json)


def _check(mistakes: Mistakes, command: Command, job: JobOptions, misplaced: Sequence[str]) -> str:
    """Check the options together, and return the format of the parts."""
    job.check(mistakes)
    for name in misplaced:
        mistakes.add(
            f"{name} is not for a job on millions of images", fix="Omit it, or --engine ray and --save parquet."
        )
    save = command.save or ("parquet",)
    if wrong := [name for name in save if name not in FORMATS]:
        fix = "A job writes parquet or jsonl; omit the others, or detect without --engine ray and --save parquet."
        mistakes.add(f"--save {' '.join(wrong)} is not for a job on millions of images", fix=fix)
    elif len(set(save)) > 1:
        mistakes.add(f"--save {' '.join(save)}: a job writes one format", fix="Name parquet or jsonl.")
    if not command.sources:
        mistakes.add("no image was named", fix="Name folders, patterns, lists (.txt), Parquet or tar files.")
    _check_places(mistakes, command)
    check_device(mistakes, command.weights, _device_here(command, job))
    with mistakes.caught():
        if "parquet" in save:
            from ssd300.detection.bulk.rows import import_pyarrow

            import_pyarrow()
    if classes := check_weights(mistakes, command.weights):
        check_classes(mistakes, classes, command.only, command.suppress, command.own)
    mistakes.raise_all()
    return save[0]


def _check_places(mistakes: Mistakes, command: Command) -> None:
    from ssd300.detection.bulk.sources import check_sources
    from ssd300.system.files import check_output_free
    from ssd300.system.stores import is_remote, open_store

    with mistakes.caught():
        check_sources(command.sources)
    with mistakes.caught():
        if command.out is not None and is_remote(command.out):
            open_store(command.out)
        elif command.out is not None:
            check_output_free(Path(command.out), overwrite=True)  # only that it is no file, as a job may be there


def _device_here(command: Command, job: JobOptions) -> str:
    """The device of this process, which need not have the GPUs of the cluster that it joins."""
    from ssd300.detection.backends import is_exported

    elsewhere = job.engine == "ray" and job.ray_address is not None and not is_exported(command.weights)
    return "cpu" if elsewhere and command.device.startswith("cuda") else command.device


def _loaded(mistakes: Mistakes, command: Command, job: JobOptions, form: Any) -> tuple["Model", "Work"]:
    from functools import partial

    from ssd300.cli.options import device_for
    from ssd300.detection.backends import load_network
    from ssd300.detection.bulk.run import Model
    from ssd300.detection.bulk.work import Work
    from ssd300.detection.detector import Detector

    here = _device_here(command, job)
    network = load(command.weights, here, command.precision, compile_for=None)
    device = device_for(command.weights, here) if here == command.device else command.device
    detector = Detector(network)
    check_classes(mistakes, detector.card.classes, command.only, command.suppress, command.own)
    mistakes.raise_all()
    model = Model(
        weights=command.weights,
        network=network,
        load=partial(load_network, command.weights, device=device, precision=command.precision),
        device=device,
        precision=command.precision,
        tile_px=command.tile,
    )
    dropped = (name for name in detector.card.classes if command.only and name not in command.only)
    limits = command.limits
    work = Work(
        out=command.out or "",
        base=str(Path.cwd()),
        form=form,
        selection=selection_of(detector, limits["min_score"], command.own, limits["max_overlap"], limits["top_k"]),
        suppress=frozenset([*command.suppress, *dropped]),
        batch_size=command.batch_size,
        retry=job.retry_errors,
    )
    return model, work if command.out else _in_usual_folder(command, job, model, work)


def _in_usual_folder(command: Command, job: JobOptions, model: "Model", work: "Work") -> "Work":
    """The work in the folder where none is named: that of the same job, or else the next free one."""
    from dataclasses import replace

    from ssd300.detection.bulk.fingerprint import PARTS, as_stored
    from ssd300.detection.bulk.job import read_manifest
    from ssd300.detection.bulk.run import made_with
    from ssd300.detection.output_folder import USUAL
    from ssd300.system.files import is_empty
    from ssd300.system.stores import open_store

    wanted = as_stored(made_with(command.sources, job.column, model, work))
    for number in count(1):
        folder = Path(USUAL if number == 1 else f"{USUAL}-{number}")
        manifest = read_manifest(open_store(folder)) or {}
        free = not folder.exists() or (folder.is_dir() and is_empty(folder))
        if free or command.overwrite or all(manifest.get(name) == wanted[name] for name in PARTS):
            return replace(work, out=str(folder))
    raise AssertionError("folders are numbered without end")


def _print(outcome: "Outcome", out: str, *, as_json: bool) -> None:
    from ssd300.errors import DataError, RunError
    from ssd300.system.wording import counted, plural

    counts = outcome.counts
    if as_json:
        print_json({"out": out, **outcome.to_dict()})
    else:
        speed = f" in {outcome.seconds:.1f} s, {outcome.per_second:.1f} images/s" if outcome.new else ""
        say_result([counts.words(), f"{plural(outcome.new, 'image')} now{speed}; written to {out}"])
    if outcome.others:
        say([counted(outcome.others, "{member|members} of tar files {is no image|are no images}, such as labels")])
    if counts.errors:
        say([f"the first error: {counts.first_error}"])
    if counts.errors > counts.damaged:
        say(["the same command with --retry-errors tries these images again"])
    if counts.twice:
        say(["ids that are there twice stand twice in the input"])
    if counts.missing:
        what = counted(counts.missing, "{image has|images have} no row")
        short = f"Delete {counts.first_short}, which has too few rows, and give" if counts.first_short else "Give"
        raise RunError(what, where=out, fix=f"{short} the same command again.")
    if counts.damaged:
        what = "tar {file is|files are} damaged: the images behind the damage are not in the job. The first: "
        fix = "Replace it, and give the same command with --retry-errors."
        raise DataError(f"{counted(counts.damaged, what)}{counts.first_damaged}", where=out, fix=fix)
    if counts.errors == counts.rows:
        raise DataError("no image could be read", where=out, fix="See the column error of the parts.")
