"""The default boxes that the weights of a start were trained with."""

import logging
from pathlib import Path

from ssd300.errors import WeightsError
from ssd300.model.default_boxes import SETTINGS, DefaultBoxSettings
from ssd300.weights.detectors import is_foreign_detector
from ssd300.weights.foreign import import_weights
from ssd300.weights.format import is_ours, read_card_file
from ssd300.weights.start_file import check_is_detector, start_file
from ssd300.weights.tensor_files import read_contents

log = logging.getLogger(__name__)


def default_boxes_of_start(init: str, key: str | None = None) -> DefaultBoxSettings:
    """Those of the detector that `init` stands for: one of ours, or one that `import_weights` reads with `key`.

    Raises:
        UsageError: it is the name of a backbone.
        WeightsError: the file cannot be read, or does not say its default boxes.
    """
    check_is_detector(init)
    path = start_file(init)
    if is_ours(path):
        return read_card_file(path).settings
    if is_foreign_detector(read_contents(path)):
        return import_weights(path, key=key)[1].settings
    raise WeightsError(
        "the file does not say its default boxes",
        where=path,
        fix="Name a run folder, or the weights of a whole detector; or leave out --default-boxes start.",
    )


def warn_of_other_boxes(ours: DefaultBoxSettings, its: DefaultBoxSettings, path: Path) -> None:
    """Say so if the box offsets in a file were trained for other default boxes or another image size."""
    if its.image_size_px != ours.image_size_px:
        log.info("%s was trained with %d pixels; this run has %d", path, its.image_size_px, ours.image_size_px)
    if its.fits_like(ours):
        return
    unnamed = "fitted to its objects" if its.fitted_px else "without a name"
    log.warning(
        "%s was trained with other default boxes (%s) than this run has: its box offsets fit badly%s",
        path, next((name for name, settings in SETTINGS.items() if settings.fits_like(its)), unnamed),
        ". --default-boxes start keeps its boxes" if len(its.map_sizes) == len(ours.map_sizes) else "",
    )  # fmt: skip
