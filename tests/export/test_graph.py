from dataclasses import replace

import pytest

from export.alike import WIDE, assert_alike, photographs
from ssd300.cli import main
from ssd300.detection.network import detect
from ssd300.detection.torch_network import TorchNetwork
from ssd300.images.read import read_image
from ssd300.images.resize import BILINEAR
from ssd300.runtime import load_exported
from ssd300.weights import load_weights, save_weights


@pytest.mark.parametrize("ending", ["onnx", "raw", "xml"])
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
