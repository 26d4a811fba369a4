import io

import numpy as np
import pytest
from PIL import Image

from ssd300.evaluation.error_analysis import SIZES_PX, ErrorsOfKind, ScoreOfSize
from ssd300.metrics.error_kinds import KINDS
from ssd300.metrics.reliability import Bin, reliability
from ssd300.metrics.voc import ClassResult
from ssd300.reporting.evaluation_plots import (
    MOST_COUNTED,
    MOST_PANELS,
    plot_confusion,
    plot_errors,
    plot_precision_recall,
    plot_reliability,
    plot_sizes,
)
from ssd300.reporting.plot_style import figure_png

NAMES = ("naïve 猫", "$x^$", "_b", "d")


def result(ap, n=3, objects=2):
    return ClassResult(
        ap=ap, objects=objects, difficult=0, detections=n, recall=np.linspace(0, 1, n), precision=np.ones(n),
        scores=np.linspace(1, 0, n),
    )  # fmt: skip


@pytest.mark.parametrize(
    "figure",
    [
        lambda: plot_precision_recall({}),
        lambda: plot_precision_recall({name: result(0.5) for name in NAMES} | {"none": result(None, 0)}),
        lambda: plot_precision_recall({NAMES[0]: result(0.0, 0)}),
        lambda: plot_precision_recall({f"c{n}": result(0.5) for n in range(30)}),
        lambda: plot_confusion(np.zeros((5, 5), int), NAMES),
        lambda: plot_confusion(np.eye(41, dtype=int), [f"c{n}" for n in range(40)]),
        lambda: plot_errors(dict.fromkeys(KINDS, ErrorsOfKind(0, None))),
        lambda: plot_errors({kind: ErrorsOfKind(1000, 0.5 - n / 10) for n, kind in enumerate(KINDS)}),
        lambda: plot_sizes(dict.fromkeys(SIZES_PX, ScoreOfSize(None, 0, 0))),
        lambda: plot_sizes(dict.fromkeys(SIZES_PX, ScoreOfSize(1.0, 9_999, 9_999))),
        lambda: plot_reliability(reliability([])),
        lambda: plot_reliability([Bin(n / 10, (n + 1) / 10, 10**n, n / 10, 1.0) for n in range(10)]),
    ],
)
def test_any_names_and_few_values(figure):
    """Warnings are errors in the tests, so a name or an empty axis that matplotlib dislikes would show."""
    with Image.open(io.BytesIO(figure_png(figure()))) as image:
        assert image.format == "PNG"
        assert min(image.size) > 200


def test_of_many_classes_those_with_most_objects_have_a_curve():
    classes = {f"c{n}": result(0.5, objects=n) for n in range(MOST_PANELS + 5)} | {"none": result(None, 0)}
    panels = [axes.get_title() for axes in plot_precision_recall(classes).axes if axes.get_title()]
    assert panels == [f"c{n}\nAP 0.500" for n in range(5, MOST_PANELS + 5)]


def test_a_large_confusion_matrix_shows_the_classes_with_most_errors():
    classes = MOST_COUNTED + 10
    counts = np.eye(classes + 1, dtype=int) * 7
    counts[30, -1], counts[-1, 33] = 5, 4  # one is missed, of one there are false detections
    figure = plot_confusion(counts, [f"c{n}" for n in range(classes)])
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(names) == MOST_COUNTED + 1
    assert names[-3:] == ["c30", "c33", "nothing"]
    assert {text.get_text() for text in figure.axes[0].texts} == {"7", "5", "4"}
    assert str(MOST_COUNTED) in figure.axes[0].get_title(loc="right")
