"""Splits as tools name them, splits that cannot be used, and images in two of them. The numbers are those of the cases
that users had.
"""

import pytest

from data.cases.made import BOX, LINE, boxes, coco, picture, text, voc, xml, yolo
from ssd300.data import load_dataset
from ssd300.data.held_out import load_held_out
from ssd300.system.wording import plural


def held_out(root, **options):
    """Name and ids of the split that is evaluated on, and the notes."""
    found, notes = load_held_out([root], load_dataset(root, **options))
    return None if found is None else (found.split, [one.image_id for one in found.annotations]), "\n".join(notes)


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [("Train", "Validation", "Test"), ("training", "valid", "testing"), ("train2017", "val2017", "test2017"),
     ("coco_train", "coco_val", "coco_test"), ("trainval", "holdout", "TEST"), ("default", "validation", "test")],
)  # fmt: skip
def test_splits_are_found_by_any_of_their_names(tmp_path, commands, train, val, test):
    """Case 03: CVAT's subsets are called Train, Validation and Test."""
    root = voc(tmp_path / "d", "abcdef", {train: "abc", val: "de", test: "f"})
    assert (load_dataset(root).split, len(load_dataset(root))) == (train, 3)
    assert held_out(root)[0] == (test, ["f"])
    assert load_dataset(root, purpose="test").split == test
    code, report = commands.check(root)
    assert (code, report["classes"]) == (0, {"car": {train: 3, val: 2, test: 1}})
    code, out, _ = commands.run("convert", root, tmp_path / "o", "--to", "coco")
    assert code == 0
    for name, count in {train: 3, val: 2, test: 1}.items():
        assert f"{name}: {plural(count, 'image')}, {plural(count, 'object')}\n" in out


@pytest.mark.parametrize("wanted", ["Train", "train", "TRAINING"])
def test_a_split_is_named_in_any_case(tmp_path, wanted):
    """Case 03."""
    root = voc(tmp_path / "d", "ab", {"Train": "a", "Test": "b"})
    assert load_dataset(root, split=wanted).split == "Train"


def test_the_only_split_of_another_name_is_trained_on(tmp_path, commands, would_train):
    """Case 02: CVAT calls it default; its ids lie in folders, and labelmap.txt is no list."""
    ids = ["batch1/img 1", "batch1/img 2", "batch2/img 1", "top"]
    root = voc(tmp_path / "d", ids, {"default": ids}, classes=("car", "van"), suffix=".png")
    text(root / "labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncar:255,0,0::\nvan:0,255,0::\n")
    assert commands.check(root)[1]["problems"] == []
    for options in ((), ("--split", "default")):
        run = would_train(root, *options)
        assert boxes(run.train) == {name: [BOX] for name in ids}
        assert (run.train.classes, run.held_out) == (("car", "van"), None)
        assert "nothing will be measured: name a held-out split with --eval-split, or set images aside" in run.said


ROBOFLOW = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 1\nnames: ['fire']\n"


@pytest.fixture
def roboflow(tmp_path):
    return yolo(tmp_path / "d", {"train/images": 4, "valid/images": 2}, ROBOFLOW)


def test_a_test_folder_that_was_not_exported_gives_way_to_val(roboflow, commands, would_train):
    """Case 09: Roboflow's data.yaml names a test folder in any case."""
    run = would_train(roboflow)
    assert (len(run.train), run.held_out.split, len(run.held_out)) == (4, "val", 2)
    assert "the held-out split 'test' cannot be used" in run.said
    assert "there is no '../test/images'" in run.said
    assert load_dataset(roboflow, purpose="test").split == "val"
    assert commands.rules(roboflow) == {"unusable-split": 1}
    assert commands.check(roboflow)[0] == 0


def test_what_is_there_is_converted_and_the_rest_is_said(roboflow, tmp_path, commands):
    """Case 09."""
    code, out, err = commands.run("convert", roboflow, tmp_path / "o", "--to", "voc")
    assert (code, out.splitlines()[:2]) == (0, ["train: 4 images, 4 objects", "val: 2 images, 2 objects"])
    assert "the split 'test' cannot be used and is not written" in err


def test_a_test_folder_without_labels_gives_way_to_val(tmp_path, commands, would_train):
    """Case 10: the images of COCO's test-dev have no labels."""
    root = yolo(tmp_path / "d", {"images/train": 4, "images/val": 2},
                "path: .\ntrain: images/train\nval: images/val\ntest: images/test\nnames: ['fire']\n")  # fmt: skip
    picture(root / "images/test/t.jpg")
    run = would_train(root)
    assert (run.held_out.split, len(run.held_out)) == ("val", 2)
    assert f"searched in {root}/labels/test" in run.said
    dataset = load_dataset(root, purpose="test")
    assert (dataset.split, len(dataset)) == ("val", 2)
    assert any("the split 'test' cannot be used" in note for note in dataset.notes)
    assert commands.rules(root) == {"unusable-split": 1}


@pytest.mark.parametrize("test", [[], ["t1", "t2"]], ids=["empty list", "no XML"])
def test_a_test_list_that_cannot_be_used_gives_way_to_val(tmp_path, commands, test):
    """Case 41: an empty test.txt, and VOC2012's, whose XML files are not published."""
    root = voc(tmp_path / "d", "abcd", {"train": "ab", "val": "cd", "test": test})
    found, notes = held_out(root)
    assert found == ("val", ["c", "d"])
    assert "the held-out split 'test' cannot be used" in notes
    code, out, err = commands.run("prepare", root, "--out", tmp_path / "l")
    assert (code, out.splitlines()[1].split()) == (0, ["images", "2", "2"])
    assert "the held-out split 'test' cannot be used" in err


def test_an_empty_val_folder_does_not_block_training(tmp_path, would_train):
    """Case 41."""
    root = yolo(tmp_path / "y", {"images/train": 2}, "train: images/train\nval: images/val\nnames: [scooter]\n")
    (root / "images/val").mkdir()
    run = would_train(root)
    assert (len(run.train), run.held_out) == (2, None)
    assert "the split 'val' is empty" in run.said
    assert "nothing will be measured" in run.said


def test_a_named_split_that_cannot_be_used_is_an_error(tmp_path, commands):
    """Case 41: only what was not asked for gives way."""
    root = voc(tmp_path / "d", "abcd", {"train": "ab", "val": "cd", "test": []})
    code, _, err = commands.run("prepare", root, "--out", tmp_path / "l", "--eval-split", "test")
    assert (code, "the split 'test' is empty" in err) == (3, True)


@pytest.mark.parametrize("key", ["valid", "validation", "Val", "val"])
def test_the_held_out_key_of_a_yaml_has_any_of_its_names(tmp_path, commands, key):
    """Case 61."""
    description = f"train: images/train\n{key}: images/val\nnames: [scooter]\n"
    root = yolo(tmp_path / "d", {"images/train": 2, "images/val": 2}, description)
    assert held_out(root)[0][0] == key
    assert commands.run("convert", root, tmp_path / "o", "--to", "coco")[0] == 0
    assert len(list((tmp_path / "o").rglob("*.jpg"))) == 4


def test_images_in_both_splits_are_left_out_one_by_one(tmp_path, commands):
    """Case 13, with an image in two lists."""
    root = voc(tmp_path / "d", "abcd", {"train": "abc", "val": "cd"})
    found, notes = held_out(root)
    assert found == ("val", ["d"])
    assert "1 of 2 images of 'val' are trained on and left out of it: c" in notes
    assert commands.rules(root) == {"image-in-two-splits": 1}


@pytest.mark.parametrize("extra", ["holdout", "extra"])
@pytest.mark.parametrize("form", ["voc", "coco", "yolo"])
def test_every_split_is_converted(tmp_path, commands, form, extra):
    """Case 13: self-written lists, of which val is no part of trainval."""
    root = voc(tmp_path / "d", "abcdefgh", {"trainval": "abcd", "val": "ef", extra: "gh"})
    code, out, _ = commands.run("convert", root, tmp_path / "o", "--to", form)
    assert code == 0
    assert out.splitlines()[:3] == [
        "trainval: 4 images, 4 objects",
        "val: 2 images, 2 objects",
        f"{extra}: 2 images, 2 objects",
    ]
    assert len(list((tmp_path / "o").rglob("*.jpg"))) == 8
    assert commands.check(tmp_path / "o")[1]["images"] == 8


def test_a_folder_without_lists_is_never_on_both_sides(tmp_path):
    """Case 13, joined: its images are trained on, and only the other folder is held out."""
    voc(tmp_path / "whole", "ab")
    voc(tmp_path / "split", "cdef", {"train": "cd", "val": "ef"})
    paths = [tmp_path / "whole", tmp_path / "split"]
    found, _ = load_held_out(paths, trained := load_dataset(*paths))
    assert (len(trained), [one.image_id for one in found.annotations]) == (4, ["e", "f"])
    assert len(load_dataset(*paths, purpose="test")) == 2


def test_a_folder_for_each_split_needs_no_list(tmp_path):
    """Case 01 and 41: an empty valid folder."""
    for name in ("train/a", "train/b", "test/c"):
        picture(tmp_path / f"d/{name}.jpg")
        xml(tmp_path / f"d/{name}.xml")
    (tmp_path / "d/valid").mkdir()
    assert held_out(tmp_path / "d")[0] == ("test", ["c"])


def test_coco_files_of_an_empty_test_give_way_to_val(tmp_path):
    """Case 41."""
    for name in ("train", "val"):
        coco(tmp_path / f"d/annotations/instances_{name}.json", [(20, 20, 60, 50)], image=f"{name}.jpg")
        picture(tmp_path / f"d/images/{name}.jpg")
    text(tmp_path / "d/annotations/instances_test.json",
         '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "car"}]}')  # fmt: skip
    found, notes = held_out(tmp_path / "d")
    assert found == ("val", ["val"])
    assert "the held-out split 'test' cannot be used" in notes


def test_a_line_of_yolo_is_the_usual_box(tmp_path):
    root = yolo(tmp_path / "d", {"images/train": 1}, "train: images/train\nnames: [car]\n", line=LINE)
    assert boxes(load_dataset(root))["images_train0"][0] == pytest.approx(BOX)


@pytest.mark.parametrize("val", ["ab", "abcd"], ids=["a part of train", "all of train"])
@pytest.mark.parametrize("form", ["voc", "yolo"])
def test_images_to_measure_on_that_are_all_trained_on_are_reported(tmp_path, commands, would_train, val, form):
    """Case 13, where val names images of train: nothing of it can be measured on."""
    root = voc(tmp_path / "d", "abcd", {"train": "abcd", "val": val}) if form == "voc" else tmp_path / "d"
    if form == "yolo":
        yolo(root, {"images": 4}, "train: train.txt\nval: val.txt\nnames: [car]\n")
        for split, count in (("train", 4), ("val", len(val))):
            text(root / f"{split}.txt", "".join(f"images/images{number}.jpg\n" for number in range(count)))
    assert commands.rules(root) == {"image-in-two-splits": len(val)}
    assert commands.run("check", root, "--strict")[0] == 3
    run = would_train(root)
    assert run.held_out is None
    assert f"{len(val)} of {len(val)} images of 'val' are trained on and left out of it" in run.said
    code, out, err = commands.run("convert", root, tmp_path / "o", "--to", "voc")
    assert (code, out.splitlines()[:2]) == (
        0,
        ["train: 4 images, 4 objects", f"val: {len(val)} images, {len(val)} objects"],
    )
    assert f"{len(val)} images are in two splits, and are written into both" in err


def test_a_list_of_all_images_hides_no_split(tmp_path, commands):
    """Case 13, with a list of everything beside train and val, as scripts leave it."""
    root = voc(tmp_path / "d", "abcd", {"all": "abcd", "train": "ab", "val": "cd"})
    assert load_dataset(root).split == "train"
    code, out, err = commands.run("convert", root, tmp_path / "o", "--to", "yolo")
    assert (code, out.splitlines()[:2]) == (0, ["train: 2 images, 2 objects", "val: 2 images, 2 objects"])
    assert "the split 'all' is part of the others and is not written again" in err
    assert commands.check(root)[1]["classes"] == {"car": {"train": 2, "val": 2}}
