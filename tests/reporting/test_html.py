import base64
import io

import numpy as np
from PIL import Image

from ssd300.images.colors import class_colors
from ssd300.reporting.html import MOST_ROWS, WEAKEST, ClassRow, Gallery, Page, Table, _small_jpeg_address, write_report


def test_names_are_escaped_and_nothing_comes_from_the_web(tmp_path):
    hostile = "<script>alert(1)</script>"
    report = Page(
        title=hostile,
        subtitle="s",
        headline="0.5",
        headline_meaning="mAP",
        facts_title="The run",
        tables=[Table(title="t", explanation="e", head=("class", hostile), rows=[(hostile, "1")])],
        per_class=[
            ClassRow(name=hostile, ap=0.5, objects=1, found=1, false=2, min_score=0.25),
            ClassRow(name="b", ap=None, objects=0),
        ],
        galleries=[Gallery(title="g", explanation="e", images=[(hostile, Image.new("RGB", (2000, 10)))])],
        facts=[("model", hostile)],
    )
    write_report(tmp_path / "report.html", report)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "http" not in text
    assert text.count("data:image/jpeg;base64,") == 1


def test_a_small_jpeg_has_the_best_quality_that_fits():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8))
    sizes = []
    for most in (10**6, 20_000, 1):
        jpeg = base64.b64decode(_small_jpeg_address(noise, most).removeprefix("data:image/jpeg;base64,"))
        assert Image.open(io.BytesIO(jpeg)).size == (200, 200)
        sizes.append(len(jpeg))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[1] <= 20_000


def test_classes_have_the_colors_of_the_pictures(tmp_path):
    """Also in the table of the weakest, which has another order."""
    classes = [f"class {number}" for number in range(MOST_ROWS + 1)]
    rows = [ClassRow(name=name, ap=1 - number / 100, objects=1) for number, name in enumerate(classes)]
    page = Page(title="t", subtitle="s", headline="0.5", headline_meaning="m", facts_title="f", per_class=rows)
    assert [row.name for row in page.weakest] == classes[::-1][:WEAKEST]
    write_report(tmp_path / "report.html", page)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for number, (name, color) in enumerate(class_colors(classes).items()):
        shown = 'style="--color: rgb({}, {}, {})">{}</span>'.format(*color, name)
        assert text.count(shown) == (2 if number > MOST_ROWS - WEAKEST else 1)
