"""The types of the requests and responses of a review."""

from typing import Annotated

from pydantic import BaseModel, Field

from ssd300.evaluation.disagreement import Kind
from ssd300.labeling.decisions import Decision
from ssd300.labeling.schemas import Strict

Box = tuple[float, float, float, float]


class ReviewLabel(BaseModel):
    """A label of a disagreement; the page knows it by its class and its box."""

    name: str
    box: Box


class ReviewDetection(BaseModel):
    """A detection of a disagreement, at whole pixels, under the name that the data has for its class."""

    name: str
    box: Box
    score: float


class ReviewCase(BaseModel):
    """A disagreement on the image of a number, and one sentence of what differs."""

    id: str
    image: int
    kind: Kind
    suspicion: float
    words: str
    label: ReviewLabel | None
    other_label: ReviewLabel | None
    detection: ReviewDetection | None


class KindCount(BaseModel):
    """A kind of disagreement and how many of it are open."""

    kind: Kind
    meaning: str
    open: int


class Review(BaseModel):
    """How far a review is: `left` labeled images are not compared yet, `open` cases not decided. `cases` are the most
    suspicious of the open ones, of one kind or of all; `is_current_open` is about the one that the page asked about.
    `weights` is "" without weights; `fault` is why they cannot be used.
    """

    weights: str
    fault: str
    compared: int
    left: int
    looked_at: int
    open: int
    is_current_open: bool
    remark: str
    kinds: list[KindCount]
    cases: list[ReviewCase]


class Decide(Strict):
    """Who is right about a case; "open" takes that back."""

    case: Annotated[str, Field(max_length=100)]
    decision: Decision
