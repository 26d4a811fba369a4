from dataclasses import replace

import numpy as np
import pytest
import torch

from export.alike import WIDE, assert_alike, photographs
from ssd300.cli import main
from ssd300.detection.network import detect
from ssd300.detection.torch_network import TorchNetwork
from ssd300.export.building import write_raw
from ssd300.export.graph import BOXES, IMAGES, SCORES, Deployed, to_onnx
from ssd300.images.read import read_image
from ssd300.images.resize import BILINEAR
from ssd300.model import ssd_lite0_fpn
from ssd300.runtime import Manifest, load_exported
from ssd300.runtime.sessions import open_session
from ssd300.types import Selection
from ssd300.weights import Card, load_weights, save_weights


@pytest.mark.parametrize("ending", ["onnx", "raw", pytest.param("xml", marks=pytest.mark.slow)])
def test_an_exported_file_finds_what_its_weights_find(ending, exported, light_run_of_session, shared):
    """On photographs of several sizes, a batch at once: the same detections."""
    images = [read_image(path) for path in photographs(shared)]
    wanted = detect(TorchNetwork(*load_weights(light_run_of_session)), images, WIDE)
    got = detect(load_exported(exported[ending]), images, WIDE)
    assert_alike(wanted, got)


@pytest.mark.slow
def test_weights_for_images_resized_without_antialiasing_find_the_same(light_run, tmp_path, shared):
    """As torchvision's SSD wants them: the file takes floats, and the runtime interpolates as torch does."""
    model, card = load_weights(light_run)
    save_weights(tmp_path / "w.safetensors", model, replace(card, resize=BILINEAR, clip_boxes=True))
    assert main(["export", "-w", str(tmp_path / "w.safetensors"), "--out", str(tmp_path / "e/m.onnx")]) == 0
    images = [read_image(path) for path in photographs(shared)]
    wanted = detect(TorchNetwork(*load_weights(tmp_path / "w.safetensors")), images, WIDE)
    assert_alike(wanted, detect(load_exported(tmp_path / "e/m.onnx"), images, WIDE))


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["onnx", "xml"])
def test_a_pyramid_enlarges_odd_maps_in_a_file_as_in_torch(ending, tmp_path):
    """Maps of 38, 19 and 10 cells: the last cells of the coarsest one are cut in half."""
    torch.manual_seed(0)
    model = ssd_lite0_fpn(1, heads="ssdlite").eval()
    card = Card(
        model="ssd_lite0_fpn", classes=("a",), settings=model.settings, normalization=model.normalization,
        heads="ssdlite",
    )  # fmt: skip
    manifest = Manifest(
        model=card.model, classes=card.classes, image_size_px=300, resize=card.resize, precision="fp32",
        suppresses=False,
    )  # fmt: skip
    file = tmp_path / f"m.{ending}"
    in_place = [getattr(layer, "inplace", None) for layer in model.modules()]
    write_raw(to_onnx(model, card), file, manifest, Selection())
    assert [getattr(layer, "inplace", None) for layer in model.modules()] == in_place
    assert True in in_place
    images = np.random.default_rng(0).integers(0, 256, (2, 300, 300, 3), dtype=np.uint8)
    with torch.no_grad():
        boxes, scores = Deployed(model, clip=False)(torch.from_numpy(images))
    found = open_session(file).run({IMAGES: images})
    np.testing.assert_allclose(found[BOXES], boxes.numpy(), atol=1e-4)
    np.testing.assert_allclose(found[SCORES], scores.numpy(), atol=1e-4)
