"""`ssd300 next`: which images to label next, those that the detector is least sure of and some random ones."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from cyclopts import Parameter

from ssd300.cli.early_checks import check_counts, check_device, check_file_given, check_weights
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.next_steps import next_steps
from ssd300.cli.options import (
    DataFormat,
    Device,
    Json,
    OfData,
    OutFile,
    Overwrite,
    Seed,
    Split,
    Switch,
    Usual,
    Weights,
    print_json,
    say,
    say_device,
)
from ssd300.cli.weights_words import is_run_or_weights
from ssd300.data.choices import FormatName
from ssd300.detection.defaults import MEASURE, RANDOM_SHARE, Measure
from ssd300.errors import DataError
from ssd300.reporting.next_steps import command
from ssd300.system.progress import shown
from ssd300.system.wording import on_one_line, plural

if TYPE_CHECKING:
    from ssd300.data.all_images import FoundImage
    from ssd300.detection.next_images import NextImages, Rating

SHOWN_UNREAD = 5


class _Named(NamedTuple):
    """The images that DATA has, and how many of them have labels."""

    images: "Sequence[FoundImage]"
    labeled: int


def next_(
    *data: str,
    weights: Weights,
    count: Annotated[int, Usual] = 50,
    by: Annotated[Measure, Usual] = MEASURE,
    random_share: Annotated[float, Usual, Parameter(metavar="SHARE")] = RANDOM_SHARE,
    out: OutFile | None = None,
    seed: Seed = 0,
    device: Device = "auto",
    unlabeled_only: Annotated[Switch, OfData, Parameter(name=["--unlabeled-only", "--unlabelled-only"])] = False,
    keep_near_copies: Annotated[Switch, OfData] = False,
    split: Split | None = None,
    format_: DataFormat = "auto",
    overwrite: Overwrite = False,
    json_: Json = False,
) -> None:
    """Choose the images to label next: those a detector is unsure of.

    Parameters
    ----------
    data
        A folder of images, a pattern, a text file that lists paths, or a dataset that `train` reads, with labels for
        some of its images; several of one kind are joined.
    weights
        A run folder, a .safetensors file, an exported .onnx or .xml file, or a name of published weights.
    count
        How many images to choose.
    by
        What makes an image worth a label: the entropy of its scores, added up or on average, how many scores are near
        the confidence threshold, or how much the detections differ from those of the mirror image.
    random_share
        The share of the images that is chosen at random, so that those are seen too that the detector is wrongly sure
        of; 0 to 1.
    out
        Write the paths to this text file, one per line, in this order; other commands read it. Default: no file.
    seed
        Seed of the random images.
    device
        auto, cpu, cuda or mps; auto takes a GPU if there is one. An exported file runs on the CPU.
    unlabeled_only
        Leave out the images of a dataset that have labels.
    keep_near_copies
        Choose images also if they are nearly the same as one that is chosen already.
    split
        The split of a dataset whose images are looked at. Default: all, and images that no split has.
    format_
        The format of a dataset; auto recognizes it by its content.
    overwrite
        Replace the file that --out names.
    json_
        Print one JSON object and nothing else.
    """
    mistakes = Mistakes()
    check_counts(mistakes, [("--count", count)], "next")
    if not 0 <= random_share <= 1:
        mistakes.add(f"--random-share is {random_share:g}; it must be 0 to 1", fix="Such as 0.2 for a fifth.")
    check_file_given(mistakes, out, option="--out", overwrite=overwrite)
    if overwrite and out is None:
        mistakes.add("--overwrite is for the file of --out, which is not given", fix="Leave it out.")
    inside = [word for word in data if is_run_or_weights(word)]
    if inside and mistakes.words is not None:  # else --weights is missing, and that says it
        mistakes.add(f"{inside[0]} is weights and no data", fix="Name it with --weights, or leave it out.")
    check_device(mistakes, weights, device)
    with mistakes.caught():
        named = _images([word for word in data if word not in inside], split, format_)
    check_weights(mistakes, weights)
    mistakes.raise_all()
    images = [one.path for one in named.images if not (unlabeled_only and one.has_labels)]
    if not images:
        raise DataError(
            f"all {len(named.images):,} images have labels", where=", ".join(data), fix="Leave out --unlabeled-only."
        )
    from ssd300.detection.detector import Detector
    from ssd300.detection.next_images import choose, rate_images
    from ssd300.system.files import write_atomically

    say_device(weights, device)
    with shown("loading the weights"):
        detector = Detector.load(weights, device=device)
    with shown("detecting", len(images)) as task:
        rating = rate_images(detector, images, by, advance=task.advance)
    if not rating.rated:
        raise DataError(
            f"no image can be read; the first: {rating.unread[0].error}",
            where=", ".join(data),
        )
    with shown("comparing the images"):
        chosen = choose(rating.rated, count, random_share=random_share, seed=seed, skip_copies=not keep_near_copies)
    say(f"not read: {one.error}" for one in rating.unread[:SHOWN_UNREAD])
    if (more := len(rating.unread) - SHOWN_UNREAD) > 0:
        say([f"not read: {plural(more, 'more image')}; --json has them all"])
    if out is not None:
        lines = b"".join(os.fsencode(f"{path}\n") for path in _for_a_list(chosen))
        write_atomically(out, lambda temporary: _write(temporary, lines))
        say([f"the paths are in {out}"])
    left_out = len(named.images) - len(images)
    if json_:
        options = {"weights": weights, "by": by, "count": count, "random_share": random_share, "seed": seed}
        print_json(options | _as_dict(named, left_out, rating, chosen))
        return
    _print(rating, chosen, left_out)
    has_labels = {found.path for found in named.images if found.has_labels}
    labeled = sum(one.image in has_labels for one in chosen.chosen)
    if labeled and len(has_labels) < len(named.images):
        of_all = f"{labeled} of the {len(chosen.chosen)} chosen images have labels"
        say([f"{of_all}; --unlabeled-only leaves such images out"])
    next_steps(_steps([word for word in data if word not in inside], format_, chosen, out, weights))


def _steps(
    data: Sequence[str], format_: FormatName, chosen: "NextImages", out: Path | None, weights: str
) -> list[tuple[str, str]]:
    """To label the chosen images; without a list of them, to label those of the data."""
    home = _opened_by_label(data, chosen)
    words: list[Any] = ["label", home, *([] if format_ == "auto" else ["--format", format_])]
    if out is None:
        purpose = "label images; the page can sort them by the same measures, and --out writes a list for it"
        return [] if home is None else [(command(*words, "--weights", weights), purpose)]
    steps = [] if home is None else [(command(*words, "--list", out, "--weights", weights), "label them")]
    return [*steps, (command("detect", out, "--weights", weights), "see what the detector finds on them")]


def _opened_by_label(data: Sequence[str], chosen: "NextImages") -> Path | None:
    """The dataset or folder that `ssd300 label` takes for these images: it takes one, and no part of a dataset."""
    from ssd300.data.all_images import is_dataset
    from ssd300.data.recognition import data_beside
    from ssd300.detection.sources import LIST_SUFFIX

    folders = {one.image.absolute().parent for one in chosen.chosen}
    place = Path(data[0])
    if len(data) > 1 or place.suffix == LIST_SUFFIX or not place.exists():
        place = folders.pop() if len(folders) == 1 else Path()
    if place.parts and (is_dataset(place) or (place.is_dir() and not data_beside(place))):
        return place
    return None


def _images(data: Sequence[str], split: str | None, format_: FormatName) -> _Named:
    """The images of datasets, or else those of folders, patterns and lists. Raises DataError, UsageError."""
    from ssd300.data.all_images import FoundImage, all_images, is_dataset
    from ssd300.detection.sources import find_sources
    from ssd300.detection.video_names import VIDEO_SUFFIXES
    from ssd300.errors import UsageError
    from ssd300.system.files import absolute

    paths = [Path(word) for word in data]
    if data and (format_ != "auto" or split is not None or all(map(is_dataset, paths))):
        with shown("reading the dataset"):
            found = all_images(paths, format_, split)
        labeled = sum(one.has_labels for one in found)
        say([f"{plural(len(found), 'image')} in the dataset, {labeled:,} with labels"])
        return _Named(found, labeled)
    notes: list[str] = []
    sources = find_sources(data, notes.append)
    say(notes)
    files = [one for one in sources if isinstance(one, Path) and one.suffix.lower() not in VIDEO_SUFFIXES]
    if len(files) < len(sources):
        other = next(one for one in sources if one not in files)
        raise UsageError(
            "only image files can be chosen, no videos, cameras, addresses or images in archives",
            where=other,
            fix="Name folders of images. Programs such as ffmpeg write the frames of a video as files.",
        )
    once = {absolute(path): path for path in reversed(files)}
    if len(once) < len(files):
        say([f"{plural(len(files) - len(once), 'image')} named twice, used once"])
    return _Named([FoundImage(once[key], has_labels=False) for key in sorted(once)], 0)


def _for_a_list(chosen: "NextImages") -> list[Path]:
    """Absolute paths, so that the list can be moved; a name with a line break cannot be listed, and is said."""
    paths = [Path(one.image).absolute() for one in chosen.chosen]
    broken = [path for path in paths if len(str(path).splitlines()) != 1]
    say(f"not in the list, as its name has a line break: {on_one_line(str(path))}" for path in broken)
    return [path for path in paths if path not in broken]


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _as_dict(named: _Named, left_out: int, rating: "Rating", chosen: "NextImages") -> dict[str, Any]:
    """All images, each in one of: chosen, near_copies, unread, left, and the number left out for their labels."""
    from ssd300.errors import as_text

    has_labels = {one.path: one.has_labels for one in named.images}
    return {
        "images": len(named.images),
        "with_labels": named.labeled,
        "left_out_with_labels": left_out,
        "chosen": [
            {"image": as_text(one.image), "value": one.value, "why": one.why, "has_labels": has_labels[one.image]}
            for one in chosen.chosen
        ],
        "near_copies": [{"image": as_text(one.image), "of": as_text(one.of)} for one in chosen.near_copies],
        "unread": [{"image": as_text(one.image), "error": str(one.error)} for one in rating.unread],
        "left": len(chosen.left),
    }


def _print(rating: "Rating", chosen: "NextImages", left_out: int) -> None:
    out = sys.stdout
    width = max(len(rating.by), 7)
    out.write(f"{rating.by:>{width}}  {'why':6}  image\n")
    for one in chosen.chosen:
        out.write(f"{one.value:{width}.3f}  {one.why:6}  {on_one_line(str(one.image))}\n")
    unsure = sum(one.why == "unsure" for one in chosen.chosen)
    parts = [
        f"{len(chosen.chosen):,} chosen, {unsure:,} as the detector is least sure of them and "
        f"{len(chosen.chosen) - unsure:,} at random",
        f"{len(chosen.near_copies):,} passed over as near copies of these",
        f"{len(rating.unread):,} not read",
        f"{len(chosen.left):,} left",
    ]
    if left_out:
        parts.append(f"{left_out:,} left out, as they have labels")
    out.write("\n" + "; ".join(parts) + "\n")
