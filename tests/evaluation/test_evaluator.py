from dataclasses import replace

import numpy as np
import pytest

from ssd300.data import load_dataset
from ssd300.errors import DataError, WeightsError
from ssd300.evaluation.evaluator import evaluate
from ssd300.types import Selection


@pytest.fixture
def dataset(coloured):
    return load_dataset(coloured, split="trainval")


def test_an_image_that_cannot_be_read_is_skipped_with_its_objects(dataset, coloured, light_run):
    whole = evaluate(light_run, dataset)
    (coloured / "JPEGImages/p1.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"p1\.jpg"):
        evaluate(light_run, dataset)
    rest = evaluate(light_run, dataset, on_bad_image="skip")
    assert (whole.images, rest.images, len(rest.skipped)) == (4, 3, 1)
    assert "p1.jpg" in rest.skipped[0]
    assert rest.per_class["blue"].objects == whole.per_class["blue"].objects - 1
    kept = whole.detections.select(whole.detections.image_index != 1)
    np.testing.assert_array_equal(rest.detections.labels, kept.labels)
    np.testing.assert_allclose(rest.detections.boxes_px, kept.boxes_px, atol=1e-3)


def test_no_readable_image_and_no_image_are_errors(dataset, coloured, light_run):
    with pytest.raises(DataError, match="there are no images"):
        evaluate(light_run, replace(dataset, annotations=[]))
    for image in (coloured / "JPEGImages").iterdir():
        image.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"no image can be read; the first: .*p0\.jpg"):
        evaluate(light_run, dataset, on_bad_image="skip")


def test_objects_of_unknown_classes_are_refused(dataset, light_run):
    with pytest.raises(WeightsError, match="do not know all classes"):
        evaluate(light_run, replace(dataset, classes=("green", "red")))


def test_objects_are_numbered_as_the_weights_number_them(dataset, light_run):
    turned = replace(dataset, classes=("red", "blue"), annotations=[
        replace(one, labels=1 - one.labels) for one in dataset.annotations
    ])  # fmt: skip
    assert evaluate(light_run, turned).to_dict() == evaluate(light_run, dataset).to_dict()


def test_the_selection_limits_what_is_scored(dataset, light_run):
    report = evaluate(light_run, dataset, selection=Selection(top_k=3))
    assert np.bincount(report.detections.image_index).max() == 3
