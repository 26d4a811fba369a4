"""Options that several verbs share, and how verbs print: notes and log lines to stderr, JSON to stdout."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter, Token, convert

from ssd300.cli.help import DATA, OUTPUT, RULES, SELECTION, USUAL
from ssd300.cli.mistakes import Mistakes
from ssd300.cli.out_folder import check_is_folder_name
from ssd300.data.choices import FormatName, OnBadLabel
from ssd300.errors import DataError
from ssd300.system.processes import is_main_process
from ssd300.system.progress import shown
from ssd300.system.wording import fitted

if TYPE_CHECKING:
    from ssd300.data import Dataset
    from ssd300.metrics.voc_rules import VocRules
    from ssd300.types import Selection

Usual, OfOutput = Parameter(group=USUAL), Parameter(group=OUTPUT)
Switch = Annotated[bool, Parameter(negative="", show_default=False)]
Json = Annotated[Switch, Parameter(name="--json", group=OUTPUT)]
Overwrite = Annotated[Switch, OfOutput]
Out = Parameter(name=["--out", "-o"], group=USUAL)
OutFolder = Annotated[Path, Out, Parameter(metavar="FOLDER", validator=check_is_folder_name)]
OutFile = Annotated[Path, Out, Parameter(metavar="FILE")]
Weights = Annotated[str, Parameter(name=["--weights", "-w"], group=USUAL, metavar="WEIGHTS")]
Device = Annotated[str, Parameter(group=USUAL, metavar="DEVICE")]
Seed = Annotated[int, Usual]
OfData = Parameter(group=DATA)
Split = Annotated[str, Parameter(group=DATA, metavar="NAME")]
DataFormat = Annotated[FormatName, Parameter(name="--format", group=DATA)]
ALIASES = {"--conf": "--min-score", "--iou": "--max-overlap", "--max-det": "--top-k"}
MinScore = Parameter(name=["--min-score", "--conf"])
MaxOverlap = Parameter(name=["--max-overlap", "--iou"])
TopK = Parameter(name=["--top-k", "--max-det"])
Several = Parameter(consume_multiple=True, negative="")  # values of one option, after one another
ClassFile = Annotated[Path, Parameter(group=DATA, metavar="FILE")]
Classes = Parameter(consume_multiple=True, negative="", metavar="CLASS...")


def _also_with_commas(type_: Any, tokens: Sequence[Token]) -> Any:
    return convert(type_, [token.evolve(value=part) for token in tokens for part in token.value.split(",") if part])


SeveralOf = Parameter(consume_multiple=True, negative="", converter=_also_with_commas)  # some of given words


@Parameter(name="*", group=DATA)
@dataclass(frozen=True, kw_only=True)
class AnnotationOptions:
    """How annotations are read.

    Parameters
    ----------
    split
        The split to read. Default: trainval or train to train on, test or val to measure on.
    format
        The format of the data; auto recognizes it by its content.
    on_bad_label
        What to do with a box that is inverted, empty or outside its image: stop, drop the box, or drop the image.
    """

    split: Split | None = None
    format: DataFormat = "auto"
    on_bad_label: OnBadLabel = "error"

    def load(self, data: Sequence[Path], purpose: Literal["train", "test"], **more: Any) -> "Dataset":
        """The dataset that `load_dataset` reads with these options and `more`; its notes go to stderr."""
        from ssd300.data import load_dataset

        with shown("reading the dataset"):
            dataset = load_dataset(
                *data,
                split=self.split,
                format=self.format,
                on_bad_label=self.on_bad_label,
                purpose=purpose,
                **more,
            )
        say(dataset.notes)
        return dataset


@Parameter(name="*", group=DATA)
@dataclass(frozen=True, kw_only=True)
class DataOptions(AnnotationOptions):
    """How a dataset is read.

    Parameters
    ----------
    classes
        A text file with one class per line. Default: the classes of the data.
    only
        Keep the objects of these classes alone; the others are counted. Default: all.
    """

    classes: ClassFile | None = None
    only: Annotated[tuple[str, ...], Classes] = ()

    def load(self, data: Sequence[Path], purpose: Literal["train", "test"], **more: Any) -> "Dataset":
        """As `AnnotationOptions.load`, with the classes of the file unless `more` has others."""
        own = {"classes": read_classes(self.classes), "only": self.only or None}
        return super().load(data, purpose, **(own | more))


@Parameter(name="*", group=SELECTION)
@dataclass(frozen=True, kw_only=True)
class SelectionOptions:
    """Which detections are evaluated.

    Parameters
    ----------
    min_score
        Confidence threshold: detections with a score above it count. Default: 0.01 for weights, all for stored
        predictions.
    max_overlap
        NMS IoU: a box is removed if its IoU with a better box of its class is above it. Default: 0.45; only for
        weights.
    top_k
        Maximum number of detections per image. Default: 200 for weights, all for stored predictions.
    """

    min_score: Annotated[float | None, MinScore] = None
    max_overlap: Annotated[float | None, MaxOverlap] = None
    top_k: Annotated[int | None, TopK] = None

    def selection(self, mistakes: Mistakes | None = None) -> "Selection":
        """The selection for weights. A value out of its range is a mistake; without `mistakes`, it is raised."""
        from ssd300.types import Selection

        collected = Mistakes() if mistakes is None else mistakes
        made = collected.built(Selection, vars(self), fix="See `ssd300 eval --help`.")
        if mistakes is None:
            collected.raise_all()
        return made


@Parameter(name="*", group=RULES)
@dataclass(frozen=True, kw_only=True)
class VocRuleOptions:
    """The rules of the VOC metrics.

    Parameters
    ----------
    voc07_thresholds
        voc07: compare recall with the 11 points exactly, in integers, or in floating point, as most Python code does.
    overlap
        voc07, voc12: the IoU with an object must be at-least 0.5, or above 0.5.
    pixels
        voc07, voc12: the width of a box counts its first and its last pixel (inclusive), or is the difference of both.
    difficult
        voc07, voc12: ignore difficult objects and their detections, count them like other objects, or drop them, so
        that their detections are false.
    """

    voc07_thresholds: Literal["exact", "float64"] = "exact"
    overlap: Literal["at-least", "above"] = "at-least"
    pixels: Literal["inclusive", "differences"] = "inclusive"
    difficult: Literal["ignored", "counted", "dropped"] = "ignored"

    def rules(self) -> "VocRules":
        from ssd300.metrics.voc_rules import VocRules

        return VocRules(**vars(self))


@Parameter(name="*", group=DATA)
@dataclass(frozen=True, kw_only=True)
class PredictionOptions:
    """How stored predictions are read.

    Parameters
    ----------
    ids_of
        The file of COCO annotations whose ids the COCO results use. Default: that of the data.
    on_bad_prediction
        What to do with a stored prediction of an unknown image or class, or with bad numbers: stop, or skip and count
        it. With skip a job that is not finished is scored too.
    """

    ids_of: Annotated[Path | None, Parameter(metavar="FILE")] = None
    on_bad_prediction: Literal["error", "skip"] = "error"


@Parameter(name="*", group=DATA)
@dataclass(frozen=True, kw_only=True)
class DetectingOptions:
    """How the weights detect on a dataset.

    Parameters
    ----------
    on_bad_image
        What to do with an image that cannot be read: stop, or skip it with its objects and count it.
    device
        auto, cpu, cuda or mps; auto takes a GPU if there is one. An exported file runs on the CPU.
    """

    on_bad_image: Literal["error", "skip"] = "error"
    device: Device = "auto"


def words_of(options: object) -> list[str]:
    """Those of a group of options that are given, as they are typed."""
    words: list[str] = []
    for name, value in vars(options).items():
        if value != getattr(type(options), name):
            values = value if isinstance(value, tuple) else (value,)
            words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return words


def read_classes(path: Path | None) -> list[str] | None:
    """The classes listed in a text file, one per line; None without a file. Raises DataError."""
    if path is None:
        return None
    from ssd300.data.class_lists import check_class_list
    from ssd300.data.formats.text import read_text

    try:
        lines = read_text(path).splitlines()
    except DataError as error:
        raise DataError(
            f"the class list cannot be read: {error.what}",
            where=error.where,
            fix="Name a text file with one class per line.",
        ) from error
    names = [line.strip() for line in lines if line.strip()]
    check_class_list(names, where=path, fix="Write each class on a line of its own, once.")
    return names


def device_for(weights: str, device: str) -> str:
    """The device that `device` stands for; torch is not imported for an exported file.

    Raises UsageError as the backend of the weights does.
    """
    from ssd300.detection.backends import backend_for

    return backend_for(weights).choose_device(device)


def say_device(weights: str, device: str) -> None:
    """Print where the weights run: 'auto' has chosen it."""
    say([f"device {device_for(weights, device)}"])


def as_typed(text: str, words: Sequence[str]) -> str:
    """A message with the names of options that are among the words, where it has others for them."""
    given = {word.partition("=")[0] for word in words}
    for alias, usual in ALIASES.items():
        if alias in given and usual not in given:
            text = re.sub(rf"{usual}(?![\w-])", alias, text)
    return text


def say(lines: Iterable[str]) -> None:
    """Print lines to stderr, each broken between words where it is longer than a line of the terminal.

    Of several processes, which all find the same, the main one does so.
    """
    if is_main_process():
        sys.stderr.writelines(f"{fitted(line, sys.stderr)}\n" for line in lines)


def say_result(lines: Iterable[str]) -> None:
    """Print lines to stdout, as `say` does to stderr."""
    sys.stdout.writelines(f"{fitted(line, sys.stdout)}\n" for line in lines)


def print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
