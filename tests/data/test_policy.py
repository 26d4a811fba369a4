import pytest

from conftest import object_xml, write_voc
from data.formats.test_voc_xml import GOOD, one_image
from ssd300.data import load_dataset
from ssd300.data.policy import SHOWN_PROBLEMS
from ssd300.errors import DataError


def test_names_fold_case_and_space_and_unknown_ones_suggest(tmp_path):
    data = one_image(tmp_path, object_xml(" Cat ", (1, 1, 9, 9)), classes=["cat", "dog"])
    assert data.classes == ("cat", "dog")
    assert any("' Cat ' as 'cat'" in note for note in data.notes)
    with pytest.raises(DataError, match="correct the label if it means 'cat'"):
        one_image(tmp_path, object_xml("catt", (1, 1, 9, 9)), classes=["cat", "dog"])


def test_an_unreadable_annotation_can_cost_its_image_only(tmp_path):
    root = write_voc(tmp_path / "data", {"a": GOOD, "b": GOOD, "c": object_xml("", (1, 1, 2, 2))}, {})
    (root / "Annotations/b.xml").write_text("<annotation>")
    for policy in ("error", "drop-box"):
        with pytest.raises(DataError, match="2 bad label") as caught:
            load_dataset(root, require_images=False, on_bad_label=policy)
        assert "b.xml: this is not readable XML" in str(caught.value)
        assert "c.xml, object 1: the object has no name" in str(caught.value)
    left = load_dataset(root, require_images=False, on_bad_label="drop-image")
    assert ([a.image_id for a in left.annotations], left.dropped) == (["a"], {"images": 2})


def test_all_bad_labels_are_counted_and_the_first_are_named(tmp_path):
    bad = object_xml("cat", (10, 1, 1, 20))
    with pytest.raises(DataError) as caught:
        one_image(tmp_path, GOOD + bad * (SHOWN_PROBLEMS + 2))
    lines = str(caught.value).splitlines()
    assert lines[0].endswith(f"{SHOWN_PROBLEMS + 2} bad labels:")
    assert len(lines) == 1 + SHOWN_PROBLEMS + 1
    assert lines[-1].startswith("    and 2 more")
    dropped = one_image(tmp_path, GOOD + bad, on_bad_label="drop-box")
    assert dropped.notes[-1] == "dropped by --on-bad-label drop-box: 1 box"


def test_difficult_objects_can_be_dropped(tmp_path):
    objects = GOOD + object_xml("dog", (1, 1, 9, 9), "<difficult>1</difficult>")
    assert one_image(tmp_path, objects).annotations[0].difficult.tolist() == [False, True]
    assert one_image(tmp_path, objects, drop_difficult=True).annotations[0].difficult.tolist() == [False]
