import pytest

from ssd300.data import load_dataset
from ssd300.data.synthetic import write_synthetic_dataset
from ssd300.training.config import TrainConfig
from ssd300.training.loop import train


@pytest.mark.slow
def test_twenty_drawn_images_are_learnt_by_heart(tmp_path):
    """Without augmentation the whole path from file to mAP must come to nearly 1 on what it was trained on."""
    write_synthetic_dataset(tmp_path / "data", train=20, test=1)
    data = load_dataset(tmp_path / "data")
    config = TrainConfig(
        out=tmp_path / "run", model="ssd300_efficientnet_lite0", init="imagenet", augment=False, steps=60, batch_size=5,
        lr=2e-2, schedule="cosine", warmup_steps=5, grad_clip=10.0, workers=0,
    )  # fmt: skip
    summary = train(data, config, validation=data)
    assert summary["map"] > 0.95
