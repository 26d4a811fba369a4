"""What the API takes and answers, as its description at /openapi.json says it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ssd300.detection.detector import DISPLAY

MOST_DETECTIONS = 1000  # an image

Share = Annotated[float, Field(ge=0, le=1)]


class Wishes(BaseModel):
    """What counts as a detection, for this request."""

    model_config = ConfigDict(extra="forbid")

    min_score: Share | None = Field(
        default=None, description="Lowest score; left out, what the weights hold for each class, or 0.2."
    )
    max_overlap: Share = Field(
        default=DISPLAY.max_overlap, description="A box that overlaps a better one of its class by more is left out."
    )
    top_k: int = Field(default=DISPLAY.top_k, ge=1, le=MOST_DETECTIONS, description="Most detections an image.")
    classes: list[str] = Field(default=[], max_length=MOST_DETECTIONS, description="These alone; left out, all.")


class Box(BaseModel):
    """Pixels of the image, from 0, right and bottom edge outside."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float


class Detection(BaseModel):
    label: str
    label_id: int = Field(description="Which of the model's classes, from 0.")
    score: float
    box: Box


class Timing(BaseModel):
    """Milliseconds; network and select are of the whole batch that the image was in."""

    decode: float
    wait: float
    network: float
    select: float


class Image(BaseModel):
    image: str = Field(description="The name of the file as it was sent.")
    width: int
    height: int
    detections: list[Detection]
    timing_ms: Timing
    batch_size: int = Field(description="How many images, of anybody, went through the network together.")


class TotalTiming(BaseModel):
    """Milliseconds: the body's arrival, and all of the request."""

    receive: float
    total: float


class Detected(BaseModel):
    images: list[Image]
    timing_ms: TotalTiming


class ModelClass(BaseModel):
    name: str
    color: str = Field(description="In which it is drawn, as #rrggbb.")
    text_color: str = Field(description="Of letters on that colour.")
    min_score: float = Field(description="The lowest score at which it is answered where none is asked for.")


class Limits(BaseModel):
    bytes: int = Field(description="Of one request's body.")
    pixels: int = Field(description="Of one image.")
    images: int = Field(description="Of one request.")
    timeout_s: float


class Model(BaseModel):
    """What the loaded weights are."""

    model: str
    classes: list[ModelClass]
    image_size_px: int = Field(description="The side to which every image is resized for the network.")
    metric: dict[str, Any] | None = Field(description="Name, value and images of the evaluation, if there was one.")
    max_overlap: float
    top_k: int
    limits: Limits
    ssd300_version: str


class Status(BaseModel):
    status: str


class Problem(BaseModel):
    """RFC 9457."""

    status: int
    title: str
    detail: str
    fix: str | None = None
