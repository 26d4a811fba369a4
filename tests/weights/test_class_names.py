import pytest

from ssd300.data.class_lists import are_numbered
from ssd300.data.formats.voc import VOC_CLASSES
from ssd300.errors import WeightsError
from ssd300.weights.class_names import (
    COCO_CLASSES,
    COCO_CLASSES_WITH_GAPS,
    LISTS,
    class_names,
)
from ssd300.weights.contents import Contents, contents_of


def test_each_number_of_outputs_has_so_many_different_names():
    lists = [names for lists in LISTS.values() for names in lists]
    assert [len(set(names)) for names in lists] == [len(names) for names in lists] == [20, 80, 90]


def test_cocos_names_with_gaps_are_at_their_ids():
    """Ids of COCO 2017's annotations, which count from 1."""
    for number, name in ((1, "person"), (13, "stop sign"), (44, "bottle"), (90, "toothbrush")):
        assert COCO_CLASSES_WITH_GAPS[number - 1] == name
    assert [name for name in COCO_CLASSES_WITH_GAPS if name in COCO_CLASSES] == list(COCO_CLASSES)


@pytest.mark.parametrize("count", [20, 80, 90, 3])
def test_classes_that_nothing_names_get_numbers(count):
    found = class_names(count, None, Contents(title="my.pth"), "my.pth")
    assert (found.names[0], found.names[-1]) == ("class 1", f"class {count}")
    assert are_numbered(found.names)
    assert not are_numbered(VOC_CLASSES)
    assert "numbered" in found.note()


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("ssd300_mAP_77.43_v2.pth", VOC_CLASSES),
        ("VGG_VOC0712_SSD_300x300_train", VOC_CLASSES),
        ("ssd300_vgg16_coco-b556d3b4.pth", COCO_CLASSES_WITH_GAPS),
        ("VGG_coco_SSD_300x300", COCO_CLASSES),
    ],
)
def test_published_files_keep_their_names_and_say_so(title, names):
    found = class_names(len(names), None, Contents(title=title), title)
    assert found.names == tuple(names)
    assert title in found.note()


def test_voc_and_coco_are_lists_that_a_user_can_name():
    assert class_names(20, "voc", Contents(), "a").names == tuple(VOC_CLASSES)
    assert class_names(90, "coco", Contents(), "a").names == COCO_CLASSES_WITH_GAPS
    with pytest.raises(WeightsError, match="4 outputs, including background, and --classes has 20 names"):
        class_names(3, "voc", Contents(), "a")


@pytest.mark.parametrize(
    "stored",
    [
        {"classes": ["cat", "dog"]},
        {"meta": {"CLASSES": ("background", "cat", "dog")}},
        {"hyper_parameters": {"class_names": "cat, dog"}},
        {"id2label": {"0": "cat", "1": "dog"}},
        {"label_map": {"background": 0, "cat": 1, "dog": 2}},
        {"names": {0: "cat", 1: "dog"}},
        {"categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]},
    ],
)
def test_names_that_the_file_states_are_taken(stored):
    found = class_names(2, None, contents_of(stored), "a")
    assert found.names == ("cat", "dog")
    assert "in the file" in found.note()


def test_lists_of_the_file_that_do_not_fit_are_not_taken_and_twins_are_refused():
    assert are_numbered(class_names(2, None, contents_of({"classes": ["a", "b", "c"], "names": 3}), "a").names)
    with pytest.raises(WeightsError, match="have 'Cat' twice"):
        class_names(2, None, contents_of({"classes": ["cat", "Cat"]}), "a")
