import math

import pytest

from ssd300.data.formats.annotations import box_fault, cut_at_border, unique_ids


@pytest.mark.parametrize(
    ("box", "fault"),
    [
        ((0.0, 0.0, 20.0, 10.0), None),
        ((-1.0, -1.0, 21.0, 11.0), None),  # a pixel outside is cut
        ((-1.5, 0.0, 20.0, 10.0), "reaches out of the image of 20 x 10"),
        ((0.0, 0.0, 20.0, 11.5), "reaches out"),
        ((5.0, 0.0, 5.0, 10.0), "is empty"),
        ((5.0, 0.0, 4.0, 10.0), "is inverted"),
        ((5.0, math.nan, 9.0, 10.0), "missing or not a number"),
        ((5.0, 0.0, math.inf, 10.0), "missing or not a number"),
    ],
)
def test_faults_of_boxes(box, fault):
    found = box_fault(box, (10, 20), box)
    assert found is None if fault is None else fault in found


def test_a_box_in_an_image_of_unknown_size_may_be_anywhere():
    assert box_fault((0.0, 0.0, 1e6, 1e6), None, (0.0, 0.0, 1e6, 1e6)) is None


def test_boxes_are_cut_at_every_side():
    assert cut_at_border((-1.0, -0.5, 21.0, 10.5), (10, 20)) == (0, 0, 20, 10)
    assert cut_at_border((1.0, 2.0, 3.0, 4.0), (10, 20)) == (1, 2, 3, 4)


def test_ids_are_names_without_ending_or_paths_where_several_have_the_name():
    assert unique_ids(["a/x.jpg", "b/x.png", "b/y.jpg"]) == ["a/x.jpg", "b/x.png", "y"]
    assert unique_ids([]) == []
