import numpy as np
import pytest

from ssd300.boxes import area_px, iou_px


@pytest.mark.parametrize(
    ("a", "b", "iou"),
    [
        ((0, 0, 2, 2), (1, 1, 3, 3), 1 / 7),
        ((0, 0, 1, 1), (0, 0, 1, 1), 1.0),
        ((0, 0, 1, 1), (1, 0, 2, 1), 0.0),  # they touch
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),  # empty
    ],
)
def test_iou_by_hand(a, b, iou):
    assert float(iou_px(np.array(a, float), np.array(b, float))) == pytest.approx(iou)


def test_leading_shapes_broadcast():
    a, b = np.array([[0.0, 0, 2, 2], [1, 1, 3, 3]]), np.array([[0.0, 0, 2, 2], [5, 5, 6, 6], [1, 1, 3, 3]])
    assert iou_px(a[:, None], b[None]).tolist() == [[1.0, 0.0, pytest.approx(1 / 7)], [pytest.approx(1 / 7), 0.0, 1.0]]
    assert iou_px(a[:, None], b[None, :0]).shape == (2, 0)
    assert area_px(b.reshape(3, 1, 4)).tolist() == [[4.0], [1.0], [4.0]]
