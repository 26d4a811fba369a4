from typing import get_args

import pytest

from conftest import object_xml, write_voc
from data.formats.test_yolo import write
from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.data.choices import FormatName
from ssd300.data.recognition import FORMATS, open_data, recognize
from ssd300.errors import DataError


def test_voc_and_lists_in_one_folder_need_a_format(coloured, tmp_path):
    lists = tmp_path / "lists"
    assert main(["prepare", str(coloured), "--out", str(lists)]) == 0
    for path in lists.glob("*.json"):
        path.rename(coloured / path.name)
    with pytest.raises(
        DataError, match=r"PASCAL VOC \(.*coloured\), pytorch-SSD300's lists \(.*label_map.json\).*--format"
    ):
        load_dataset(coloured)
    assert main(["prepare", str(coloured), "--out", str(coloured.parent / "again")]) == 3
    assert main(["prepare", str(coloured), "--out", str(coloured.parent / "again"), "--format", "voc"]) == 0
    assert len(load_dataset(coloured, format="voc")) == 4
    with pytest.raises(DataError, match="not of the format 'lists'"):
        load_dataset(lists, format="lists")


def test_voc_and_yolo_in_one_folder_need_a_format(tmp_path):
    root = write(tmp_path / "d", {"train/a": "0 .5 .5 .5 .5", "val/c": ""})
    write_voc(root, {"x": object_xml("bird", (1, 1, 20, 20))}, {"trainval": ["x"]})
    with pytest.raises(DataError, match=r"PASCAL VOC .* YOLO .*--format voc or --format yolo"):
        load_dataset(root)
    assert load_dataset(root, format="yolo").classes == ("cat", "dog")
    assert load_dataset(root, format="voc", require_images=False).classes[2] == "bird"
    with pytest.raises(DataError, match="not of the format 'coco'"):
        load_dataset(root, format="coco")
    with pytest.raises(DataError, match="the folder is named twice"):
        load_dataset(root, root, format="yolo")


@pytest.mark.parametrize("make", [False, True])
def test_a_folder_of_no_format_or_none_is_an_error(tmp_path, make):
    if make:
        (tmp_path / "x").mkdir()
    with pytest.raises(DataError, match="no data of a known format" if make else "no such folder"):
        load_dataset(tmp_path / "x")


def test_every_format_has_its_name_on_the_command_line():
    assert get_args(FormatName) == ("auto", *FORMATS)


@pytest.mark.parametrize("format_name", ["coco", "yolo", "voc"])
def test_what_convert_writes_is_recognized(coloured, tmp_path, format_name):
    folder = tmp_path / "new"
    assert main(["convert", str(coloured), str(folder), "--to", format_name]) == 0
    assert recognize(folder, "auto") == format_name
    assert set(open_data([folder], "auto").split_names()) == {"test", "train" if format_name == "yolo" else "trainval"}


def test_no_path_is_an_error():
    with pytest.raises(DataError, match="no data was named"):
        load_dataset()
