from ssd300.weights.class_names import COCO_CLASSES, COCO_CLASSES_WITH_GAPS, NAMES_BY_COUNT


def test_each_number_of_outputs_has_so_many_different_names():
    assert set(NAMES_BY_COUNT) == {20, 80, 90}
    for count, names in NAMES_BY_COUNT.items():
        assert len(set(names)) == count


def test_cocos_names_with_gaps_are_at_their_ids():
    """Ids of COCO 2017's annotations, which count from 1."""
    for number, name in ((1, "person"), (13, "stop sign"), (44, "bottle"), (90, "toothbrush")):
        assert COCO_CLASSES_WITH_GAPS[number - 1] == name
    assert [name for name in COCO_CLASSES_WITH_GAPS if name in COCO_CLASSES] == list(COCO_CLASSES)
