import numpy as np
import pytest
import torch

from ssd300.images.resize import ANTIALIASED, BILINEAR, resize, to_size
from ssd300.images.to_tensor import to_input


def test_sides_are_stretched_without_a_border():
    image = np.zeros((2, 6, 3), np.uint8)
    image[:, :3] = 200
    made = resize(image, 4)
    assert made.shape == (4, 4, 3)
    assert (made[:, 0] == 200).all()
    assert (made[:, -1] == 0).all()


def test_antialiasing_averages_and_four_neighbors_do_not():
    image = np.zeros((1, 8, 3), np.uint8)
    image[:, ::4] = 255  # columns 0 and 4; shrunk to a fourth, the points lie between columns 1 and 2, and 5 and 6
    assert to_size(image, 2, ANTIALIASED).min() > 0
    assert to_size(image, 2, BILINEAR).tolist() == [[[0.0] * 3] * 2] * 2


def test_bilinear_by_hand():
    image = np.array([[[0] * 3, [100] * 3]], np.uint8)
    made = to_size(image, 4, BILINEAR)
    assert made.dtype == np.float32
    assert made[0, :, 0].tolist() == [0.0, 25.0, 75.0, 100.0]  # at columns -1/4, 1/4, 3/4 and 5/4


@pytest.mark.parametrize("how", [ANTIALIASED, BILINEAR])
@pytest.mark.parametrize("size_hw", [(375, 500), (40, 30), (300, 300), (1, 1), (1, 700)])
def test_exported_files_and_torch_networks_get_the_same_pixels(how, size_hw):
    image = np.random.default_rng(0).integers(0, 256, (*size_hw, 3), dtype=np.uint8)
    by_numpy = torch.from_numpy(np.array(to_size(image, 300, how), dtype=np.float32)).permute(2, 0, 1) / 255
    torch.testing.assert_close(by_numpy, to_input(image, 300, how), rtol=0, atol=0.01 / 255)
