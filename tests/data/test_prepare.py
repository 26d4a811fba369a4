import json

import pytest

from conftest import object_xml, write_voc
from ssd300.cli import main
from ssd300.data import load_dataset


@pytest.fixture(scope="module")
def real_lists(voc_annotations, tmp_path_factory):
    out = tmp_path_factory.mktemp("real") / "lists"
    assert main(["prepare", "--voc07", str(voc_annotations), "--voc12", str(voc_annotations), "--out", str(out)]) == 0
    return out


@pytest.mark.slow
def test_the_lists_of_the_real_years_are_those_of_pytorch_ssd300(voc_annotations, real_lists):
    lists = {path.stem: json.loads(path.read_text()) for path in real_lists.glob("*.json")}
    assert len(lists["TRAIN_images"]) == len(lists["TRAIN_objects"]) == 16551
    assert len(lists["TEST_images"]) == len(lists["TEST_objects"]) == 4952
    assert lists["label_map"]["background"] == 0
    assert lists["label_map"]["tvmonitor"] == 20
    # 000005.jpg: <xmin>263</xmin><ymin>211</ymin><xmax>324</xmax><ymax>339</ymax>, a chair
    assert lists["TRAIN_objects"][0]["boxes"][0] == [262, 210, 323, 338]
    assert lists["TRAIN_objects"][0]["labels"][0] == 9
    first = (real_lists / lists["TRAIN_images"][0]).resolve()
    assert first == (voc_annotations / "VOC2007/JPEGImages/000005.jpg").resolve()


@pytest.mark.slow
def test_the_real_lists_have_the_boxes_of_the_annotations(voc_annotations, real_lists):
    ours = load_dataset(voc_annotations / "VOC2007", purpose="test", require_images=False)
    listed = load_dataset(real_lists, purpose="test", require_images=False)
    assert listed.fingerprint() == ours.fingerprint()


def test_an_existing_folder_is_not_changed(coloured, tmp_path, capsys):
    out = tmp_path / "lists"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert main(["prepare", str(coloured), "--out", str(out)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("out", [".", "sub/.."])
def test_lists_can_be_written_into_the_current_folder(coloured, monkeypatch, out):
    (coloured / "sub").mkdir()
    monkeypatch.chdir(coloured)
    assert main(["prepare", ".", "--out", out, "--overwrite"]) == 0
    assert json.loads((coloured / "TEST_images.json").read_text()) == ["JPEGImages/p4.jpg"]
    assert not list(coloured.parent.glob(".*"))
    assert load_dataset(".", format="lists").fingerprint() == load_dataset(".", format="voc").fingerprint()


def test_a_folder_without_splits_is_trained_on_whole(tmp_path, capsys):
    root = write_voc(tmp_path / "own", {"a": object_xml("nut", (1, 1, 9, 9))}, {})
    (root / "JPEGImages/a.png").touch()
    assert main(["prepare", str(root), "--out", str(tmp_path / "lists")]) == 0
    err = capsys.readouterr().err
    assert "there is no split to measure on but 'all'" in err
    assert "no test list: " in err
    assert json.loads((tmp_path / "lists/TRAIN_images.json").read_text()) == ["../own/JPEGImages/a.png"]
    assert json.loads((tmp_path / "lists/TEST_images.json").read_text()) == []


def test_joined_folders_have_one_label_map(tmp_path, capsys):
    folders = [
        str(write_voc(tmp_path / name, {name: object_xml(name, (1, 1, 9, 9))}, {"trainval": [name]}))
        for name in ("nut", "bolt")
    ]
    assert main(["prepare", *folders, "--out", str(tmp_path / "lists")]) == 0
    assert json.loads((tmp_path / "lists/label_map.json").read_text()) == {"bolt": 1, "nut": 2, "background": 0}
    objects = json.loads((tmp_path / "lists/TRAIN_objects.json").read_text())
    assert [entry["labels"] for entry in objects] == [[2], [1]]
    assert "no test list" in capsys.readouterr().err


def test_years_of_different_classes_are_refused(tmp_path, capsys):
    splits = {"trainval": ["a"], "test": ["a"]}
    years = [str(write_voc(tmp_path / name, {"a": object_xml(name, (1, 1, 9, 9))}, splits)) for name in ("nut", "bolt")]
    words = ["prepare", "--voc07", years[0], "--voc12", years[1], "--out", str(tmp_path / "lists")]
    assert main(words) == 3
    assert "--classes" in capsys.readouterr().err
    assert not (tmp_path / "lists").exists()


def test_check_images_reads_every_image(coloured, tmp_path, capsys):
    image = coloured / "JPEGImages/p1.jpg"
    image.write_bytes(image.read_bytes()[:-200])
    words = ["prepare", str(coloured), "--out", str(tmp_path / "lists")]
    assert main([*words, "--check-images"]) == 3
    error = capsys.readouterr().err
    assert "1 of 5 images cannot be read" in error
    assert "p1.jpg" in error
    assert not (tmp_path / "lists").exists()
    assert main(words) == 0


def test_lists_are_made_from_lists(coloured, tmp_path):
    absolute, relative = tmp_path / "absolute", tmp_path / "relative"
    assert main(["prepare", str(coloured), "--out", str(absolute), "--absolute-paths"]) == 0
    assert main(["prepare", str(absolute), "--out", str(relative)]) == 0
    assert json.loads((relative / "TEST_images.json").read_text()) == ["../coloured/JPEGImages/p4.jpg"]
    for name in ("TRAIN_objects.json", "TEST_objects.json", "label_map.json"):
        assert (relative / name).read_bytes() == (absolute / name).read_bytes()


def test_a_val_split_that_is_part_of_trainval_is_no_test_list(tmp_path, capsys):
    nut = object_xml("nut", (1, 1, 9, 9))
    splits = {"trainval": ["a", "b"], "train": ["a"], "val": ["b"]}
    root = write_voc(tmp_path / "own", {"a": nut, "b": nut}, splits)
    assert main(["prepare", str(root), "--out", str(tmp_path / "lists")]) == 0
    assert "'val' are trained on" in capsys.readouterr().err
    assert json.loads((tmp_path / "lists/TEST_images.json").read_text()) == []
