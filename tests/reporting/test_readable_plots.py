"""All plots at the width of a phone: their letters can be read, and their titles are not cut."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from ssd300.data import Dataset
from ssd300.evaluation.comparison import compare
from ssd300.evaluation.error_analysis import analyze_errors
from ssd300.evaluation.scoring import score
from ssd300.reporting import plots
from ssd300.reporting.comparison import plot_differences
from ssd300.reporting.evaluation import evaluation_figures
from ssd300.reporting.html import Plot
from ssd300.reporting.plot_style import figure_png

from random_detections import problem, table  # isort: skip

pytestmark = pytest.mark.slow

PHONE_PX, LEAST_PX = 350, 9  # the width of a page's column on a phone, and the height of letters
POINTS = 72  # of an inch
ROW = {"step": 10, "lr": 1e-3, "classification": 2.0, "localization": 1.0, "map": 0.5, "metric": "voc07_11pt@0.5"}


def all_figures(classes):
    annotations, rows = problem(2)
    dataset, found = Dataset(annotations=annotations, classes=classes, root=Path(), split="test"), table(rows)
    yield from evaluation_figures(score(dataset, found), analyze_errors(dataset, found)).values()
    yield plot_differences(compare(dataset, found, found, resamples=3))
    yield plots.plot_label_statistics(annotations, classes)
    yield plots.plot_losses([ROW, ROW | {"step": 20}])
    yield plots.plot_learning_rate([ROW])
    yield plots.plot_map([ROW])


@pytest.mark.parametrize("classes", [("cat", "dog"), ("x" * 80, "dog", *(f"a longer name {n}" for n in range(30)))])
def test_letters_can_be_read_and_titles_are_whole(classes):
    for figure in all_figures(classes):
        plot = Plot(alternative="", png=figure_png(figure))
        width_px = plot.least_width_px if plot.is_wide else PHONE_PX
        px_per_inch = width_px / figure.get_figwidth()
        texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
        assert min(text.get_fontsize() for text in texts) / POINTS * px_per_inch >= LEAST_PX
        renderer = FigureCanvasAgg(figure).get_renderer()
        boxes = np.array([text.get_window_extent(renderer).extents for text in texts if text.get_weight() == "bold"])
        assert (boxes[:, 0] >= -1).all()
        assert (boxes[:, 2] <= figure.bbox.width + 1).all(), [text.get_text() for text in texts]
