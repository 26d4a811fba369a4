import pytest

from conftest import object_xml, write_voc
from ssd300.data import load_dataset
from ssd300.data.formats.voc_folder import find_image, read_split, voc_roots, voc_splits
from ssd300.errors import DataError

GOOD = object_xml("cat", (1, 1, 10, 20))


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (["a", "a"], "is listed twice"),
        (["../a"], "leads out of the folder"),
        (["/a"], "leads out of the folder"),
        (["missing", "a", "lost"], r"first .*missing\.xml: there is no annotation file for 2 of 3 images"),
        ([], "empty"),
    ],
)
def test_bad_lists(tmp_path, listed, message):
    root = write_voc(tmp_path / "data", {"a": GOOD}, {"trainval": listed})
    with pytest.raises(DataError, match=message):
        load_dataset(root, require_images=False)


@pytest.mark.parametrize("text", ["a\r\nb\r\n\r\n", "a 1\nb -1\n", "\ufeffa\nb"])
def test_lists_as_they_come(tmp_path, text):
    root = write_voc(tmp_path / "data", {"a": GOOD, "b": ""}, {})
    (root / "ImageSets" / "Main" / "train.txt").write_bytes(text.encode())
    assert [a.image_id for a in load_dataset(root, require_images=False).annotations] == ["a", "b"]


@pytest.mark.parametrize("text", ["a 1\na 2\n", "a 1\nb\n", "a b c\n"])
def test_ids_may_hold_spaces(tmp_path, text):
    ids = text.split("\n")[:-1]
    root = write_voc(tmp_path / "data", dict.fromkeys(ids, GOOD), {"trainval": ids})
    assert [a.image_id for a in load_dataset(root, require_images=False).annotations] == ids


def test_roots_and_splits_of_a_kit(tmp_path):
    kit = tmp_path / "VOCdevkit"
    roots = [write_voc(kit / "VOC2007", {"a": GOOD}, {"trainval": ["a"], "train": ["a"], "test": ["a"]}),
             write_voc(kit / "VOC2012", {"a": GOOD}, {"val": ["a"], "cat_val": ["a"]})]  # fmt: skip
    assert voc_roots(tmp_path) == voc_roots(kit) == roots
    assert voc_roots(roots[0] / "JPEGImages") == []
    assert voc_splits([tmp_path]) == ["trainval", "test"]  # train and val are parts of trainval
    assert voc_splits([roots[1]]) == ["val"]
    with pytest.raises(DataError, match=r"no list of the split 'nine'.*Splits here: cat_val, val"):
        read_split(roots[1], "nine")
    (roots[0] / "JPEGImages/a.PNG").touch()
    assert find_image(roots[0], "a") == roots[0] / "JPEGImages/a.PNG"
    assert find_image(roots[1], "a") is None
