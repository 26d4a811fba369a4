import json

from ssd300.cli import main
from ssd300.data.voc import read_xml


def test_the_seeds_lists_from_the_real_years(voc_annotations, tmp_path, capsys):
    out = tmp_path / "lists"
    assert main(["prepare", "--voc07", str(voc_annotations), "--voc12", str(voc_annotations), "--out", str(out)]) == 0
    capsys.readouterr()
    lists = {path.stem: json.loads(path.read_text()) for path in out.glob("*.json")}
    assert len(lists["TRAIN_images"]) == len(lists["TRAIN_objects"]) == 16551
    assert len(lists["TEST_images"]) == len(lists["TEST_objects"]) == 4952
    assert lists["label_map"]["background"] == 0
    assert lists["label_map"]["tvmonitor"] == 20
    # 000005.jpg: <xmin>263</xmin><ymin>211</ymin><xmax>324</xmax><ymax>339</ymax>, a chair
    assert lists["TRAIN_objects"][0]["boxes"][0] == [262, 210, 323, 338]
    assert lists["TRAIN_objects"][0]["labels"][0] == 9
    assert (out / lists["TRAIN_images"][0]).resolve() == (voc_annotations / "VOC2007/JPEGImages/000005.jpg").resolve()


def test_the_two_files_with_float_coordinates_are_kept(voc_annotations):
    for name in ("2011_003353", "2011_006777"):  # they stand in no list of objects, and crash the seed's parser
        boxes = [item.box_px for item in read_xml(voc_annotations / f"VOC2012/Annotations/{name}.xml").objects]
        assert any(value != int(value) for box in boxes for value in box)


def test_an_existing_folder_is_left_alone(coloured, tmp_path, capsys):
    out = tmp_path / "lists"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert main(["prepare", str(coloured), "--out", str(out)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
