"""What is not read: the error says what was seen, and what to do. The names are those of the documentation's table."""

import json

import pytest

from data.exports.drawn import Folder
from ssd300.data import load_dataset
from ssd300.errors import DataError

UNREAD = {}


def refused(name, *message):
    """The error of a folder, or of what the builder returns, has each part of `message`."""

    def keep(build):
        UNREAD.setdefault(name, []).append((build, message))
        return build

    return keep


@refused("an archive", "it is an archive", r"`unzip .*/d/export\.zip -d .*/d/export`")
def archive(d):
    d.voc_pair("a.jpg", "a.xml", 0)
    d.text("export.zip", "")
    return "export.zip"


@refused("an archive", r"it holds 1 \.zip", r"Unpack it first.*images\.zip")
def archive_in_a_folder(d):
    d.text("images.zip", "")


@refused("an archive", "1 image is missing", "holds no image: .*unpack archives")
def archive_of_images(d):
    d.xml("annotations/a.xml", 0, "a.jpg")
    d.text("images.zip", "")


@refused("images alone", r"it holds 2 \.jpg", "images without annotations", "ssd300 label .*ssd300 detect")
def images(d):
    d.image("x/a.jpg", 0)
    d.image("x/b.jpg", 1)


@refused("images alone", "it is an image", r"`ssd300 detect .*a\.jpg --weights coco`")
def one_image(d):
    d.image("a.jpg", 0)
    return "a.jpg"


@refused("labelme", r"1 \.jpg, 1 \.json", "labelme's", "labelme2coco")
def labelme(d):
    d.image("a.jpg", 0)
    d.text("a.json", json.dumps({"version": "5.0", "shapes": [], "imagePath": "a.jpg"}))


@refused("VGG Image Annotator", "Image Annotator's", "COCO")
def via(d):
    d.image("a.jpg", 0)
    d.text("via_region_data.json", json.dumps({"a.jpg1": {"filename": "a.jpg", "regions": []}}))


@refused("CreateML", "CreateML's", "COCO or PASCAL VOC")
def createml(d):
    d.image("train/a.jpg", 0)
    box = {"label": "cup", "coordinates": {"x": 1, "y": 2, "width": 3, "height": 4}}
    d.text("train/_annotations.createml.json", json.dumps([{"image": "a.jpg", "annotations": [box]}]))


@refused("Label Studio, JSON", "Label Studio's own", "Export as")
def label_studio(d):
    d.text("project-1.json", json.dumps([{"id": 1, "annotations": [], "data": {"image": "a.jpg"}}]))


@refused("COCO results", "COCO results, detections", "--predictions")
def results(d):
    d.text("r.json", json.dumps([{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 1}]))
    return "r.json"


@refused("COCO captions", "captions, without boxes", "instances_")
def captions(d):
    d.text("annotations/captions_val.json", json.dumps({"images": [], "annotations": [{"caption": "a cup"}]}))


@refused("another JSON", "the JSON is not COCO's", "'images', 'annotations' and 'categories'")
def other_json(d):
    d.text("a.json", "{}")
    return "a.json"


@refused("CSV, Parquet, JSON lines", r"1 \.csv", "Tables of boxes are not read: export")
def csv(d):
    d.image("train/data/a.jpg", 0)
    d.text("train/labels/detections.csv", "ImageID,LabelName\n")


@refused("CSV, Parquet, JSON lines", r"1 \.jsonl", "JSON lines are not read: export")
def jsonl(d):
    d.image("train/a.jpg", 0)
    d.text("train/metadata.jsonl", "{}\n")


@refused("TFRecord", r"1 \.record", "TFRecords are not read: export")
def tfrecord(d):
    d.text("train.record", "")


@refused("Roboflow, YOLOv4 PyTorch", "_annotations.txt is not read: export it as COCO")
def yolov4_pytorch(d):
    d.image("train/a.jpg", 0)
    d.text("train/_annotations.txt", "a.jpg 1,2,3,4,0\n")
    d.text("train/_classes.txt", "cup\n")


@refused("CVAT for images", "<annotations>, not <annotation>", "CVAT's own: export it as PASCAL VOC")
def cvat_images(d):
    d.image("images/a.jpg", 0)
    d.text("annotations.xml", "<annotations><image id='0' name='a.jpg'></image></annotations>")


@refused("imglab", "<dataset>, not <annotation>", "imglab")
def imglab(d):
    d.image("a.jpg", 0)
    d.text("a.xml", "<dataset><images></images></dataset>")


@refused("KITTI, DOTA", r"The text files, such as .*000000\.txt, are not YOLO's")
def kitti(d):
    d.image("training/image_2/000000.png", 0)
    d.text("training/label_2/000000.txt", "Car 0.00 0 -1.5 10 20 30 40 1 1 1 1 1 1 1\n")


@refused("KITTI, DOTA", "are not YOLO's, which hold numbers alone")
def dota(d):
    d.image("images/P0.png", 0)
    d.text("labelTxt/P0.txt", "imagesource:x\n1 2 3 4 5 6 7 8 plane 0\n")


@refused("YOLO without classes", "write a data.yaml beside them", "classes.txt")
def yolo_without_classes(d):
    d.yolo_pair("images/train/a.jpg", "labels/train/a.txt", 0)


@refused("labels without images", "no image: name the folder that holds images and labels")
def labels_alone(d):
    d.txt("labels/a.txt", 0)


@refused("labels without images", "There is no image: name the folder")
def label_studio_without_images(d):
    d.txt("labels/a.txt", 0)
    d.text("classes.txt", "cup\nfork\n")
    d.text("notes.json", '{"categories": [{"id": 0, "name": "cup"}]}')


@refused("labels without images", "none of the 1 images of the split 'train' is there", "Put them where")
def cvat_without_images(d):
    d.txt("obj_train_data/a.txt", 0)
    d.lines("obj.data", "names = data/obj.names", "train = data/train.txt")
    d.lines("obj.names", "cup", "fork")
    d.lines("train.txt", "data/obj_train_data/a.jpg")


@refused("labels without images", "1 image is missing", "holds no image: .*name the folder of images")
def voc_without_images(d):
    d.xml("Annotations/a.xml", 0, "a.jpg")
    d.lines("ImageSets/Main/default.txt", "a")


@refused("data in folders below", "Name .*/d/x, which holds PASCAL VOC")
def voc_below(d):
    for other in ("other/b.jpg", "x/other/b.jpg", "x/y/other/b.jpg"):
        d.image(other, 1)
    d.voc_pair("x/y/z/images/a.jpg", "x/y/z/Annotations/a.xml", 0)


@refused("data in folders below", "Name .*/d/x, which holds COCO annotations")
def coco_below(d):
    d.image("other/b.jpg", 1)
    d.coco("x/y/annotations/instances_train.json", {"a.jpg": 0})


@refused("data in folders below", "Name .*/d/x, which holds YOLO")
def yolo_below(d):
    d.image("other/b.jpg", 1)
    d.yolo_pair("x/images/a.jpg", "x/labels/a.txt", 0)
    d.text("x/data.yaml", "train: images\nnames: [cup, fork]\n")


@refused("one part of the data", "Name .*/d, which holds PASCAL VOC")
def images_of_voc(d):
    d.voc_pair("JPEGImages/a.jpg", "Annotations/a.xml", 0)
    return "JPEGImages"


@refused("one part of the data", "1 image is missing", "holds no image: .*name the folder of images")
def annotations_of_voc(d):
    d.voc_pair("JPEGImages/a.jpg", "Annotations/a.xml", 0)
    return "Annotations"


@refused("one part of the data", "Name .*/d, which holds YOLO")
def labels_of_yolo(d):
    d.yolo_pair("images/a.jpg", "labels/a.txt", 0)
    d.text("classes.txt", "cup\nfork\n")
    return "labels"


@refused("one part of the data", "Name .*/d, which holds YOLO")
def split_of_yolo(d):
    d.yolo_pair("train/images/a.jpg", "train/labels/a.txt", 0)
    d.text("data.yaml", "train: ../train/images\nval: ../valid/images\nnames: [cup, fork]\n")
    return "train"


@refused("one part of the data", "it is a single XML file", "Name .*/d, which holds PASCAL VOC")
def one_xml_of_a_folder(d):
    d.voc_pair("JPEGImages/a.jpg", "Annotations/a.xml", 0)
    return "Annotations/a.xml"


@refused("one part of the data", "it is a single XML file", "Name .*/d, which holds PASCAL VOC")
def one_xml(d):
    d.voc_pair("a.jpg", "a.xml", 0)
    return "a.xml"


@refused("images alone", "images without annotations")
def images_beside_data_of_others(d):
    d.voc_pair("cells/JPEGImages/a.jpg", "cells/Annotations/a.xml", 0)
    d.image("photos/a.jpg", 1)
    return "photos"


@refused("images alone", "images without annotations")
def images_beside_labels_of_others(d):
    d.voc_pair("JPEGImages/a.jpg", "Annotations/a.xml", 0)
    d.image("photos/b.jpg", 1)
    return "photos"


@refused("images alone", "images without annotations")
def images_above_a_small_dataset(d):
    for name in "bcd":
        d.image(f"{name}.jpg", 1)
    voc_below(d)


@refused("images alone", r"it holds 1 \.jpg", "images without annotations")
def images_and_a_virtual_environment(d):
    d.image("a.jpg", 1)
    d.text("env/pyvenv.cfg", "home = /usr/bin\n")
    for place in ("env/lib", "web/node_modules", ".cache", "lib/site-packages"):
        d.voc_pair(f"{place}/JPEGImages/a.jpg", f"{place}/Annotations/a.xml", 0)


@refused("one part of the data", "Name .*/d, which holds YOLO")
def split_of_images_of_yolo(d):
    d.yolo_pair("images/train/a.jpg", "labels/train/a.txt", 0)
    d.text("data.yaml", "train: images/train\nnames: [cup, fork]\n")
    return "images/train"


@refused("several descriptions of YOLO", "2 descriptions: a.yaml, b.yaml", "Name one of them")
def two_descriptions(d):
    d.yolo_pair("images/a.jpg", "labels/a.txt", 0)
    d.text("a.yaml", "train: images\nnames: [cup, fork]\n")
    d.text("b.yaml", "train: images\nnames: [fork, cup]\n")


@refused("lists of classes that differ", "two lists of classes differ", "Remove the wrong one")
def two_lists_of_classes(d):
    for split, names in {"train": "cup\nfork\n", "val": "fork\ncup\n"}.items():
        d.yolo_pair(f"{split}/a.jpg", f"{split}/a.txt", 0)
        d.text(f"{split}/classes.txt", names)


@refused("an empty folder", "the folder is empty", "Name a folder of PASCAL VOC")
def empty(d):
    d.root.mkdir(exist_ok=True)


CASES = [case for cases in UNREAD.values() for case in cases]


@pytest.mark.parametrize(("build", "message"), CASES, ids=[build.__name__ for build, _ in CASES])
def test_says_what_was_seen_and_what_to_do(build, message, tmp_path):
    (tmp_path / "d").mkdir()
    path = tmp_path / "d" / (build(Folder(tmp_path / "d")) or "")
    with pytest.raises(DataError, match="(?s)" + ".*".join(message)) as error:
        load_dataset(path)
    assert str(path) in str(error.value)
    assert error.value.fix


@pytest.mark.parametrize("typed", [".", "../JPEGImages", "../../d/JPEGImages", "..", "a.jpg"])
def test_the_folder_above_has_a_name_that_can_be_read(tmp_path, monkeypatch, typed):
    root = Folder(tmp_path / "d")
    root.voc_pair("JPEGImages/a.jpg", "Annotations/a.xml", 0)
    monkeypatch.chdir(tmp_path / "d/JPEGImages")
    if typed == "..":
        assert load_dataset(typed).classes
        return
    with pytest.raises(DataError) as error:
        load_dataset(typed)
    assert error.value.fix == f"Name {tmp_path / 'd'}, which holds PASCAL VOC."
