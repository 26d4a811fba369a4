import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssd300.reporting.plot_style import figure_png
from ssd300.reporting.plots import (
    plot_label_statistics,
    plot_learning_rate,
    plot_losses,
    plot_map,
)
from ssd300.types import Annotation

NAMES = ("naïve 猫", "$x^$", "_b", "d")


def row(step):
    return {"step": step, "lr": 1e-3, "classification": 2.0, "localization": 1.0}


def annotation(count, size_hw=(100, 100)):
    return Annotation(
        image_id="p", image_path=Path("p.jpg"), size_hw=size_hw, boxes_px=np.tile([1.0, 1, 20, 30], (count, 1)),
        labels=np.arange(count) % len(NAMES), difficult=np.zeros(count, bool),
    )  # fmt: skip


@pytest.mark.parametrize(
    "figure",
    [
        lambda: plot_losses([row(1)]),
        lambda: plot_losses([row(1), row(2)]),
        lambda: plot_learning_rate([row(5)]),
        lambda: plot_map([{"step": 4, "map": 0.5, "metric": "voc07_11pt@0.5"}]),
        lambda: plot_map([{"step": 4, "map": None, "metric": "voc07_11pt@0.5"}]),
        lambda: plot_map([{"step": 4, "map": None, "map_ema": 0.5, "metric": "voc07_11pt@0.5"}]),
        lambda: plot_label_statistics([], NAMES),
        lambda: plot_label_statistics([annotation(0)], NAMES),
        lambda: plot_label_statistics([annotation(3), annotation(1, None)], NAMES),
    ],
)
def test_any_names_and_few_values(figure):
    """Warnings are errors in the tests, so a name or an empty axis that matplotlib dislikes would show."""
    with Image.open(io.BytesIO(figure_png(figure()))) as image:
        assert image.format == "PNG"
        assert min(image.size) > 200
