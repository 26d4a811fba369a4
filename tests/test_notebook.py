"""The notebook of the documentation runs, and shows people what they can read."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

NOTEBOOK = Path(__file__).parents[1] / "docs" / "first_hour.ipynb"
SHORT = {"TEST_IMAGES, STEPS = 240, 60, 90": "TEST_IMAGES, STEPS = 8, 4, 3"}
MOST_TEXT = 3000  # characters of an output


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The code cells after they ran, with few images and steps."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in notebook.cells:
        for long, short in SHORT.items():
            cell.source = cell.source.replace(long, short)
    assert any(short in cell.source for cell in notebook.cells for short in SHORT.values())
    folder = tmp_path_factory.mktemp("notebook")
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_file_holds_no_outputs():
    assert all(not cell.get("outputs") for cell in nbformat.read(NOTEBOOK, as_version=4).cells)


def test_every_output_is_short_and_nothing_warns_or_fails(cells):
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error"
            texts = _texts(output)
            assert all(len(text) < MOST_TEXT for text in texts)
            assert not any("Traceback" in text or "Warning" in text for text in texts)


def test_training_shows_its_log_and_one_bar_that_was_updated_in_place(cells):
    outputs = _cell(cells, "train(").outputs
    streams = [output for output in outputs if output.output_type == "stream"]
    assert {output.name for output in streams} == {"stdout"}  # stderr looks like an error there
    assert sum(output.text.count("step 3/3") for output in streams) == 1
    bars = [output.data for output in outputs if "<progress" in _html(output) and "training" in _html(output)]
    assert len(bars) == 1
    assert "3 of 3 steps" in bars[0]["text/html"]


@pytest.mark.parametrize(
    ("word", "text", "html"),
    [
        ("load_dataset(DATA)", "scenes trainval: 8 images, 4 classes", "<td style="),
        ("train(", "mAP ", "objects"),
        ("evaluate(", "mAP ", "detections"),
    ],
)
def test_data_summary_and_report_show_a_line_and_a_table(cells, word, text, html):
    output = _cell(cells, word).outputs[-1]
    assert output.data["text/plain"].startswith(text)
    assert html in output.data["text/html"]


def test_a_result_shows_its_image(cells):
    pictures = [output for cell in cells for output in cell.outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 1
    assert " on test_0000.jpg" in pictures[0].data["text/plain"]


def _cell(cells, word):
    return next(cell for cell in cells if word in cell.source and "import" not in cell.source)


def _html(output):
    return output.get("data", {}).get("text/html", "")


def _texts(output):
    return [output.text] if output.output_type == "stream" else [output.data.get("text/plain", ""), _html(output)]
