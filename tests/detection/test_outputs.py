"""Every form that detection writes is read back as what was found."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.data.predictions.read import read_predictions
from ssd300.detection.outputs import save_image
from ssd300.detection.results import Result
from ssd300.detection.sources import find_sources
from ssd300.errors import SSDError

FORMS = ("image", "jsonl", "json", "csv", "coco", "yolo", "voc", "comp4", "crops")


@pytest.fixture
def written(coloured, light_run, tmp_path):
    out = tmp_path / "out"
    images = [str(coloured / f"JPEGImages/p{number}.jpg") for number in (3, 4)]
    words = ["detect", *images, "-w", str(light_run), "--out", str(out), "--min-score", "0.6", "--top-k", "5"]
    assert main([*words, "--save", *FORMS]) == 0
    return out


def rows_of(table):
    order = np.lexsort((table.boxes_px[:, 0], -table.scores, table.image_index))
    return np.column_stack([table.image_index, table.labels, table.scores, table.boxes_px])[order]


@pytest.mark.parametrize("form", ["yolo", "voc", "comp4", "coco.json", "detections.json"])
def test_what_is_written_is_read_back(form, written, coloured):
    annotations = [
        one for split in ("trainval", "test") for one in load_dataset(coloured, split=split).annotations
        if one.image_id in ("p3", "p4")
    ]  # fmt: skip
    wanted = read_predictions(written / "detections.jsonl", annotations, ("blue", "red")).table
    assert len(wanted) == 10
    got = read_predictions(written / form, annotations, ("blue", "red")).table
    np.testing.assert_allclose(rows_of(got), rows_of(wanted), atol=1e-4)


def test_forms_of_all_images_together(written):
    rows = [json.loads(line) for line in (written / "detections.jsonl").read_text().splitlines()]
    assert json.loads((written / "detections.json").read_text()) == {"classes": ["blue", "red"], "images": rows}
    table = list(csv.DictReader((written / "detections.csv").read_text().splitlines()))
    assert [float(row["score"]) for row in table] == [one["score"] for row in rows for one in row["detections"]]
    coco = json.loads((written / "coco.json").read_text())
    assert [image["width"] for image in coco["images"]] == [160, 160]
    assert {one["category_id"] for one in coco["annotations"]} <= {1, 2}
    assert len(coco["annotations"]) == len(table)
    left, top, width, height = coco["annotations"][0]["bbox"]
    box = rows[0]["detections"][0]["box"]
    assert (left + width, top + height) == pytest.approx((box["xmax"], box["ymax"]))


def test_images_and_crops(written):
    assert (written / "p3.jpg").is_file()
    crops = sorted((written / "crops").rglob("*.jpg"))
    assert len(crops) == 10
    rows = [json.loads(line) for line in (written / "detections.jsonl").read_text().splitlines()]
    for number, one in enumerate(rows[0]["detections"], start=1):
        with Image.open(written / "crops" / one["label"] / f"p3_{number}.jpg") as crop:
            assert crop.width == pytest.approx(one["box"]["xmax"] - one["box"]["xmin"], abs=2)


def test_only_what_was_asked_for(coloured, light_run, tmp_path):
    out = tmp_path / "out"
    image = str(coloured / "JPEGImages/p3.jpg")
    assert main(["detect", image, "-w", str(light_run), "--out", str(out), "--save", "csv"]) == 0
    assert [path.name for path in out.iterdir()] == ["detections.csv"]


def test_a_result_in_other_forms():
    result = Result(
        boxes=np.array([[1.0, 2.0, 5.0, 9.0]], np.float32), scores=np.array([0.5], np.float32), labels=np.array([1]),
        classes=("a", "b & c"), image="some/dog.jpg", pixels=np.zeros((10, 20, 3), np.uint8),
    )  # fmt: skip
    assert result.to_coco() == [{"image_id": "dog", "category_id": 2, "bbox": [1.0, 2.0, 4.0, 7.0], "score": 0.5}]
    assert result.to_coco(7)[0]["image_id"] == 7
    xml = result.to_voc_xml()
    assert "<name>b &amp; c</name>" in xml
    assert "<xmin>2</xmin><ymin>3</ymin><xmax>5</xmax><ymax>9</ymax>" in xml  # VOC counts from 1, both ends included
    assert "<score>0.5</score>" in xml
    empty = result.select([False])
    assert (empty.to_coco(), "<object>" in empty.to_voc_xml()) == ([], False)


def test_a_broken_image_is_skipped_told_and_counted(coloured, light_run, tmp_path, capsys):
    folder, out = coloured / "JPEGImages", tmp_path / "out"
    (folder / "p1.jpg").write_bytes(b"no image")
    words = ["detect", str(folder), "-w", str(light_run), "--out", str(out)]
    assert main([*words, "--json"]) == 3
    printed = capsys.readouterr()
    assert json.loads(printed.out)["skipped"] == [str(folder / "p1.jpg")]
    assert "1 of 5 images could not be read; the others are done" in printed.err
    assert sorted(path.name for path in out.glob("*.jpg")) == ["p0.jpg", "p2.jpg", "p3.jpg", "p4.jpg"]
    rows = [json.loads(line) for line in (out / "detections.jsonl").read_text().splitlines()]
    assert [row["image"] for row in rows] == [str(folder / f"p{n}.jpg") for n in (0, 2, 3, 4)]


def test_nothing_is_written_where_nothing_can_be_read(coloured, light_run, tmp_path):
    bad = coloured / "bad.jpg"
    bad.write_bytes(b"")
    out = tmp_path / "out"
    assert main(["detect", str(bad), "-w", str(light_run), "--out", str(out)]) == 3
    assert not out.exists()


def test_sources(coloured, tmp_path, monkeypatch):
    folder = coloured / "JPEGImages"
    every = sorted(folder.iterdir())
    (tmp_path / "list.txt").write_text(f"\n{every[2]}\n coloured/JPEGImages/p4.jpg \n")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{every[0]}\n\n{every[1]}\n"))
    assert find_sources([str(folder)]) == every
    assert find_sources([str(folder / "p[34].jpg")]) == every[3:]
    assert find_sources([str(tmp_path / "list.txt"), str(every[0])]) == [every[2], every[4], every[0]]
    assert find_sources(["-"]) == every[:2]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([], "no image was named"),
        (["none.jpg"], "no such image"),
        (["*.nothing"], "no image matches"),
        (["empty.txt"], "no path is listed"),
        (["folder"], "no images"),
    ],
)
def test_sources_that_name_nothing(sources, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SSDError, match=message):
        find_sources(sources)


def test_no_two_images_share_a_file(coloured, light_run, tmp_path):
    sources = []
    for name in ("a/x.jpg", "b/x.jpg", "c/x_2.jpg"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_bytes((coloured / "JPEGImages/p4.jpg").read_bytes())
        sources.append(str(path))
    out = tmp_path / "out"
    assert main(["detect", *sources, "-w", str(light_run), "--out", str(out), "--save", "image", "comp4"]) == 0
    assert sorted(path.stem for path in out.glob("*.jpg")) == ["x", "x_2", "x_3"]
    ids = {line.split()[0] for line in (out / "comp4/comp4_det_test_red.txt").read_text().splitlines()}
    assert ids <= {"x", "x_2", "x_3"}


@pytest.mark.parametrize(("label", "folder"), [("../../up", "_.._up"), ("..", "_"), ("a/b", "a_b"), ("dog", "dog")])
def test_crops_stay_in_their_folder(label, folder, tmp_path):
    result = Result(
        boxes=np.array([[1.0, 2.0, 5.0, 9.0]], np.float32), scores=np.array([0.5], np.float32), labels=np.array([0]),
        classes=(label,), image="dog.jpg", pixels=np.zeros((10, 20, 3), np.uint8),
    )  # fmt: skip
    save_image(tmp_path, "dog", result, ["crops"])
    assert (tmp_path / "crops" / folder / "dog_1.jpg").is_file()
