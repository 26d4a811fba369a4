"""The description of an exported network, stored as JSON inside its file: what is needed to use it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ssd300.errors import WeightsError
from ssd300.images.resize import RESIZES, Resize

KEY = "ssd300"  # of the description in the metadata of the file
FORMAT_VERSION = 2
THRESHOLDS_INSIDE = 2  # from this version on, files with suppression have the thresholds as constants, not as inputs
Precision = Literal["fp32", "bf16", "int8"]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an exported file detects, and how it is used.

    `suppresses` is true if it contains non-maximum suppression, with `top_k` rows per image. `float32_layers` are the
    convolutions of an int8 file that are not in 8 bits. `resize`, `min_scores`,
    `metric` and `source` are as in the card of the weights; `source` has the card's "backbone" and "heads" as well, if
    they are not those that the model always has.
    """

    model: str
    classes: tuple[str, ...] = field(repr=False)
    image_size_px: int
    resize: Resize
    precision: Precision
    suppresses: bool
    top_k: int | None = None
    float32_layers: Sequence[str] = ()
    min_scores: Mapping[str, float] = field(repr=False, default_factory=dict)
    metric: Mapping[str, Any] | None = field(default=None, repr=False)
    source: Mapping[str, Any] = field(repr=False, default_factory=dict)
    format_version: int = 1  # as low as can be, so that an older ssd300 reads what it can run

    @property
    def layers(self) -> dict[str, str]:
        """The kind of heads, and a backbone by name if there is one, as in the card of the weights."""
        backbone = {"backbone": self.source["backbone"]} if "backbone" in self.source else {}
        return {**backbone, "heads": self.source.get("heads", "ssd")}

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def parse_manifest(text: str | None, path: Path) -> Manifest:
    """The manifest of the file at `path`. Raises WeightsError."""
    if text is None:
        raise WeightsError(
            "the file does not list its classes",
            where=path,
            fix="Name a file that `ssd300 export` wrote.",
        )
    try:
        fields = json.loads(text)
        version = fields["format_version"]
        if version > FORMAT_VERSION:
            raise WeightsError(
                f"format version {version}; this ssd300 reads up to {FORMAT_VERSION}",
                where=path,
                fix="Install a newer ssd300.",
            )
        tuples = {name: tuple(fields.get(name, ())) for name in ("classes", "float32_layers")}
        manifest = Manifest(**fields | tuples)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"the metadata cannot be read ({error})", where=path, fix="Export it again.") from error
    if len({name.casefold().strip() for name in manifest.classes}) < len(manifest.classes):
        raise WeightsError("a class is listed twice", where=path, fix="Export it again, with a name for each class.")
    if manifest.resize not in RESIZES:
        raise WeightsError(
            f"images are resized by {manifest.resize}; this ssd300 has {', '.join(RESIZES)}",
            where=path,
            fix="Install a newer ssd300.",
        )
    return manifest
