import numpy as np
import pytest

from ssd300.data import load_dataset
from ssd300.detection.detector import Detector
from ssd300.errors import DataError, WeightsError
from ssd300.evaluation.evaluator import CAFFE_TEST, detect_all, with_classes_of
from ssd300.evaluation.label_review import review
from ssd300.evaluation.reviewing import review_labels


def told(one):
    return [case.to_dict() for case in one.cases]


def test_the_review_of_weights_is_that_of_their_detections(coloured, light_run):
    dataset = load_dataset(coloured)
    result = review_labels(light_run, dataset)
    detector = Detector.load(light_run)
    known = with_classes_of(detector, dataset)
    assert known.classes == dataset.classes
    expected = review(known, detect_all(detector, known, CAFFE_TEST).table)
    assert told(result.review) == told(expected)
    assert (result.skipped, result.trained_on_images) == ((), None)
    assert sum(result.review.labels.values()) == 3


def test_thresholds_of_the_call_replace_those_of_the_weights(coloured, light_run):
    low = review_labels(light_run, load_dataset(coloured), min_scores={"red": 1.0}).review
    assert low.min_scores == {"blue": 0.5, "red": 1.0}
    missed = [case.detection for case in low.cases if case.kind == "missed"]
    assert missed
    assert all(one.score >= low.min_scores[one.name] for one in missed)


def test_an_image_that_cannot_be_read_stops_or_is_skipped_with_its_labels(coloured, light_run):
    (coloured / "JPEGImages/p0.jpg").write_bytes(b"no image")
    dataset = load_dataset(coloured)
    with pytest.raises(DataError, match="p0"):
        review_labels(light_run, dataset)
    result = review_labels(light_run, dataset, on_bad_image="skip")
    assert [("p0" in line) for line in result.skipped] == [True]
    assert len(result.review.dataset) == 3
    assert sum(result.review.labels.values()) == 2
    for number in range(4):
        (coloured / f"JPEGImages/p{number}.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match="no image can be read"):
        review_labels(light_run, dataset, on_bad_image="skip")


def test_objects_of_classes_that_the_data_does_not_have_are_not_missed(coloured, light_run):
    both = review_labels(light_run, load_dataset(coloured)).review
    assert {case.class_name for case in both.cases if case.kind == "missed"} == {"red", "blue"}
    red = review_labels(light_run, load_dataset(coloured, only=["red"])).review
    assert {case.class_name for case in red.cases} == {"red"}
    assert list(red.min_scores) == list(red.labels) == ["red"]


def test_a_class_that_the_weights_do_not_know(coloured, light_run):
    path = coloured / "Annotations/p0.xml"
    path.write_text(path.read_text().replace("red", "green"))
    with pytest.raises(WeightsError, match="green"):
        review_labels(light_run, load_dataset(coloured))


def test_the_cases_name_images_by_their_place_among_those_that_were_read(coloured, light_run):
    (coloured / "JPEGImages/p0.jpg").write_bytes(b"no image")
    result = review_labels(light_run, load_dataset(coloured), on_bad_image="skip").review
    for case in result.cases:
        annotation = result.dataset.annotations[case.image_index]
        assert annotation.image_id == case.image_id
        if case.label is not None:
            assert np.array_equal(annotation.boxes_px[case.label.index], case.label.box_px)
