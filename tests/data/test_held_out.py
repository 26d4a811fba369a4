import pytest

from conftest import object_xml, write_voc
from ssd300.data import load_dataset
from ssd300.data.held_out import load_held_out
from ssd300.errors import DataError

GOOD = object_xml("cat", (1, 1, 10, 20))


@pytest.fixture
def data(coloured):
    return load_dataset(coloured)


def test_the_test_split_is_found_with_the_classes_that_are_trained(coloured, data):
    held_out, notes = load_held_out([coloured], data)
    assert (held_out.split, held_out.classes, len(held_out)) == ("test", data.classes, 1)
    assert notes == held_out.notes


def test_data_without_a_held_out_split_gives_none_and_the_reason(coloured, data):
    (coloured / "ImageSets/Main/test.txt").unlink()
    held_out, notes = load_held_out([coloured], data)
    assert held_out is None
    assert notes == ("no held-out images: there is no split to measure on but 'trainval'",)


def test_images_that_are_trained_on_are_left_out_one_by_one(tmp_path):
    root = write_voc(tmp_path / "d", dict.fromkeys("abcd", GOOD), {"train": list("abc"), "val": list("cd")})
    held_out, notes = load_held_out([root], load_dataset(root, require_images=False), require_images=False)
    assert [annotation.image_id for annotation in held_out.annotations] == ["d"]
    assert "1 of 2 images of 'val' are trained on and left out of it: c" in notes
    named, _ = load_held_out([root], load_dataset(root, require_images=False), split="train", require_images=False)
    assert named is None


@pytest.mark.parametrize("test", [[], ["x", "y"]], ids=["empty", "without annotations"])
def test_a_split_that_cannot_be_used_gives_way_to_the_next(tmp_path, test):
    root = write_voc(tmp_path / "d", dict.fromkeys("abc", GOOD), {"train": ["a"], "val": ["b", "c"], "test": test})
    data = load_dataset(root, require_images=False)
    held_out, notes = load_held_out([root], data, require_images=False)
    assert (held_out.split, len(held_out)) == ("val", 2)
    assert any(note.startswith("the held-out split 'test' cannot be used") for note in notes)
    with pytest.raises(DataError, match="'test'"):  # but not where it was asked for
        load_held_out([root], data, split="test", require_images=False)


def test_a_class_that_is_measured_but_not_trained_on_is_noted(tmp_path):
    images = {"a": GOOD, "b": GOOD + object_xml("dog", (1, 1, 9, 9))}
    root = write_voc(tmp_path / "d", images, {"train": ["a"], "test": ["b"]})
    _, notes = load_held_out([root], load_dataset(root, require_images=False), require_images=False)
    assert "held-out classes without an object to train on: dog (1 object)" in notes


def test_only_some_classes_are_held_out_where_only_they_are_trained_on(tmp_path):
    both = GOOD + object_xml("yak", (1, 1, 9, 9))
    root = write_voc(tmp_path / "d", {"a": both, "b": both}, {"train": ["a"], "test": ["b"]})
    data = load_dataset(root, only=["Yak"], require_images=False)
    held_out, notes = load_held_out([root], data, require_images=False)
    assert (data.classes, held_out.classes, held_out.objects_per_class()) == (("yak",), ("yak",), {"yak": 1})
    assert "excluded: 1 object of other classes, by --only" in notes


def test_other_faults_of_the_split_are_errors(coloured, data):
    (coloured / "Annotations/p4.xml").write_text("<annotation>")
    with pytest.raises(DataError, match=r"p4\.xml"):
        load_held_out([coloured], data)


def test_a_file_of_the_same_content_is_the_same_image(coloured, data):
    images = coloured / "JPEGImages"
    (images / "p4.jpg").write_bytes((images / "p0.jpg").read_bytes())
    held_out, notes = load_held_out([coloured], data)
    assert held_out is None
    assert "1 of 1 images of 'test' are trained on and left out of it: p4" in notes


def test_a_val_split_beside_test_is_named_to_choose_on(tmp_path):
    root = write_voc(tmp_path / "d", dict.fromkeys("abc", GOOD), {"train": ["a"], "valid": ["b"], "test": ["c"]})
    _, notes = load_held_out([root], load_dataset(root, require_images=False), require_images=False)
    assert any(note.startswith("not used: the split valid; with --eval-split valid") for note in notes)
