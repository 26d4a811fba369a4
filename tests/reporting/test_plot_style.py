import subprocess
import sys

import pytest
from matplotlib.figure import Figure
from PIL import Image

from ssd300.errors import RunError
from ssd300.reporting.plot_style import as_text, figure_png, new_figure, save_figure


def test_a_figure_is_saved_as_a_png_of_its_own_folder(tmp_path):
    figure, _ = new_figure("title", "x")
    save_figure(tmp_path / "plots/a.png", figure)
    with Image.open(tmp_path / "plots/a.png") as image:
        assert image.format == "PNG"
        assert min(image.size) > 200
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["a.png"]


def test_a_figure_that_cannot_be_saved_leaves_nothing(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(RunError, match="cannot be written"):
        save_figure(tmp_path / "a.png", Figure())
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_class_name_with_dollars_is_no_formula():
    figure, axes = new_figure(as_text("$x^$ 猫"), "x")
    assert figure_png(figure).startswith(b"\x89PNG")
    assert axes.get_title(loc="left") == r"\$x^\$ 猫"


def test_no_global_state():
    code = (
        "import sys; from ssd300.reporting import evaluation_plots, plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
