import numpy as np
import pytest

from conftest import object_xml, write_voc
from ssd300.data import load_dataset
from ssd300.errors import DataError

GOOD = object_xml("cat", (1, 1, 10, 20))


def test_own_classes_are_the_same_for_every_split(tmp_path):
    images = {"a": object_xml("nut", (1, 1, 9, 9)), "b": object_xml("bolt", (1, 1, 9, 9))}
    root = write_voc(tmp_path / "own", images, {"train": ["a"], "val": ["b"]})
    train = load_dataset(root, require_images=False)
    assert train.classes == load_dataset(root, require_images=False, purpose="test").classes == ("bolt", "nut")


def test_a_missing_image_is_named(tmp_path):
    root = write_voc(tmp_path / "data", {"a": GOOD}, {"trainval": ["a"]})
    with pytest.raises(DataError, match=r"a\.xml: 1 image is missing"):
        load_dataset(root)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["red", "blue", "red"], "'red' is listed twice"),
        ([], "the class list is empty"),
        (["red"], "the class 'blue' of 2 objects is not one of red"),
    ],
)
def test_a_class_list_that_does_not_fit_is_refused(coloured, classes, message):
    with pytest.raises(DataError, match=message):
        load_dataset(coloured, classes=classes)


def test_the_order_of_a_class_list_decides_the_labels(coloured):
    usual, other = load_dataset(coloured), load_dataset(coloured, classes=["red", "green", "blue"])
    assert (usual.classes, other.classes) == (("blue", "red"), ("red", "green", "blue"))
    for one, two in zip(usual.annotations, other.annotations, strict=True):
        assert [usual.classes[label] for label in one.labels] == [other.classes[label] for label in two.labels]


def test_the_purpose_chooses_the_split_unless_one_is_named(coloured):
    assert load_dataset(coloured).split == "trainval"
    assert load_dataset(coloured, purpose="test").split == "test"
    assert load_dataset(coloured, split="test").split == "test"


def test_an_image_without_objects_has_arrays_without_rows(coloured):
    (bare,) = [one for one in load_dataset(coloured).annotations if len(one) == 0]
    assert np.shape(bare.boxes_px) == (0, 4)
    assert bare.labels.dtype == np.int64
    assert bare.difficult.dtype == bare.crowd.dtype == bool


def test_every_image_dropped_is_an_error(tmp_path):
    bad = object_xml("cat", (10, 1, 1, 20))
    root = write_voc(tmp_path / "data", {"a": bad}, {"train": ["a"]})
    with pytest.raises(DataError, match="no image is left"):
        load_dataset(root, on_bad_label="drop-image", require_images=False)
