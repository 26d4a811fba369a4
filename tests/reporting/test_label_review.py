from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssd300.data import Dataset
from ssd300.evaluation.disagreement import KINDS
from ssd300.evaluation.label_review import review
from ssd300.reporting.html import write_report
from ssd300.reporting.label_review import case_in_words, review_page, review_rows, trained_on_in_words
from ssd300.types import Annotation, DetectionTable


@pytest.fixture
def reviewed(tmp_path):
    """A missed cat <b>, and a dog that is labeled twice."""
    path = tmp_path / "a.png"
    Image.new("RGB", (100, 100)).save(path)
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9]], float)
    one = Annotation(
        image_id="a", image_path=path, size_hw=(100, 100), boxes_px=boxes, labels=np.array([1, 1]),
        difficult=np.zeros(2, bool),
    )  # fmt: skip
    table = DetectionTable(
        image_index=np.zeros(3, np.int64), labels=np.array([0, 0, 1]), scores=np.array([0.9, 0.8, 0.7]),
        boxes_px=np.array([[50, 50, 60, 60], [50, 0, 60, 10], [0, 0, 10, 10]], float),
    )  # fmt: skip
    data = Dataset(annotations=[one], classes=("cat <b>", "dog", "none"), root=Path("data"), split="test")
    return review(data, table)


def test_the_rows_are_counts_by_class_and_kind(reviewed):
    assert review_rows(reviewed) == [
        ("class", "labels", *KINDS),
        ("cat <b>", "0", "2", "0", "0", "0", "0"),
        ("dog", "2", "0", "0", "1", "0", "0"),
        ("all", "2", "2", "0", "1", "0", "0"),
    ]


def test_a_case_in_words(reviewed):
    words = [case_in_words(one) for one in reviewed.cases]
    assert words == ["no label, detector cat <b> 0.90", "label 1 dog and label 2 dog, detector dog 0.70",
                     "no label, detector cat <b> 0.80"]  # fmt: skip


def test_the_page_has_pictures_of_the_worst_of_each_kind_and_is_safe(reviewed, tmp_path):
    page = review_page(reviewed, weights="w", top=1, notes=["skipped: x"])
    assert [gallery.title for gallery in page.galleries] == ["missed: 2", "doubled: 1"]
    assert [len(gallery.images) for gallery in page.galleries] == [1, 1]
    assert page.galleries[0].explanation.endswith("1 of 2 are shown.")
    write_report(tmp_path / "r.html", page)
    text = (tmp_path / "r.html").read_text()
    assert "cat <b>" not in text
    assert "cat &lt;b&gt;" in text
    assert text.count("data:image/jpeg") == 2
    assert "Skipped: x." in text


def test_an_image_that_is_gone_is_named(reviewed, tmp_path):
    (tmp_path / "a.png").unlink()
    page = review_page(reviewed, weights="w", top=5)
    assert page.galleries == []
    assert page.notes == ["These images could not be read: a."]


def test_without_a_case_the_page_has_its_table(reviewed, tmp_path):
    empty = review(reviewed.dataset, DetectionTable(
        image_index=np.zeros(0, np.int64), labels=np.zeros(0, np.int64), scores=np.zeros(0), boxes_px=np.zeros((0, 4))
    ))  # fmt: skip
    page = review_page(empty, weights="w", top=5)
    assert page.headline == f"{len(empty.cases)}"
    write_report(tmp_path / "r.html", page)


def test_what_follows_from_training_on_the_images():
    assert trained_on_in_words(None, 5) == trained_on_in_words(0, 5) == ""
    assert trained_on_in_words(5, 5).startswith("the weights were trained on these images, with")
    assert trained_on_in_words(2, 5).startswith("the weights were trained on 2 of these 5 images, with")
