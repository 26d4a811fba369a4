import pytest

from conftest import object_xml, write_voc
from ssd300.data import load_dataset
from ssd300.data.formats.voc_folder import VocFolder, voc_roots
from ssd300.data.recognition import open_data
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
    assert [VocFolder(root).splits for root in roots] == [["trainval", "train", "test"], ["val"]]
    assert len(load_dataset(roots[1], split="cat_val", require_images=False)) == 1
    with pytest.raises(DataError, match=r"no split 'nine'.*Splits here: val"):
        load_dataset(roots[1], split="nine", require_images=False)
    (roots[0] / "JPEGImages/a.PNG").touch()
    assert VocFolder(roots[0]).images.find("a") == [roots[0] / "JPEGImages/a.PNG"]
    assert VocFolder(roots[1]).images.find("a") == []


def test_a_split_whose_images_are_all_in_another_one_is_part_of_it(tmp_path):
    splits = {"trainval": ["a", "b"], "train": ["a"], "val": ["c"], "test": ["d"]}
    root = write_voc(tmp_path / "d", dict.fromkeys("abcd", GOOD), splits)
    choices, notes = open_data([root], "auto").every()
    assert [choice.name for choice in choices] == ["trainval", "val", "test"]
    assert notes == ["the split 'train' is part of 'trainval'"]
