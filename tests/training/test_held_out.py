import pytest

from ssd300.data import load_dataset
from ssd300.errors import DataError
from ssd300.training.held_out import find_held_out


def test_the_test_split_is_found_with_the_classes_that_are_trained(coloured, data):
    held_out, notes = find_held_out([coloured], data)
    assert (held_out.split, held_out.classes, len(held_out)) == ("test", data.classes, 1)
    assert notes == held_out.notes


def test_data_without_a_held_out_split_gives_none_and_the_reason(coloured, data):
    (coloured / "ImageSets/Main/test.txt").unlink()
    held_out, notes = find_held_out([coloured], data)
    assert held_out is None
    assert notes[-1].startswith("no evaluation while training: ")


def test_images_that_are_trained_on_are_not_held_out(coloured):
    held_out, notes = find_held_out([coloured], load_dataset(coloured, split="test"))
    assert held_out is None
    assert notes[-1] == "no evaluation while training: some of its images are trained on"


def test_other_faults_of_the_split_are_errors(coloured, data):
    (coloured / "Annotations/p4.xml").write_text("<annotation>")
    with pytest.raises(DataError, match=r"p4\.xml"):
        find_held_out([coloured], data)
