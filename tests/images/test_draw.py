import numpy as np
import pytest

from ssd300.images.colors import label_colors
from ssd300.images.draw import draw_boxes, draw_detections
from ssd300.types import Detections


def found(boxes, name="naïve 猫"):
    boxes = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    return Detections(
        boxes=boxes, scores=np.full(len(boxes), 0.5), labels=np.zeros(len(boxes), np.int64), classes=(name,)
    )


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 400), (20, 3000), (60, 40), (480, 640)])
def test_any_size_on_a_copy(size_hw):
    image = np.zeros((*size_hw, 3), np.uint8)
    drawn = draw_detections(image, found([[0, 0, size_hw[1], size_hw[0]], [-5, -5, 2000, 2000]]))
    assert drawn.size == (size_hw[1], size_hw[0])
    assert not image.any()
    assert np.asarray(drawn).any()


def test_no_detections_gives_an_equal_copy():
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    assert (np.asarray(draw_detections(image, found([]))) == image).all()


def test_a_box_has_its_color_and_the_best_is_on_top():
    image = np.zeros((100, 100, 3), np.uint8)
    boxes = np.array([[20.0, 20, 80, 80]] * 2)
    drawn = np.asarray(draw_boxes(image, boxes, ["", ""], [(255, 0, 0), (0, 255, 0)]))
    assert tuple(drawn[20, 50]) == (0, 255, 0)  # the later box
    assert tuple(drawn[50, 50]) == (0, 0, 0)  # only the outline
    two = Detections(boxes=boxes, scores=np.array([0.9, 0.4]), labels=np.array([0, 1]), classes=("dog", "cat"))
    assert tuple(np.asarray(draw_detections(image, two))[80, 50]) == label_colors([0])[0]


def test_a_text_without_room_is_not_drawn():
    image = np.zeros((12, 12, 3), np.uint8)
    box = np.array([[2.0, 2, 9, 9]])
    plain, named = (np.asarray(draw_boxes(image, box, [text], [(255, 0, 0)])) for text in ("", "a long name"))
    assert (plain == named).all()


def test_neighbors_labels_do_not_overprint_each_other():
    image = np.zeros((300, 300, 3), np.uint8)
    boxes = np.array([[100.0, 100, 180, 180], [104.0, 104, 184, 184]])
    colors = [(255, 0, 0), (0, 255, 0)]
    areas = []
    for texts in (["dog", ""], ["", "dog"], ["dog", "dog"]):
        drawn = np.asarray(draw_boxes(image, boxes, texts, colors))
        outlines = np.asarray(draw_boxes(image, boxes, ["", ""], colors))
        areas.append((drawn != outlines).any(axis=-1).sum())
    assert areas[2] > 0.9 * (areas[0] + areas[1])


def test_lines_and_letters_grow_with_the_image():
    counts = []
    for side in (600, 2400):
        drawn = np.asarray(
            draw_detections(np.zeros((side, side, 3), np.uint8), found([[side / 4] * 2 + [side / 2] * 2]))
        )
        counts.append(drawn.any(axis=-1).mean())
    assert counts[0] == pytest.approx(counts[1], rel=0.5)


def test_all_boxes_of_a_crowd_are_drawn():
    image = np.zeros((300, 300, 3), np.uint8)
    boxes = [[x, y, x + 12, y + 12] for x in range(5, 290, 20) for y in range(5, 290, 20)]
    drawn = np.asarray(draw_detections(image, found(boxes, "a long name")))
    plain = np.asarray(draw_boxes(image, np.array(boxes, float), [""] * len(boxes), [(0, 140, 255)] * len(boxes)))
    hidden = (plain.any(axis=-1) & ~drawn.any(axis=-1)).sum()
    assert hidden == 0
