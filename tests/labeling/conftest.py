import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from serving import started
from ssd300.labeling.label_store import LabelStore
from ssd300.labeling.opening import open_labels
from ssd300.model import ssd300_efficientnet_lite0
from ssd300.weights import Card, save_weights

CELLS = Path(__file__).parents[1] / "data_files" / "bccd"


@pytest.fixture
def photos(tmp_path) -> Path:
    """Three images of 60 x 40 pixels without labels."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"img{number}.png")
    return folder


@pytest.fixture
def cells(tmp_path) -> Path:
    """A copy of some of BCCD, in PASCAL VOC format."""
    return shutil.copytree(CELLS, tmp_path / "cells")


@pytest.fixture
def few_cells(cells):
    """Two images of BCCD and their labels, without lists."""
    shutil.rmtree(cells / "ImageSets")
    for path in sorted((cells / "Annotations").glob("*.xml"))[2:]:
        path.unlink()
    for path in (cells / "JPEGImages").glob("*.jpg"):
        if not (cells / "Annotations" / f"{path.stem}.xml").exists():
            path.unlink()
    return cells


@pytest.fixture
def store_of():
    def opened(folder, **options) -> LabelStore:
        return LabelStore(open_labels(folder, **options))

    return opened


@pytest.fixture(scope="session")
def cell_run(tmp_path_factory) -> Path:
    """Weights for BCCD's classes that were drawn and never trained: they disagree with the labels in many ways."""
    run = tmp_path_factory.mktemp("cells") / "drawn"
    torch.manual_seed(0)
    model = ssd300_efficientnet_lite0(3)
    card = Card(
        model="ssd300_efficientnet_lite0", classes=("Platelets", "RBC", "WBC"), settings=model.settings,
        normalization=model.normalization,
    )  # fmt: skip
    save_weights(run / "weights/best.safetensors", model, card)
    return run


@pytest.fixture
def label():
    """Starts a server for a folder."""

    def start(folder, *more):
        return started(["label", str(folder), *map(str, more)], ready="/healthz")

    return start
