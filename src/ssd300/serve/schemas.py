"""The types of the API's requests and responses, from which /openapi.json is made."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ssd300.detection.defaults import MIN_SCORE
from ssd300.detection.detector import DISPLAY

MOST_DETECTIONS = 1000  # per image

Share = Annotated[float, Field(ge=0, le=1)]


class DetectionOptions(BaseModel):
    """What counts as a detection, in this request."""

    model_config = ConfigDict(extra="forbid")

    min_score: Share | None = Field(
        default=None,
        description=f"Confidence threshold; by default that of each class in the weights, or {MIN_SCORE}.",
    )
    max_overlap: Share = Field(
        default=DISPLAY.max_overlap,
        description="NMS IoU: a box that overlaps a better one of its class by more is removed.",
    )
    top_k: int = Field(
        default=DISPLAY.top_k, ge=1, le=MOST_DETECTIONS, description="Maximum number of detections per image."
    )
    classes: list[str] = Field(default=[], max_length=MOST_DETECTIONS, description="Detect only these; by default all.")


class Box(BaseModel):
    """Pixels of the image, counted from 0; `xmax` and `ymax` are exclusive."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float


class Detection(BaseModel):
    label: str
    label_id: int = Field(description="Index into the model's classes, from 0.")
    score: float
    box: Box


class Timing(BaseModel):
    """Milliseconds; network and select are those of the image's whole batch."""

    decode: float
    wait: float
    network: float
    select: float


class Image(BaseModel):
    image: str = Field(
        description="The name of the uploaded file, without its folder; empty for a body without a name."
    )
    width: int
    height: int
    detections: list[Detection]
    notes: list[str] = Field(
        default=[], description="What the image holds besides what was looked at: '1 of 5 pages or frames is used'."
    )
    timing_ms: Timing
    batch_size: int = Field(description="Images in the batch of the network, also of other requests.")


class TotalTiming(BaseModel):
    """Milliseconds until the body had arrived, and until the response was ready."""

    receive: float
    total: float


class Detected(BaseModel):
    images: list[Image]
    timing_ms: TotalTiming


class ModelClass(BaseModel):
    name: str
    color: str = Field(description="The color of its boxes, as #rrggbb.")
    text_color: str = Field(description="A readable color for text on that color.")
    min_score: float = Field(description="The confidence threshold of requests without one.")


class Limits(BaseModel):
    bytes: int = Field(description="Most bytes of the body of a request.")
    pixels: int = Field(description="Most pixels of an image.")
    images: int = Field(description="Maximum number of images of a request.")
    timeout_s: float = Field(description="Most seconds for a body to arrive, and again for its response.")


class WeightsFile(BaseModel):
    name: str
    sha256: str = Field(description="Of the bytes that were loaded, as sha256sum prints it.")


class Weights(BaseModel):
    """The files that were loaded. They serve on as they were, whatever becomes of those on the disk."""

    name: str = Field(description="The run folder, file or published name that the server was started with.")
    files: list[WeightsFile]
    on_disk: Literal["unchanged", "changed", "missing"] = Field(
        description="The files on the disk now: the same bytes, others, or not there; a new start loads those."
    )


class Model(BaseModel):
    """The loaded weights, and the defaults and limits of requests."""

    model: str
    classes: list[ModelClass]
    image_size_px: int = Field(description="The width and height to which images are resized for the network.")
    metric: dict[str, Any] | None = Field(
        description="The result of the evaluation of the weights, if there was one; `words` are for people."
    )
    weights: Weights | None = Field(description="What was loaded; null where the program that serves did not tell.")
    max_overlap: float
    top_k: int
    limits: Limits
    ssd300_version: str


class Status(BaseModel):
    status: str


class Problem(BaseModel):
    """An error (RFC 9457): `detail` is what is wrong, `fix` what to do."""

    status: int
    title: str
    detail: str
    fix: str | None = None
