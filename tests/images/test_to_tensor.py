import numpy as np
import pytest
import torch

from ssd300.images.resize import RESIZES
from ssd300.images.to_tensor import to_float, to_input


def test_0_to_255_becomes_0_to_1():
    made = to_float(torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(3, 1, 1))
    assert made.dtype == torch.float32
    assert made.flatten().tolist() == pytest.approx([0.0, 0.2, 1.0])


@pytest.mark.parametrize("how", RESIZES)
def test_an_image_becomes_channels_first_and_is_not_changed(how):
    image = np.zeros((5, 7, 3), np.uint8)
    image[..., 1] = 51
    made = to_input(image, 4, how)
    assert made.shape == (3, 4, 4)
    torch.testing.assert_close(made[:, 0, 0], torch.tensor([0.0, 0.2, 0.0]))
    made += 1
    assert image.max() == 51
