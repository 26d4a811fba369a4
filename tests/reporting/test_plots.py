import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssd300.evaluation.error_analysis import SIZES_PX, ErrorsOfKind, ScoreOfSize
from ssd300.metrics.error_kinds import KINDS
from ssd300.metrics.reliability import Bin, reliability
from ssd300.metrics.voc import ClassResult
from ssd300.reporting.evaluation_plots import (
    plot_confusion,
    plot_errors,
    plot_precision_recall,
    plot_reliability,
    plot_sizes,
)
from ssd300.reporting.plot_style import save_figure
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


def result(ap, n=3):
    return ClassResult(
        ap=ap, objects=2, difficult=0, detections=n, recall=np.linspace(0, 1, n), precision=np.ones(n),
        scores=np.linspace(1, 0, n),
    )  # fmt: skip


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
        lambda: plot_precision_recall({}),
        lambda: plot_precision_recall({name: result(0.5) for name in NAMES} | {"none": result(None, 0)}),
        lambda: plot_precision_recall({NAMES[0]: result(0.0, 0)}),
        lambda: plot_precision_recall({f"c{n}": result(0.5) for n in range(30)}),
        lambda: plot_confusion(np.zeros((5, 5), int), NAMES, min_score=0.5, iou_threshold=0.5),
        lambda: plot_confusion(np.eye(41, dtype=int), [f"c{n}" for n in range(40)], min_score=0.5, iou_threshold=0.5),
        lambda: plot_errors(dict.fromkeys(KINDS, ErrorsOfKind(0, None))),
        lambda: plot_errors({kind: ErrorsOfKind(1000, 0.5 - n / 10) for n, kind in enumerate(KINDS)}),
        lambda: plot_sizes(dict.fromkeys(SIZES_PX, ScoreOfSize(None, 0, 0))),
        lambda: plot_sizes(dict.fromkeys(SIZES_PX, ScoreOfSize(1.0, 9_999, 9_999))),
        lambda: plot_reliability(reliability([])),
        lambda: plot_reliability([Bin(n / 10, (n + 1) / 10, 10**n, n / 10, 1.0) for n in range(10)]),
        lambda: plot_label_statistics([], NAMES),
        lambda: plot_label_statistics([annotation(0)], NAMES),
        lambda: plot_label_statistics([annotation(3), annotation(1, None)], NAMES),
    ],
)
def test_any_names_and_few_values(figure, tmp_path):
    """Warnings are errors in the tests, so a name or an empty axis that matplotlib dislikes would show."""
    save_figure(tmp_path / "plots/a.png", figure())
    with Image.open(tmp_path / "plots/a.png") as image:
        assert image.format == "PNG"
        assert min(image.size) > 200
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["a.png"]


def test_no_global_state():
    code = (
        "import sys; from ssd300.reporting import evaluation_plots, plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
