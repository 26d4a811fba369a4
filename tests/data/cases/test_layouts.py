"""Folders, names and files as tools and people have them. The numbers are those of the cases that users had."""

import json
import shutil
import unicodedata

import numpy as np
import pytest

from data.cases.made import BOX, LINE, boxes, coco, obj, picture, text, voc, xml, yolo
from ssd300.data import load_dataset
from ssd300.errors import DataError

HASH = "_jpg.rf.376be08df50f4850e6fd70f287a649cc"


@pytest.fixture
def roboflow_voc(tmp_path):
    """Images and XML side by side; Roboflow writes xmin, xmax, ymin, ymax."""
    for split, count in (("train", 4), ("valid", 2), ("test", 2)):
        for number in range(count):
            name = f"d/{split}/{split}{number}{HASH}"
            picture(tmp_path / f"{name}.jpg")
            box = "<bndbox><xmin>21</xmin><xmax>80</xmax><ymin>21</ymin><ymax>70</ymax></bndbox>"
            xml(tmp_path / f"{name}.xml", f"<object><name>Bicycle</name><occluded>0</occluded>{box}</object>")
    text(tmp_path / "d/README.roboflow.txt", "export")
    return tmp_path / "d"


def test_xml_beside_images_in_a_folder_for_each_split(roboflow_voc, tmp_path, commands, would_train):
    """Case 01: Roboflow's PASCAL VOC download."""
    code, report = commands.check(roboflow_voc)
    assert (code, report["problems"]) == (0, [])
    assert report["classes"] == {"Bicycle": {"train": 4, "valid": 2, "test": 2}}
    assert report["files"] == {"used": 16, "reported": 0, "others": 1}
    run = would_train(roboflow_voc)
    assert boxes(run.train) == {f"train{number}{HASH}": [BOX] for number in range(4)}
    assert (run.held_out.split, len(run.held_out)) == ("test", 2)
    code, out, _ = commands.run("convert", roboflow_voc, tmp_path / "o", "--to", "voc")
    assert out.splitlines()[:3] == [
        "train: 4 images, 4 objects",
        "valid: 2 images, 2 objects",
        "test: 2 images, 2 objects",
    ]
    assert boxes(load_dataset(tmp_path / "o")) == boxes(run.train)


def test_one_folder_of_xml_beside_images(roboflow_voc):
    """Case 01: as labelImg leaves it."""
    dataset = load_dataset(roboflow_voc / "train")
    assert (dataset.split, len(dataset), dataset.classes) == ("all", 4, ("Bicycle",))


@pytest.mark.parametrize("labels", ["annotations", "Annotations", "annots", "labels", "xmls"])
@pytest.mark.parametrize("images", ["images", "JPEGImages", "img"])
def test_folders_of_annotations_and_images_have_any_usual_name(tmp_path, labels, images):
    """Case 05: Kaggle's annotations and images."""
    for number in range(2):
        picture(tmp_path / f"d/{images}/road{number}.png")
        xml(tmp_path / f"d/{labels}/road{number}.xml", obj("stop"))
    dataset = load_dataset(tmp_path / "d")
    assert (boxes(dataset), dataset.classes) == ({"road0": [BOX], "road1": [BOX]}, ("stop",))


@pytest.mark.parametrize("top", ["ab", ""], ids=["some above", "all below"])
def test_annotations_in_subfolders_are_read(tmp_path, commands, would_train, top):
    """Case 35: without a list, those below the folder too."""
    ids = [*top, *(f"sub/{name}" for name in "cdef")]
    root = voc(tmp_path / "d", ids)
    code, report = commands.check(root)
    assert (code, report["images"], report["problems"]) == (0, len(ids), [])
    assert report["files"] == {"used": 2 * len(ids), "reported": 0, "others": 0}
    assert len(would_train(root).train) == len(ids)


def test_images_of_one_name_in_two_folders_are_two(tmp_path, commands):
    """Cases 02 and 35."""
    root = voc(tmp_path / "d", ["one/a", "two/a"])
    xml(root / "Annotations/two/a.xml", obj(corners=(1, 1, 10, 10)))
    assert boxes(load_dataset(root)) == {"one/a": [BOX], "two/a": [(0, 0, 10, 10)]}
    for form in ("voc", "coco", "yolo"):
        assert commands.run("convert", root, tmp_path / form, "--to", form)[0] == 0
        found = sorted(box[0] for box in boxes(load_dataset(tmp_path / form)).values())
        assert np.array(found) == pytest.approx(np.array([(0, 0, 10, 10), BOX]))


@pytest.mark.parametrize("name", ["a.JPG", "b.JPEG", "c.Jpg", "d.bmp", "e.tif", "f.webp", "g.jfif", "cap.2020.01.jpg",
                         "h.jpg.png", "i.PNG", "j.GIF"])  # fmt: skip
def test_images_of_every_ending_are_found(tmp_path, commands, name):
    """Case 38."""
    plain = {"jfif": "jpg"}.get(name.rsplit(".", 1)[1], name.rsplit(".", 1)[1].lower())
    drawn = picture(tmp_path / f"drawn.{plain}")
    root = tmp_path / "d"
    stem = name.rsplit(".", 1)[0]
    xml(root / f"Annotations/{stem}.xml", filename=name)
    (root / "JPEGImages").mkdir()
    shutil.move(drawn, root / "JPEGImages" / name)
    assert boxes(load_dataset(root)) == {stem: [BOX]}  # without a list
    text(root / "ImageSets/Main/train.txt", f"{stem}\n")
    assert boxes(load_dataset(root)) == {stem: [BOX]}
    assert commands.rules(root) == {}


@pytest.mark.parametrize(
    ("ids", "listed"),
    [(["img 0", "img 1"], ["img 0", "img 1"]), (["img 0", "img"], ["img 0"]), (["a 1", "b -1"], ["b -1"])],
)
def test_an_id_with_a_space_and_a_number_is_no_flag(tmp_path, commands, ids, listed):
    """Case 39."""
    root = voc(tmp_path / "d", ids, {"train": listed})
    assert list(boxes(load_dataset(root))) == listed
    rest = len(ids) - len(listed)
    assert commands.rules(root) == ({"unlisted-image": rest, "unlisted-annotation": rest} if rest else {})


def test_flags_of_a_class_are_no_part_of_an_id(tmp_path):
    """Case 39, the other way: VOC's car_train.txt."""
    root = voc(tmp_path / "d", "abc")
    text(root / "ImageSets/Main/car_train.txt", "a  1\nb -1\n")
    text(root / "ImageSets/Main/car_val.txt", "c  0\n")
    assert list(boxes(load_dataset(root))) == ["a", "b"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lists_of_windows_are_read(tmp_path, encoding):
    """Case 18."""
    root = voc(tmp_path / "d", ["猫一", "猫二"], classes=("猫",))
    text(root / "ImageSets/Main/train.txt", "猫一\r\n猫二\r\n", encoding)
    dataset = load_dataset(root)
    assert (boxes(dataset), dataset.classes) == ({"猫一": [BOX], "猫二": [BOX]}, ("猫",))
    places = yolo(tmp_path / "y", {"images/train": 2}, "")
    text(places / "train.txt", "images/train/images_train0.jpg\r\nimages/train/images_train1.jpg\r\n", encoding)
    text(places / "data.yaml", "train: train.txt\nnames: ['猫']\n", encoding)
    text(places / "labels/train/images_train1.txt", LINE, encoding)
    dataset = load_dataset(places)
    assert (len(dataset), [len(one) for one in dataset.annotations], dataset.classes) == (2, [1, 1], ("猫",))


GBK = {
    "list": lambda root: text(root / "ImageSets/Main/train.txt", "猫一\r\n猫二\r\n", "gbk"),
    "yaml": lambda root: text(root / "data.yaml", "train: images\nnames: ['公交车']\n", "gbk"),
    "classes": lambda root: text(root / "classes.txt", "公交车\n", "gbk"),
}


@pytest.mark.parametrize("write", GBK.values(), ids=GBK)
def test_text_of_another_encoding_is_refused_with_file_and_line(tmp_path, commands, write):
    """Case 18: it cannot be guessed, so nothing is."""
    if write is GBK["list"]:
        root = voc(tmp_path / "d", ["猫一", "猫二"], classes=("cat",))
    else:
        picture(tmp_path / "d/images/a.jpg")
        root = text(tmp_path / "d/labels/a.txt", LINE).parent.parent
    file = write(root)
    code, _, err = commands.run("check", root)
    assert code == 3
    assert "the file is not UTF-8 text, perhaps GBK" in err
    assert f"{file}:" in err
    assert "iconv -f GBK -t UTF-8" in err


def test_an_xml_file_of_another_encoding_is_a_fault_of_its_image(tmp_path, commands):
    """Case 18: GBK without a declaration; with one it is read."""
    root = voc(tmp_path / "d", "ab", {"train": "ab"}, classes=("公交车",))
    plain = (root / "Annotations/a.xml").read_text(encoding="utf-8")
    text(root / "Annotations/a.xml", plain, "gbk")
    assert commands.rules(root) == {"annotation": 1}
    text(root / "Annotations/a.xml", f"<?xml version='1.0' encoding='gbk'?>{plain}", "gbk")
    assert load_dataset(root).objects_per_class() == {"公交车": 2}


def test_names_are_compared_in_one_form_of_unicode(tmp_path):
    """Case 19, between systems: a list in NFC, files in NFD."""
    composed, split = (unicodedata.normalize(form, "décran") for form in ("NFC", "NFD"))
    root = voc(tmp_path / "d", [split])
    text(root / "ImageSets/Main/train.txt", f"{composed}\n")
    assert len(load_dataset(root)) == 1
    other = yolo(tmp_path / "y", {"images/train": 1}, "train: images/train\nnames: [car]\n")
    picture(other / f"images/train/{composed}.jpg")
    text(other / f"labels/train/{split}.txt", LINE)
    assert [len(one) for one in load_dataset(other).annotations] == [1, 1]


def test_two_images_of_one_stem_are_ambiguous(tmp_path, commands):
    """Case 38: a.jpg and a.png, and one annotation."""
    root = voc(tmp_path / "d", "ab", {"train": "ab"})
    picture(root / "JPEGImages/a.png")
    with pytest.raises(DataError, match=r"may belong to a\.jpg or a\.png"):
        load_dataset(root)
    xml(root / "Annotations/a.xml", filename="a.png")
    dataset = load_dataset(root)
    assert [one.image_path.name for one in dataset.annotations] == ["a.png", "b.jpg"]
    assert commands.rules(root) == {"image-without-annotation": 1}


@pytest.mark.parametrize(
    "written",
    ["C:\\data\\images\\a.jpg", "/home/x/images/a.jpg", "../images/a.jpg", "https://x.org/a.jpg", "images\\a.jpg"],
)
def test_file_names_of_another_computer_are_found_and_give_plain_ids(tmp_path, commands, written):
    """Case 35, in COCO."""
    coco(tmp_path / "c/annotations/instances_train.json", [(20, 20, 60, 50)], image=written)
    picture(tmp_path / "c/images/a.jpg")
    assert boxes(load_dataset(tmp_path / "c")) == {"a": [BOX]}
    assert commands.run("convert", tmp_path / "c", tmp_path / "o", "--to", "coco")[0] == 0
    assert boxes(load_dataset(tmp_path / "o")) == {"a": [BOX]}


@pytest.mark.parametrize("written", ["two/a", "two/a.jpg", "JPEGImages/two/a.png", "D:\\data\\two\\a.jpg"])
def test_predictions_find_one_of_two_images_of_one_name(tmp_path, commands, written):
    """Case 35, with eval --predictions."""
    root = voc(tmp_path / "d", ["one/a", "two/a"])
    xml(root / "Annotations/one/a.xml", "")
    box = dict(zip(("xmin", "ymin", "xmax", "ymax"), BOX, strict=True))
    for image, code in ((written, 0), ("x/a.jpg", 3)):
        row = {"image": image, "detections": [{"label": "car", "score": 0.9, "box": box}], "width": 120, "height": 90}
        text(tmp_path / "detections.jsonl", json.dumps(row) + "\n")
        found, out, _ = commands.run("eval", root, "--predictions", tmp_path / "detections.jsonl", "--json")
        assert found == code
        assert code or json.loads(out)["map"] == 1.0
