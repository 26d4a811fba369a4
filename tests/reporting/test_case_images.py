from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ssd300.evaluation.disagreement import Detected, Disagreement, Label
from ssd300.reporting.case_images import BESIDE, DETECTION, LABEL, OTHER_LABEL, TILE_PX, draw_case, draw_cases
from ssd300.types import Annotation

A, NEAR, FAR = (40.0, 40.0, 60.0, 60.0), (41.0, 41.0, 61.0, 61.0), (70.0, 40.0, 80.0, 60.0)


def annotation(*boxes, path=Path("a.png")):
    count = len(boxes)
    return Annotation(
        image_id="a", image_path=path, size_hw=(100, 200), boxes_px=np.array(boxes, float).reshape(-1, 4),
        labels=np.zeros(count, np.int64), difficult=np.zeros(count, bool),
    )  # fmt: skip


def case(label=None, other=None, detection=None, kind="loose", path=Path("a.png")):
    return Disagreement(
        kind=kind, image_index=0, image_id="a", image_path=path, label=label, other_label=other, detection=detection,
        suspicion=0.5,
    )  # fmt: skip


def colors(picture):
    return {tuple(color) for color in np.asarray(picture).reshape(-1, 3).tolist()}


def draw(one, boxes=(A, NEAR, FAR), shape=(100, 200, 3)):
    return draw_case(np.zeros(shape, np.uint8), one, annotation(*boxes))


def test_label_and_detection_have_their_own_colors_and_other_labels_are_gray():
    one = draw(case(Label(0, "cat", A), None, Detected("cat", 0.9, NEAR)))
    assert {LABEL, DETECTION, BESIDE} <= colors(one)
    assert OTHER_LABEL not in colors(one)
    assert one.size == (TILE_PX, TILE_PX)
    assert {LABEL, OTHER_LABEL} <= colors(draw(case(Label(0, "cat", A), Label(1, "cat", NEAR), kind="doubled")))
    missed = colors(draw(case(None, None, Detected("cat", 0.9, A)), boxes=()))
    assert DETECTION in missed
    assert not {LABEL, OTHER_LABEL, BESIDE} & missed


def test_the_line_of_a_detection_is_broken():
    one = np.asarray(draw(case(None, None, Detected("cat", 0.9, A)), boxes=()))
    drawn = (one == DETECTION).all(-1)
    row = drawn[np.flatnonzero(drawn.sum(1) > 40)[0]]
    changes = np.count_nonzero(np.diff(row.astype(int)))
    assert changes > 10


@pytest.mark.parametrize(
    ("box", "shape", "size"),
    [
        ((0.0, 0.0, 20.0, 20.0), (100, 200, 3), (TILE_PX, TILE_PX)),  # in a corner
        ((0.0, 0.0, 200.0, 100.0), (100, 200, 3), (TILE_PX, TILE_PX // 2)),  # the whole image
        ((0.0, 0.0, 1.0, 1.0), (1, 1, 3), (TILE_PX, TILE_PX)),
        ((5.0, 5.0, 5.0, 5.0), (10, 900, 3), (TILE_PX, TILE_PX)),  # empty
    ],
)
def test_a_picture_stays_inside_the_image(box, shape, size):
    assert draw(case(Label(0, "cat", box)), boxes=(box,), shape=shape).size == size


def test_images_that_cannot_be_read_are_named_and_the_others_drawn(tmp_path):
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.new("RGB", (200, 100)).save(good)
    bad.write_bytes(b"no image")
    cases = [case(Label(0, "cat", A), path=path) for path in (bad, good, good)]
    result = draw_cases(cases, [annotation(A)])
    assert list(result.pictures) == [1, 2]
    assert result.unread == ["a"]
