"""A model for jobs, which sees the mean color."""

import pytest

from mean_color import MeanColor
from ssd300.detection.bulk.run import Model


@pytest.fixture
def model(tmp_path) -> Model:
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"these weights")
    return Model(weights=str(weights), network=MeanColor(), load=MeanColor, device="cpu")
