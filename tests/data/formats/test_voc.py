import pytest

from conftest import object_xml, write_voc
from ssd300.data import load_dataset
from ssd300.data.formats.voc import VOC_CLASSES
from ssd300.data.formats.voc_xml import read_xml
from ssd300.errors import DataError

GOOD = object_xml("cat", (1, 1, 10, 20))


def one_image(tmp_path, objects, **kwargs):
    root = write_voc(tmp_path / "data", {"a": objects}, {"trainval": ["a"]})
    return load_dataset(root, require_images=False, **kwargs)


@pytest.mark.parametrize(
    ("corners", "box"),
    [
        ((1, 1, 10, 20), (0, 0, 10, 20)),  # from 1-based and inclusive to 0-based and half-open
        ((1.5, 2.25, 10.5, 20), (0.5, 1.25, 10.5, 20)),  # VOC2012 has two such files
        ((0, 1, 161, 120), (0, 0, 160, 120)),  # one pixel outside is cut
        ((10, 1, 1, 20), "inverted"),
        ((5, 5, 5, 9), "empty"),
        ((1, 1, 170, 20), "reaches out of the image of 160 x 120"),
        (("nan", 1, 10, 20), "not a number"),
        (("x", 1, 10, 20), "not a number"),
        ((None, 1, 10, 20), "missing"),
    ],
)
def test_corners(tmp_path, corners, box):
    objects = GOOD + object_xml("dog", corners)
    if isinstance(box, str):
        with pytest.raises(DataError, match=box) as caught:
            one_image(tmp_path, objects)
        assert "a.xml, object 2 (dog)" in str(caught.value)
        assert "--on-bad-label" in str(caught.value)
        dropped = one_image(tmp_path, objects, on_bad_label="drop-box")
        assert dropped.dropped == {"boxes": 1}
        assert len(dropped.annotations[0]) == 1
    else:
        assert one_image(tmp_path, objects).annotations[0].boxes_px[1].tolist() == list(box)


def test_parts_are_not_objects_and_difficult_is_read(tmp_path):
    part = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>"
    data = one_image(tmp_path, object_xml("person", (1, 1, 9, 9), f"<difficult>1</difficult>{part}"))
    assert data.objects_per_class()["person"] == 1
    assert data.annotations[0].difficult.tolist() == [True]
    assert data.classes == VOC_CLASSES


def test_no_objects_is_normal(tmp_path):
    assert one_image(tmp_path, "").annotations[0].boxes_px.shape == (0, 4)


def test_names_fold_case_and_space_and_unknown_ones_suggest(tmp_path):
    data = one_image(tmp_path, object_xml(" Cat ", (1, 1, 9, 9)), classes=["cat", "dog"])
    assert data.classes == ("cat", "dog")
    assert "' Cat ' as 'cat'" in data.notes[-1]
    with pytest.raises(DataError, match="Did you mean 'cat'"):
        one_image(tmp_path, object_xml("catt", (1, 1, 9, 9)), classes=["cat", "dog"])


def test_own_classes_are_the_same_for_every_split(tmp_path):
    images = {"a": object_xml("nut", (1, 1, 9, 9)), "b": object_xml("bolt", (1, 1, 9, 9))}
    root = write_voc(tmp_path / "own", images, {"train": ["a"], "val": ["b"]})
    train = load_dataset(root, require_images=False)
    assert train.classes == load_dataset(root, require_images=False, purpose="test").classes == ("bolt", "nut")


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


def test_no_val_is_tested_on_beside_a_test_split(tmp_path):
    splits = {"A": {"trainval": ["a"], "test": ["b"]}, "B": {"trainval": ["a", "b"], "val": ["b"]}, "C": {}}
    roots = [write_voc(tmp_path / name, {"a": GOOD, "b": GOOD}, splits[name]) for name in splits]
    tested = load_dataset(*roots, purpose="test", require_images=False)
    assert ([a.image_path.parts[-3] for a in tested.annotations], tested.split) == (["A"], "test")
    assert load_dataset(*roots[1:2], purpose="test", require_images=False).split == "val"
    assert len(load_dataset(*roots, require_images=False)) == 5
    with pytest.raises(DataError, match="no folder has a split to test on \\(nine\\)"):
        load_dataset(*roots, purpose="test", split="nine", require_images=False)


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
        f"1 annotation(s) name another image, first {root / 'Annotations/f.xml'}; their own name decides"
    ]


def test_an_unreadable_annotation_can_cost_its_image_only(tmp_path):
    root = write_voc(tmp_path / "data", {"a": GOOD, "b": GOOD, "c": object_xml("", (1, 1, 2, 2))}, {})
    (root / "Annotations/b.xml").write_text("<annotation>")
    for policy in ("error", "drop-box"):
        with pytest.raises(DataError, match="2 bad label") as caught:
            load_dataset(root, require_images=False, on_bad_label=policy)
        assert "b.xml: this is not readable XML" in str(caught.value)
        assert "c.xml: object 1 has no name" in str(caught.value)
    left = load_dataset(root, require_images=False, on_bad_label="drop-image")
    assert ([a.image_id for a in left.annotations], left.dropped) == (["a"], {"images": 2})


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
    ("data", "ok"),
    [
        ("<annotation/>".encode("utf-16"), True),
        ('<?xml version="1.0" encoding="latin-1"?><annotation><folder>é</folder></annotation>'.encode("latin-1"), True),
        (b"<annotation>", False),
        (b"", False),
        (b"no xml", False),
        (b'<!DOCTYPE a [<!ENTITY e "x">]><annotation>&e;</annotation>', False),
        (b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><annotation>&e;</annotation>', False),
    ],
)
def test_xml_from_strangers(tmp_path, data, ok):
    path = tmp_path / "a.xml"
    path.write_bytes(data)
    if ok:
        assert read_xml(path).objects == ()
    else:
        with pytest.raises(DataError, match=r"a\.xml: this is not readable XML"):
            read_xml(path)


@pytest.mark.parametrize("make", [False, True])
def test_a_folder_that_is_no_voc_folder(tmp_path, make):
    if make:
        (tmp_path / "x").mkdir()
    with pytest.raises(DataError, match="no data of a known format" if make else "no such folder"):
        load_dataset(tmp_path / "x")


def test_a_missing_image_is_named(tmp_path):
    root = write_voc(tmp_path / "data", {"a": GOOD}, {"trainval": ["a"]})
    with pytest.raises(DataError, match=r"a\.xml: 1 image\(s\) are missing"):
        load_dataset(root)


@pytest.mark.parametrize(
    ("year", "split", "images", "objects", "countable"),
    [
        ("VOC2007", "trainval", 5011, 15662, 12608),
        ("VOC2007", "test", 4952, 14976, 12032),
        ("VOC2012", "trainval", 11540, 31561, 27450),
    ],
)
def test_the_real_years(voc_annotations, year, split, images, objects, countable):
    data = load_dataset(voc_annotations / year, split=split, require_images=False)
    assert len(data) == images
    assert sum(data.objects_per_class().values()) == objects
    assert sum(int((~annotation.difficult).sum()) for annotation in data.annotations) == countable


def test_bccd_has_two_empty_boxes(bccd):
    with pytest.raises(DataError, match="2 bad label") as caught:
        load_dataset(bccd)
    assert "BloodImage_00338.xml, object 13" in str(caught.value)
    assert "BloodImage_00343.xml, object 4" in str(caught.value)
