"""Cases beside the known ones: found by trying what people might have, where the result was wrong in silence."""

import json
import os

import numpy as np
import pytest

from data.cases.made import LINE, obj, picture, text, voc, xml, yolo
from ssd300.data import load_dataset
from ssd300.data.recognition import open_data
from ssd300.errors import DataError

YAML = "train: images/train\nnames: [car, van]\n"


def coco(path, names, boxes=((20, 20, 60, 50),), category="car", size=(120, 90), **more):
    """A COCO file of images of these names, each with an object per box."""
    images = [{"id": n, "file_name": name, "width": size[0], "height": size[1]} for n, name in enumerate(names)]
    entries = [{"image_id": n, "category_id": 1, "bbox": list(box), **more} for n in range(len(names)) for box in boxes]
    rows = [entry | {"id": number} for number, entry in enumerate(entries)]
    content = {"images": images, "annotations": rows, "categories": [{"id": 1, "name": category}]}
    return text(path, json.dumps(content))


def test_images_of_one_name_in_the_folders_of_two_splits_are_two_images(tmp_path):
    for split, count in (("train", 2), ("valid", 3)):
        for number in range(count):
            picture(tmp_path / split / f"x{number}.jpg")
        coco(tmp_path / split / "_annotations.coco.json", [f"x{number}.jpg" for number in range(count)])
    choices, notes = open_data([tmp_path], "auto").every()
    assert ([choice.name for choice in choices], notes) == (["train", "valid"], [])


def test_other_annotations_of_the_same_images_are_no_part_and_are_joined_where_both_are_named(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        picture(tmp_path / "images" / name)
    files = [
        coco(tmp_path / f"annotations/{kind}.json", ["a.jpg", "b.jpg"], [box], kind)
        for kind, box in (("cars", (20, 20, 60, 50)), ("people", (5, 5, 20, 20)))
    ]
    assert len(open_data([tmp_path], "auto").every()[0]) == 2
    joined = load_dataset(*files)
    assert (joined.classes, [len(one) for one in joined.annotations]) == (("cars", "people"), [2, 2])
    assert any("2 images are listed by two entries" in note for note in joined.notes)


def test_a_blank_line_among_classes_is_an_error_as_it_shifts_the_numbers(tmp_path):
    picture(tmp_path / "images/a.jpg")
    text(tmp_path / "labels/a.txt", "1 .5 .5 .2 .2\n")
    text(tmp_path / "classes.txt", "car\n\nvan\n")
    with pytest.raises(DataError, match=r"classes\.txt:2: the line is empty"):
        load_dataset(tmp_path)


def test_a_mask_of_another_size_than_its_image_is_a_fault(tmp_path):
    picture(tmp_path / "a.jpg")
    mask = {"size": [45, 60], "counts": [100, 20, 2580]}
    file = coco(tmp_path / "train.json", ["a.jpg"], [()], segmentation=mask)
    with pytest.raises(DataError, match=r"the mask is for .* pixels"):
        load_dataset(file)


def test_a_pose_without_its_shape_is_no_polygon(tmp_path):
    yolo(tmp_path, {"images/train": 1}, YAML, "0 .5 .5 .2 .2 .45 .45 1 .55 .55 1\n")
    with pytest.raises(DataError, match="seems to be a pose"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("polygon", [".5 .1 .3 .2 .2 .6 0 .5", ".5 .1 .3 .2 .2 .6 0 .5 .1 0", "0 0 1 0 1 1 0 1"])
def test_a_polygon_that_was_cut_at_the_border_is_no_pose(tmp_path, polygon):
    yolo(tmp_path, {"images/train": 1}, YAML, f"0 {polygon}\n")
    corners = np.array(polygon.split(), dtype=float).reshape(-1, 2) * (120, 90)
    ((box,),) = (one.boxes_px for one in load_dataset(tmp_path).annotations)
    np.testing.assert_allclose(box, [*corners.min(axis=0), *corners.max(axis=0)])


@pytest.mark.parametrize(
    "content",
    [
        "<objet><nom>car</nom><boite><xmin>21</xmin></boite></objet>",
        "<image><box label='car' xtl='20'/></image>",
        "<shapes><shape/></shapes>",
    ],
)
def test_a_foreign_annotation_is_no_background(tmp_path, content):
    voc(tmp_path, ["a", "b"], {"train": ["a", "b"]})
    xml(tmp_path / "Annotations/b.xml", content)
    with pytest.raises(DataError, match=r"b\.xml: it has no <object>"):
        load_dataset(tmp_path)


@pytest.mark.parametrize("names", ["names: [car, van]\nnames: [van, car]\n", "names:\n  0: car\n  1: van\n  1: bus\n"])
def test_a_key_that_is_there_twice_is_an_error(tmp_path, names):
    yolo(tmp_path, {"images/train": 1}, f"train: images/train\n{names}")
    with pytest.raises(DataError, match="is there twice"):
        load_dataset(tmp_path / "data.yaml")


def test_lists_of_folds_are_splits_and_not_lists_of_classes(tmp_path):
    splits = {f"fold{n}_{part}": ids for n in (0, 1) for part, ids in (("train", "ab"), ("val", "cd"))}
    voc(tmp_path, list("abcd"), splits)
    assert set(open_data([tmp_path], "auto").split_names()) == set(splits)
    with pytest.raises(DataError, match="Name one with --split"):
        load_dataset(tmp_path)


def test_splits_that_differ_in_case_keep_all_their_images_in_yolo(tmp_path, commands):
    voc(tmp_path / "d", list("abcd"), {"Train": ["a", "b"], "train": ["c", "d"]})
    commands.run("convert", tmp_path / "d", tmp_path / "y", "--to", "yolo")
    data = open_data([tmp_path / "y"], "auto")
    assert sum(len(data.read(choice, require_images=True).images) for choice in data.every()[0]) == 4


def test_letters_that_do_not_show_do_not_make_a_class(tmp_path):
    voc(tmp_path, ["a", "b", "c"], {"train": list("abc")}, classes=("lorry", "lorry\u200b", "lorry\ufeff"))
    assert load_dataset(tmp_path).classes == ("lorry",)


def test_an_annotation_finds_its_image_by_the_file_name_in_it_also_without_lists(tmp_path):
    picture(tmp_path / "p1.jpg")
    xml(tmp_path / "0001.xml", filename="p1.jpg")
    (annotation,) = load_dataset(tmp_path).annotations
    assert annotation.image_path == tmp_path / "p1.jpg"


def test_a_missing_image_among_others_is_said_also_where_none_is_read(tmp_path, commands):
    voc(tmp_path / "d", list("abc"), {"train": list("abc")})
    (tmp_path / "d/JPEGImages/b.jpg").unlink()
    assert commands.rules(tmp_path / "d", "--no-pixels") == {"missing-image": 1}
    notes = load_dataset(tmp_path / "d", require_images=False).notes
    assert any(note.startswith("1 of 3 images are missing") for note in notes)


@pytest.mark.parametrize("line", [".", "./", "/"])
def test_a_line_that_names_no_file_is_an_error(tmp_path, line):
    voc(tmp_path / "v", ["a"], {"train": ["a", line]})
    yolo(tmp_path / "y", {"images": 1}, "train: train.txt\nnames: [car]\n")
    text(tmp_path / "y/train.txt", f"images/images0.jpg\n{line}\n")
    for root in ("v", "y"):
        with pytest.raises(DataError):
            load_dataset(tmp_path / root)


def test_names_with_spaces_and_line_ends_are_written_so_that_they_can_be_read(tmp_path, commands):
    names = [" a", "b\u2028c", "d\x85e"]
    for name in names:
        picture(tmp_path / f"d/images/train/{name}.jpg")
        text(tmp_path / f"d/labels/train/{name}.txt", LINE)
    text(tmp_path / "d/data.yaml", YAML)
    commands.run("convert", tmp_path / "d", tmp_path / "v", "--to", "voc")
    assert len(load_dataset(tmp_path / "v")) == len(names)


def test_numbers_that_are_none_are_shown_as_they_are_written(tmp_path):
    voc(tmp_path, ["a"], {"train": ["a"]})
    for written in ("80,5", "8_0", "80px"):
        xml(tmp_path / "Annotations/a.xml", obj(corners=(21, 21, written, 70)))
        with pytest.raises(DataError, match=written):
            load_dataset(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_to_a_folder_above_does_not_multiply_the_images(tmp_path):
    yolo(tmp_path, {"images/train": 2}, YAML)
    (tmp_path / "images/train/loop").symlink_to(tmp_path / "images", target_is_directory=True)
    data = load_dataset(tmp_path)
    assert len(data) == 2
    np.testing.assert_allclose(data.annotations[0].boxes_px, [[20, 20, 80, 70]])


def test_a_class_of_one_split_alone_is_converted(tmp_path, commands):
    for split, category in (("train", "car"), ("val", "van")):
        picture(tmp_path / f"c/images/{split}.jpg")
        coco(tmp_path / f"c/annotations/{split}.json", [f"{split}.jpg"], category=category)
    code, _, _ = commands.run("convert", tmp_path / "c", tmp_path / "v", "--to", "coco")
    assert (code, load_dataset(tmp_path / "v").classes) == (0, ("car", "van"))


def test_settings_as_xml_do_not_make_a_folder_voc(tmp_path):
    yolo(tmp_path, {"images/train": 1}, YAML)
    text(tmp_path / "config.xml", "<config><name>x</name></config>")
    assert load_dataset(tmp_path).classes == ("car", "van")


def test_images_and_annotations_in_folders_of_short_names(tmp_path):
    picture(tmp_path / "img/a.jpg")
    xml(tmp_path / "ann/a.xml")
    assert len(load_dataset(tmp_path)) == 1
