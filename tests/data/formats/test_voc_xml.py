import numpy as np
import pytest

from conftest import object_xml, write_voc
from ssd300.data import load_dataset
from ssd300.data.formats.voc import VOC_CLASSES
from ssd300.data.formats.voc_xml import read_xml, to_xml
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
        ((5, 5, 5, 9), (4, 4, 5, 9)),  # one pixel wide
        ((5, 5, 4.5, 9), (4, 4, 4.5, 9)),  # half a pixel, as `to_xml` writes it
        ((5, 5, 4, 9), "empty"),
        ((0, 0, 0, 9), "lies outside"),
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
        assert (read_xml(path).objects, read_xml(path).fault) == ((), None)
    else:
        fault = read_xml(path).fault
        assert fault is not None
        assert "this is not readable XML" in fault.message


@pytest.mark.slow
def test_fractions_in_the_two_files_of_voc2012_are_read(voc_annotations):
    for name in ("2011_003353", "2011_006777"):  # they stand in no list of objects, and crash pytorch-SSD300's parser
        boxes = [item.box_px for item in read_xml(voc_annotations / f"VOC2012/Annotations/{name}.xml").objects]
        assert any(value != int(value) for box in boxes for value in box)


def test_what_is_written_is_read_back(tmp_path):
    random = np.random.default_rng(0)
    low = random.uniform(0, 80, (5, 2))
    boxes = [[0.0, 0.0, 160.0, 120.0], *np.concatenate([low, low + random.uniform(1, 40, (5, 2))], axis=1).tolist()]
    objects = [(f"a < b & c {n}", box, n % 2 == 0, n == 4) for n, box in enumerate(boxes)]
    path = tmp_path / "a&b.xml"
    path.write_text(to_xml("a&b.jpg", (120, 160), objects))
    file = read_xml(path)
    assert (file.size_hw, file.image, file.fault) == ((120, 160), "a&b.jpg", None)
    assert [item.name for item in file.objects] == [name for name, *_ in objects]
    np.testing.assert_allclose([item.box_px for item in file.objects], boxes, rtol=0, atol=1e-12)
    assert [item.difficult for item in file.objects] == [True, False, True, False, True, False]
    assert [item.crowd for item in file.objects] == [False] * 4 + [True, False]
    assert "<xmin>1</xmin><ymin>1</ymin><xmax>160</xmax><ymax>120</ymax>" in path.read_text()
