import pytest

from conftest import object_xml, write_voc
from ssd300.data import load_dataset
from ssd300.errors import DataError

GOOD = object_xml("cat", (1, 1, 10, 20))


def test_no_val_is_tested_on_beside_a_test_split(tmp_path):
    splits = {"A": {"trainval": ["a"], "test": ["b"]}, "B": {"trainval": ["a", "b"], "val": ["b"]}, "C": {}}
    roots = [write_voc(tmp_path / name, {"a": GOOD, "b": GOOD}, splits[name]) for name in splits]
    tested = load_dataset(*roots, purpose="test", require_images=False)
    assert ([a.image_path.parts[-3] for a in tested.annotations], tested.split) == (["A"], "test")
    assert load_dataset(*roots[1:2], purpose="test", require_images=False).split == "val"
    assert len(load_dataset(*roots, require_images=False)) == 5
    with pytest.raises(DataError, match="there is no split 'nine'"):
        load_dataset(*roots, purpose="test", split="nine", require_images=False)


def test_without_lists_every_image_has_an_annotation(tmp_path):
    root = write_voc(tmp_path / "data", {"a": GOOD}, {})
    for name in ("a.jpg", "b.png", "c.JPG", "notes.txt"):
        (root / "JPEGImages" / name).touch()
    with pytest.raises(DataError, match=r"first .*b\.png: there is no annotation file for 2 image"):
        load_dataset(root)


def test_the_list_decides_which_image_an_annotation_belongs_to(tmp_path):
    names = {"a": "a.jpg", "b": "C:\\b.PNG", "c": "c", "d.e": "d.e", "f": "other.jpg", "g": ""}
    root = write_voc(tmp_path / "data", {i: f"<filename>{n}</filename>{GOOD}" for i, n in names.items()}, {})
    notes = load_dataset(root, require_images=False).notes
    assert [note for note in notes if "another image" in note] == [
        f"1 annotation names another image; the annotation's own name decides; first {root / 'Annotations/f.xml'}"
    ]


def test_joined_folders_have_names_that_tell_them_apart(tmp_path, monkeypatch):
    roots = [write_voc(tmp_path / year / "VOC", {"a": GOOD}, {"trainval": ["a"]}) for year in ("x", "y")]
    joined = load_dataset(*roots, require_images=False)
    assert [a.image_id for a in joined.annotations] == ["x/VOC/a", "y/VOC/a"]
    monkeypatch.chdir(roots[0])
    assert [a.image_id for a in load_dataset(".", "../../y/VOC", require_images=False).annotations] == [
        "x/VOC/a",
        "y/VOC/a",
    ]
    with pytest.raises(DataError, match="named twice"):
        load_dataset(".", roots[0], require_images=False)


@pytest.mark.parametrize(
    ("year", "split", "images", "objects", "countable"),
    [
        ("VOC2007", "trainval", 5011, 15662, 12608),
        ("VOC2007", "test", 4952, 14976, 12032),
        ("VOC2012", "trainval", 11540, 31561, 27450),
    ],
)
@pytest.mark.slow
def test_the_real_years(voc_annotations, year, split, images, objects, countable):
    data = load_dataset(voc_annotations / year, split=split, require_images=False)
    assert len(data) == images
    assert sum(data.objects_per_class().values()) == objects
    assert sum(int((~annotation.difficult).sum()) for annotation in data.annotations) == countable


def test_two_boxes_of_bccd_are_one_pixel_wide_and_kept(bccd):
    data = load_dataset(bccd)
    assert (sum(data.objects_per_class().values()), data.dropped) == (3943, {})
    assert any(note.startswith("2 boxes are one pixel wide or high") for note in data.notes)
