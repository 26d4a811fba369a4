"""The types of the requests and responses of the page's API."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_OBJECTS = 5000  # in an image
Finite = Annotated[float, Field(allow_inf_nan=False)]
State = Literal["none", "proposed", "done"]


class Strict(BaseModel):
    """A request: fields that it does not know are refused."""

    model_config = ConfigDict(extra="forbid")


class Box(Strict):
    """An object. `box` is xmin, ymin, xmax, ymax in pixels of the image as it is shown, from 0, the ends exclusive; it
    is null where the file has no usable box. `key` is the one that it was read with, "" for a new object.
    """

    key: Annotated[str, Field(max_length=100)] = ""
    name: Annotated[str, Field(max_length=500)]
    box: tuple[Finite, Finite, Finite, Finite] | None
    difficult: bool = False
    truncated: bool = False
    fault: Annotated[str, Field(max_length=2000)] = ""


class Save(Strict):
    """The objects of an image. `version` is what the page began with. Without `exists` the labels are removed."""

    version: Annotated[str, Field(max_length=100)]
    exists: bool
    boxes: Annotated[list[Box], Field(max_length=MOST_OBJECTS)]


class ImageLabels(BaseModel):
    """An image and its labels. `fault` is why they cannot be edited, `fix` what to do about that."""

    number: int
    name: str
    width: int
    height: int
    picture: str
    version: str
    exists: bool
    boxes: list[Box]
    fault: str
    fix: str
    file: str


class ClassColor(BaseModel):
    """A class with its color and one that is readable on it, and its number of objects."""

    name: str
    color: str
    text_color: str
    objects: int


class ImageLine(BaseModel):
    """An image in the list."""

    number: int
    name: str
    state: State
    classes: dict[str, int]
    fault: str


class Split(BaseModel):
    """A split and the numbers of its images; `can_add` is whether images of no split can be added to its list."""

    name: str
    images: list[int]
    can_add: bool


class ProjectInfo(BaseModel):
    """What is labeled here. `listed` are the images that the page lists at first, in this order; all if there is none.
    `splits` is empty for data that is not split; `split_fault` is why a list is not read.
    """

    title: str
    format: str
    place: str
    has_flags: bool
    proposes: bool
    classes: list[ClassColor]
    images: list[ImageLine]
    revision: int
    listed: list[int]
    splits: list[Split]
    split_fault: str


class Changes(BaseModel):
    """What changed since a revision. `version` is that of the image that was asked about."""

    revision: int
    images: list[ImageLine]
    classes: list[ClassColor]
    version: str | None


class NewClass(Strict):
    name: Annotated[str, Field(max_length=500)]


class RenamedClass(Strict):
    old: Annotated[str, Field(max_length=500)]
    new: Annotated[str, Field(max_length=500)]


class AddToList(Strict):
    """The split to whose list the labeled images of no split are added."""

    split: Annotated[str, Field(max_length=500)]


class AddedToList(BaseModel):
    """How many images were added, and the splits then."""

    images: int
    splits: list[Split]


class Renamed(BaseModel):
    """How many images were changed, and the classes then."""

    images: int
    classes: list[ClassColor]


class Conflict(BaseModel):
    """The labels as they are now, where they are not those that a page began with."""

    detail: str
    fix: str
    current: Any


class ProposerInfo(BaseModel):
    """The weights that propose boxes, "" for none, and the confidence threshold of each of their classes; `left` images
    are still to be looked at.
    """

    weights: str
    classes: list[str]
    min_scores: dict[str, float]
    left: int
    fault: str


class ProposedBox(BaseModel):
    """A detection, at whole pixels."""

    name: str
    box: tuple[float, float, float, float]
    score: float


class Proposals(BaseModel):
    """The detections of an image; without `is_ready` they are not known yet."""

    is_ready: bool
    fault: str
    boxes: list[ProposedBox]
    about: ProposerInfo


class StartTraining(Strict):
    """A training: `holdout` is the share of the images that is measured on."""

    holdout: Annotated[float, Field(gt=0, lt=1)] = 0.2


class Training(BaseModel):
    """How far the newest training is; `best` is its highest mAP on the held-out images."""

    state: Literal["none", "starting", "running", "stopping", "stopped", "done", "failed"]
    can_resume: bool
    folder: str
    images: int
    step: int
    steps: int
    seconds: float
    best: float | None
    evaluations: list[tuple[int, float]]
    losses: list[tuple[int, float]]
    words: list[str]
    has_weights: bool
    proposes: bool


class Finding(BaseModel):
    """A problem; `image` is the number of its image, null for one of the dataset."""

    level: str
    message: str
    fix: str
    image: int | None


class DataCheck(BaseModel):
    """What is wrong with the labels; the images per split, and groups of near copies."""

    findings: list[Finding]
    splits: dict[str, int]
    copies: list[list[int]]
