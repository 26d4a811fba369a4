import pytest
import torch

from ssd300.batches import Photometric
from ssd300.data.photometric import apply_photometric
from ssd300.images.to_tensor import to_float


def photometric(**changes):
    values = {"brightness": 0.0, "contrast": 1.0, "saturation": 1.0, "hue_degrees": 0.0, "contrast_first": True}
    return Photometric(
        **{name: torch.tensor([value]) for name, value in (values | changes).items()},
        content_px=torch.tensor([[0, 0, 2, 1]]),
    )


@pytest.mark.parametrize(
    ("changes", "pixel"),
    [
        ({}, (200, 100, 50)),
        ({"brightness": 100.0}, (255, 200, 150)),  # added, and cut at white
        ({"contrast": 0.5}, (100, 50, 25)),
        ({"saturation": 0.5}, (200, 150, 125)),
        ({"saturation": 2.0}, (200, 200 - 200 * 2 / 3, 0)),  # saturation is 1 at most
        ({"hue_degrees": 120.0}, (50, 200, 100)),
        ({"hue_degrees": -120.0}, (100, 50, 200)),
    ],
)
def test_colors_by_hand(changes, pixel):
    image = torch.tensor([200, 100, 50], dtype=torch.uint8).reshape(1, 3, 1, 1).expand(1, 3, 2, 3).clone()
    fill = torch.tensor([0.1, 0.2, 0.3]).reshape(3, 1, 1)
    changed = apply_photometric(image, photometric(**changes), fill)
    torch.testing.assert_close(changed[0, :, 0, 0] * 255, torch.tensor(pixel).float(), rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(changed[0, :, 1, 2], torch.tensor([0.1, 0.2, 0.3]))  # outside of the photograph
    if not changes:
        torch.testing.assert_close(changed[0, :, 0, :2], to_float(image)[0, :, 0, :2])
