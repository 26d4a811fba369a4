"""Were weights trained on the images that they are evaluated on? Then their mAP says nothing about new images.

The card of the weights has the fingerprint of the whole training data. The run folder also has a digest of each image,
by which single ones are recognized, in other splits and under other labels too; not if they were saved anew.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ssd300 import run_layout
from ssd300.data.image_digests import DIGITS, annotated_digests
from ssd300.types import Annotation


def trained_on_images(
    weights: str | Path, source: Mapping[str, Any], fingerprint: str, images: Sequence[Annotation]
) -> int | None:
    """How many of `images`, all or some of the dataset of that fingerprint, the weights were trained on.

    None if that is not known. `source` is that of the card of `weights`. A file in the weights folder of a run is as
    good as the run folder.
    """
    trained = source.get("fingerprint")
    if trained is None:
        return None
    if trained == fingerprint:
        return len(images)
    known = known_digests(weights, source)
    return None if known is None else sum(digest in known for digest in annotated_digests(images))


def known_digests(weights: str | Path, source: Mapping[str, Any]) -> set[str] | None:
    """The digests of the images that the weights were trained on, None if the run did not store them.

    `source` is that of the card of `weights`.
    """
    weights, fingerprint = Path(weights), source.get("fingerprint")
    if fingerprint is None:
        return None
    of_a_run = weights.parent.name == Path(run_layout.BEST_WEIGHTS).parent.name
    folder = weights if weights.is_dir() else weights.parent.parent if of_a_run else None
    if folder is None:
        return None
    try:
        data = json.loads((folder / run_layout.DATA).read_text(encoding="utf-8"))
        digits = data["image_digests"] if data["fingerprint"] == fingerprint else None  # else another run's weights
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(digits, str):
        return None
    return {digits[place : place + DIGITS] for place in range(0, len(digits), DIGITS)}
