"""`ssd300 plan`: what detection on millions of images costs, from a trial on this machine and stated assumptions."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ssd300.cli.detect_parts import selection_of
from ssd300.cli.early_checks import check_counts, check_weights
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.options import Json, MinScore, Usual, Weights, print_json, say
from ssd300.cli.plan_options import AssumptionOptions
from ssd300.cli.plan_summary import Origin, as_dict, print_plan
from ssd300.detection.defaults import BATCH, MIN_SCORE
from ssd300.errors import DataError, UsageError
from ssd300.system.progress import shown
from ssd300.system.temporary import temporary_folder

if TYPE_CHECKING:
    from ssd300.detection.bulk.trial import Speed
    from ssd300.detection.contents import Content

MOST, GENERATED = 64, 32  # images of the trial
GENERATED_WH = (640, 480)  # the usual size of COCO's images
BYTES_PER_PIXEL = 0.53  # of a file of COCO: train2017 has 118,287 in 19.3 GB
ID_LENGTH = 60  # characters of an image's path or address, where generated ones stand for yours
HOURS = 24.0
QUIET = 0.9  # of a processor for the detector
HELP = "See `ssd300 plan --help`."


def plan(
    *source: str,
    images: Annotated[float, Usual, Parameter(metavar="N")],
    weights: Weights,
    hours: Annotated[float | None, Usual] = None,
    machines: Annotated[int | None, Usual] = None,
    seconds: Annotated[float, Usual] = 10.0,
    rounds: Annotated[int, Usual] = 5,
    batch_size: Annotated[int, Usual] = BATCH,
    min_score: Annotated[float | None, MinScore, Usual] = None,
    assumed: AssumptionOptions = AssumptionOptions(),  # frozen
    json_: Json = False,
) -> None:
    """Say what detection on millions of images takes and costs.

    Parameters
    ----------
    source
        Image files, folders, tar files and shards to measure on; of many images, 64 are taken. Default: generated ones
        of 640 x 480 pixels.
    images
        How many images there are to detect on, such as 1e9.
    weights
        A run folder, a .safetensors file, a name, or an exported .onnx or .xml file. They run on the CPU.
    hours
        The hours in which the job is to be done: how many machines? Default: 24.
    machines
        Instead of hours, the machines that there are: how many hours? Default: --hours counts.
    seconds
        How long the speed is measured, at least.
    rounds
        Rounds of the measurement, which show its spread.
    batch_size
        Images that the network takes at a time.
    min_score
        Confidence threshold: it decides how many detections are written. Default: those in the weights, or else 0.2.
    assumed
        What is assumed.
    json_
        Print one JSON object and nothing else.
    """
    from ssd300.detection.bulk.cost import Assumptions, cost_in_hours, cost_with_machines
    from ssd300.detection.bulk.rows import import_pyarrow
    from ssd300.types import Selection

    mistakes = Mistakes()
    values = _values(mistakes, assumed, images)
    if hours is not None and machines is not None:
        mistakes.add("--hours and --machines exclude each other", fix="Give one; the other one is the answer.")
    for name, value in (("--hours", hours), ("--seconds", seconds)):
        if value is not None and not 0 < value < math.inf:
            mistakes.add(f"{name} is {value:g}; it must be above 0", fix=HELP)
    check_counts(mistakes, (("--machines", machines), ("--rounds", rounds), ("--batch-size", batch_size)), "plan")
    mistakes.built(Selection, {"min_score": MIN_SCORE if min_score is None else min_score}, fix=HELP)
    with mistakes.caught():
        import_pyarrow()
    found: list[Path | Content] = []
    with mistakes.caught():
        found = _images(source) if source else []
    check_weights(mistakes, weights)
    mistakes.raise_all()

    speed, measured = _trial(weights, found, min_score, batch_size, seconds, rounds)
    if not found:
        say([f"no images were named: {GENERATED} generated ones of {GENERATED_WH[0]} x {GENERATED_WH[1]} were used"])
    if speed.cpu_share < QUIET:
        alone = f"{speed.images / (speed.seconds * speed.cpu_share):.3g}"
        busy = f"this machine is busy: the detector had {speed.cpu_share:.0%} of a processor"
        say([f"{busy}. On a quiet one it may do some {alone} images/s: try --images-per-second {alone}"])
    assumptions = Assumptions(**(measured | values))
    origins: dict[str, Origin] = {
        **dict.fromkeys(values, "assumed"),
        **{name: "assumed" if name == "image_bytes" and not found else "measured" for name in measured},
        **dict.fromkeys(("images", *assumed.given()), "given"),
    }
    cost = cost_with_machines(assumptions, machines) if machines else cost_in_hours(assumptions, hours or HOURS)
    if json_:
        print_json(as_dict(assumptions, origins, speed, cost))
    else:
        print_plan(assumptions, origins, speed, cost, None if machines else hours or HOURS)


def _values(mistakes: Mistakes, assumed: AssumptionOptions, images: float) -> dict[str, Any]:
    """What is not measured, by the fields of `Assumptions`, each checked."""
    from ssd300.detection.bulk.cost import Assumptions

    whole = math.isfinite(images) and images == int(images) and images >= 1
    if not whole and not mistakes.errors:  # else it may stand in for a word that is no number
        mistakes.add(f"--images is {images:g}; it must be a whole number, 1 or more", fix="Such as 1e9.")
    values = assumed.values(mistakes) | {"images": int(images) if whole else 1}
    measured = {field.name: 1.0 for field in fields(Assumptions) if field.default is MISSING}
    mistakes.built(lambda **given: Assumptions(**(measured | given)), values, fix=HELP)
    return values


def _images(source: Sequence[str]) -> "list[Path | Content]":
    """Some of the images of the sources, at equal distances.

    Raises:
        DataError: a source is not there, or has no image.
        UsageError: it is an address.
    """
    from ssd300.data.shards.dataset import shards_at
    from ssd300.detection.contents import Content
    from ssd300.detection.sources import find_sources
    from ssd300.system.stores import is_remote
    from ssd300.system.web import is_address

    words: list[str] = []
    for word in source:
        if is_remote(word) or is_address(word):
            raise UsageError(
                "the speed is measured on images of this machine", where=word, fix="Name some that are copied here."
            )
        words += [word] if shards_at(word) is None else sorted(str(path) for path in Path(word).glob("*.tar"))
    found = [one for one in find_sources(words) if isinstance(one, Path | Content)]
    if not found:
        raise DataError(
            "no image file was named", fix="Name image files, folders or tar files; videos and cameras do not count."
        )
    return found[:: math.ceil(len(found) / MOST)]


def _trial(
    weights: str,
    found: "Sequence[Path | Content]",
    min_score: float | None,
    batch_size: int,
    seconds: float,
    rounds: int,
) -> "tuple[Speed, dict[str, Any]]":
    """What is measured: the speed, and the other values by the fields of `Assumptions`."""
    from ssd300.detection.backends import backend_for
    from ssd300.detection.bulk.trial import try_bookkeeping, try_images
    from ssd300.detection.bulk.work import Work
    from ssd300.detection.detector import DISPLAY, Detector

    backend = backend_for(weights)
    network = backend.load(device="cpu", threads=1)
    selection = selection_of(Detector(network), min_score, {}, DISPLAY.max_overlap, DISPLAY.top_k)
    with temporary_folder() as folder, backend.running_on(1):
        images = _as_files(found, folder / "images") if found else _generated(folder / "images")
        work = Work(
            out=str(folder / "job"), base=str(folder), form="parquet", selection=selection, suppress=(),
            batch_size=batch_size,
        )  # fmt: skip
        speed, sizes = try_images(network, images, work, seconds=seconds, rounds=rounds, progress=shown)
        with shown("measuring the plan and the count"):
            length = round(statistics.fmean(len(str(one)) for one in found)) if found else ID_LENGTH
            bookkeeping = try_bookkeeping(str(folder / "books"), "parquet", length)
    measured = {"images_per_second": speed.images_per_second, **asdict(sizes), **asdict(bookkeeping)}
    if not found:
        measured["image_bytes"] = BYTES_PER_PIXEL * math.prod(GENERATED_WH)
    return speed, measured


def _as_files(found: "Sequence[Path | Content]", folder: Path) -> list[Path]:
    """The images as files: those in archives are written into the folder."""
    folder.mkdir()
    paths = []
    for number, one in enumerate(found):
        if isinstance(one, Path):
            paths.append(one)
            continue
        path = folder / f"{number}{Path(one.name).suffix}"
        path.write_bytes(one.read())
        paths.append(path)
    return paths


def _generated(folder: Path) -> list[Path]:
    import numpy as np

    from ssd300.data.synthetic import draw_scene
    from ssd300.images.encode import write_image

    folder.mkdir()
    paths = [folder / f"{number}.jpg" for number in range(GENERATED)]
    for number, path in enumerate(paths):
        scene, _ = draw_scene(np.random.default_rng(number), objects=1 + number % 5)
        write_image(path, scene.resize(GENERATED_WH), "JPEG", quality=92)
    return paths
