import numpy as np
import pytest
from PIL import Image

from conftest import write_voc
from data.checks.spoilt import GOOD


@pytest.fixture
def data(tmp_path):
    """Six images that differ, all with good annotations."""
    objects = dict.fromkeys("abcdef", GOOD)
    root = write_voc(tmp_path / "data", objects, {"trainval": list("abcd"), "test": list("ef")})
    random = np.random.default_rng(0)
    for name in objects:
        pixels = random.integers(0, 255, (120, 160, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / f"JPEGImages/{name}.jpg")
    return root
