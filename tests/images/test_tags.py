import numpy as np
import pytest

from ssd300.images.tags import MANY, place_tags

IMAGE_WH = (400, 300)
TAG = (40, 12)


def boxes(*rows):
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


@pytest.mark.parametrize(
    ("box", "corner"),
    [
        ((100, 100, 200, 200), (100, 88)),  # above
        ((100, 0, 200, 200), (100, 0)),  # inside, as there is no room above
        ((100, 0, 130, 20), (100, 21)),  # below, as inside it would hide the box
        ((390, 100, 399, 130), (360, 88)),  # above, moved into the image
        ((0, 0, 10, 299), (0, 0)),  # a tall one
    ],
)
def test_a_tag_is_beside_its_box(box, corner):
    assert place_tags(boxes(box), [TAG], IMAGE_WH) == [corner]


def test_a_tag_avoids_other_boxes():
    below = (100, 100, 150, 150)
    above = (100, 40, 150, 99)
    assert place_tags(boxes(below, above), [TAG, TAG], IMAGE_WH) == [(100, 100), (100, 28)]
    assert place_tags(boxes(below, above), [(40, 20)] * 2, IMAGE_WH) == [(100, 151), (100, 20)]


def test_the_name_inside_a_larger_box_is_placed_as_if_it_were_alone():
    inner, outer = (100, 100, 150, 150), (10, 20, 390, 290)
    assert place_tags(boxes(inner, outer), [TAG, TAG], IMAGE_WH)[0] == (100, 88)


def test_equal_boxes_have_both_names_unless_there_is_no_room():
    same = boxes(*[(100, 100, 200, 200)] * 2)
    first, second = place_tags(same, [TAG, TAG], IMAGE_WH)
    assert first == (100, 88)
    assert second not in (None, first)
    assert place_tags(boxes((0, 0, 9, 9), (0, 0, 9, 9)), [(8, 8)] * 2, (10, 10))[1] is None


def test_nothing_to_place():
    assert place_tags(boxes(), [], IMAGE_WH) == []
    assert place_tags(boxes((0, 0, 5, 5)), [None], IMAGE_WH) == [None]
    assert place_tags(boxes((0, 0, 5, 5)), [(401, 12)], IMAGE_WH) == [None]


@pytest.mark.parametrize("count", [1, 5, MANY, MANY + 1, 60, 200])
def test_tags_are_in_the_image_and_apart(count):
    random = np.random.default_rng(count)
    for _ in range(5):
        upper_left = random.uniform(0, 290, (count, 2))
        some = np.concatenate([upper_left, upper_left + random.uniform(1, 120, (count, 2))], axis=1)
        some = np.clip(some, 0, [399, 299, 399, 299])
        sizes = [(int(random.integers(20, 80)), 12) for _ in range(count)]
        placed = place_tags(some, sizes, IMAGE_WH)
        assert placed == place_tags(some, sizes, IMAGE_WH)
        image = np.zeros(IMAGE_WH[::-1], int)
        for corner, (width, height) in zip(placed, sizes, strict=True):
            if corner is not None:
                x, y = corner
                assert 0 <= x <= IMAGE_WH[0] - width
                assert 0 <= y <= IMAGE_WH[1] - height
                image[y : y + height, x : x + width] += 1
        assert image.max() == 1


def test_few_boxes_all_have_names_and_many_only_where_they_hide_little():
    apart = boxes(*[(x, 100, x + 30, 180) for x in range(5, 380, 60)])
    assert None not in place_tags(apart, [TAG] * len(apart), IMAGE_WH)
    crowd = boxes(*[(x, y, x + 30, y + 30) for x in range(0, 360, 20) for y in range(0, 260, 20)])
    placed = place_tags(crowd, [TAG] * len(crowd), IMAGE_WH)
    assert placed.count(None) > len(crowd) / 2
