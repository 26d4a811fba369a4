"""The path from pixels to placed boxes, with a network whose detections are known."""

import numpy as np

from ssd300.detection.network import Network, Prepared, detect, detect_batch, prepare
from ssd300.types import Detections, Selection


class Halves:
    """A network that finds the left half of each image."""

    card = None

    def prepare(self, image):
        return float(image.mean())

    def predict(self, inputs, selection):
        return list(inputs)

    def select(self, predictions, selection):
        return [
            Detections(
                boxes=np.array([[0.0, 0.0, 0.5, 1.0]]), scores=np.array([value / 255]), labels=np.zeros(1, np.int64),
                classes=("half",),
            )
            for value in predictions
        ]  # fmt: skip


def test_boxes_are_placed_in_pixels_of_each_original_image():
    network = Halves()
    images = [np.full((10, 40, 3), 255, np.uint8), np.full((8, 6, 3), 51, np.uint8)]
    prepared = [prepare(network, image) for image in images]
    assert prepared == [Prepared(255.0, (10, 40)), Prepared(51.0, (8, 6))]
    found = detect_batch(network, prepared, Selection())
    assert [one.boxes.tolist() for one in found.detections] == [[[0, 0, 20, 10]], [[0, 0, 3, 8]]]
    assert [one.scores.tolist() for one in found.detections] == [[1.0], [0.2]]
    assert found.network_s >= 0
    assert found.select_s >= 0


def test_boxes_stay_relative_where_networks_are_compared():
    (found,) = detect(Halves(), [np.zeros((10, 40, 3), np.uint8)], Selection())
    assert found.boxes.tolist() == [[0, 0, 0.5, 1]]


def test_what_has_the_three_steps_is_a_network():
    assert isinstance(Halves(), Network)
    assert not isinstance(object(), Network)
