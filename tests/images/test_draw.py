import subprocess
import sys

import numpy as np
import pytest

from ssd300.images.colors import class_color
from ssd300.images.draw import draw_detections
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


def test_a_class_has_the_same_colour_in_every_process():
    code = "from ssd300.images.colors import class_color; print(class_color('dog'))"
    for seed in ("1", "2"):
        printed = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        assert printed.stdout.strip() == str(class_color("dog"))
