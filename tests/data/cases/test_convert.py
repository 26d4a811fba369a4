"""What `convert` and `prepare` write is read back equal. The numbers are those of the cases that users had."""

import numpy as np
import pytest

from data.cases.made import boxes, coco, counts, obj, picture, voc, xml, yolo
from ssd300.data import load_dataset
from ssd300.data.held_out import load_held_out

FORMS = ("voc", "coco", "yolo")


def source(root, form, names):
    """Data of two splits of these names, one image each, two objects of two classes in each."""
    first, second = names
    if form == "voc":
        voc(root, "ab", {first: "a", second: "b"})
        for name in "ab":
            xml(root / f"Annotations/{name}.xml", obj() + obj("van", (1, 1, 30, 90)))
    elif form == "coco":
        for split, name in ((first, "a"), (second, "b")):
            file = root / f"annotations/instances_{split}.json"
            coco(file, [(20, 20, 60, 50), (0, 0, 30, 90)], image=f"{name}.jpg", categories=("car", "van"))
            file.write_text(file.read_text().replace('"id": 1, "image_id": 1, "category_id": 1',
                                                     '"id": 1, "image_id": 1, "category_id": 2'))  # fmt: skip
            picture(root / f"images/{split}/{name}.jpg")
    else:
        yolo(root, {f"images/{first}": 1, f"images/{second}": 1},
             f"{first}: images/{first}\n{second}: images/{second}\nnames: [car, van]\n",
             line="0 .41666666666666669 .5 .5 .55555555555555558\n1 .125 .5 .25 1\n")  # fmt: skip
    return root


@pytest.mark.parametrize("to", FORMS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("names", [("Train", "Validation"), ("train2017", "val2017"), ("trainval", "Test"),
                         ("train", "holdout")], ids="-".join)  # fmt: skip
def test_what_is_written_is_read_back_equal(tmp_path, commands, form, to, names):
    """Case 11: of splits that have other names."""
    root = source(tmp_path / "d", form, names)
    assert commands.run("convert", root, tmp_path / "o", "--to", to)[0] == 0
    for data in (root, tmp_path / "o"):
        dataset = load_dataset(data)
        held_out, _ = load_held_out([data], dataset)
        for part in (dataset, held_out):
            assert counts(part) == {"car": 1, "van": 1}
            (found,) = boxes(part).values()
            assert np.array(found) == pytest.approx(np.array([(20, 20, 80, 70), (0, 0, 30, 90)]), abs=1e-9)
    assert commands.rules(tmp_path / "o") == {}
    assert commands.check(tmp_path / "o")[1]["images"] == 2


@pytest.mark.parametrize("to", FORMS)
def test_the_only_split_keeps_its_images_whatever_its_name(tmp_path, commands, to):
    """Case 11: CVAT's default, as a YOLO data.yaml needs a train."""
    root = voc(tmp_path / "d", "abcd", {"default": "abcd"})
    code, _, err = commands.run("convert", root, tmp_path / "o", "--to", to, "--split", "default")
    assert code == 0
    assert ("the split 'default' is called 'train' in data.yaml" in err) == (to == "yolo")
    assert sorted(boxes(load_dataset(tmp_path / "o"))) == list("abcd")


@pytest.mark.parametrize("form", FORMS)
def test_lists_are_read_back_equal_by_every_command(tmp_path, commands, form):
    """Cases 03 and 11, by prepare."""
    root = source(tmp_path / "d", form, ("Train", "Validation"))
    assert commands.run("prepare", root, "--out", tmp_path / "l")[0] == 0
    for purpose in ("train", "test"):
        found, wanted = (load_dataset(path, purpose=purpose) for path in (tmp_path / "l", root))
        assert counts(found) == counts(wanted) == {"car": 1, "van": 1}
        assert [one.image_path.resolve() for one in found.annotations] == [
            one.image_path.resolve() for one in wanted.annotations
        ]
        for one, other in zip(found.annotations, wanted.annotations, strict=True):
            assert one.boxes_px == pytest.approx(other.boxes_px)
    assert commands.rules(tmp_path / "l") == {}
    for to in FORMS:
        code, out, _ = commands.run("convert", tmp_path / "l", tmp_path / to, "--to", to)
        assert (code, [line.split(" ", 1)[1] for line in out.splitlines()[:2]]) == (0, ["1 image, 2 objects"] * 2)
        assert counts(load_dataset(tmp_path / to)) == {"car": 1, "van": 1}
