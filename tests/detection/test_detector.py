"""Detection on real photographs in every shape that images come in."""

import numpy as np
import pytest
import torch
from PIL import Image

from ssd300 import Detector
from ssd300.detection.torch_network import TorchNetwork
from ssd300.images.header import animation_notes
from ssd300.model import ssd300_efficientnet_lite0
from ssd300.weights import Card

UPRIGHT = 1
ORIENTATION = 0x0112  # EXIF


@pytest.fixture(scope="module")
def detector():
    torch.manual_seed(0)
    model = ssd300_efficientnet_lite0(3)
    card = Card(
        model="ssd300_efficientnet_lite0", classes=("a", "b", "c"), settings=model.settings,
        normalization=model.normalization,
    )  # fmt: skip
    return Detector(TorchNetwork(model, card))


@pytest.fixture(scope="module")
def photo(shared):
    path = sorted((shared / "data/voc_sample/VOCdevkit/VOC2007/JPEGImages").glob("*.jpg"))[0]
    with Image.open(path) as image:
        return image.convert("RGB")


def assert_inside(result):
    height, width = result.pixels.shape[:2]
    assert len(result) > 0
    assert np.isfinite(result.boxes).all()
    assert (result.boxes >= 0).all()
    assert (result.boxes <= [width, height, width, height]).all()
    assert (np.diff(result.scores) <= 0).all()
    assert result.draw().size == (width, height)


def assert_same(one, other):
    np.testing.assert_array_equal(one.pixels, other.pixels)
    np.testing.assert_allclose(one.boxes, other.boxes)
    assert one.names == other.names


def test_every_photograph_of_the_sample(detector, voc_sample):
    paths = sorted(voc_sample.glob("VOC*/JPEGImages/*.jpg"))
    assert len(paths) == 118
    for result in detector(paths[::6], min_score=0.0, top_k=5):
        assert_inside(result)


@pytest.mark.parametrize(
    ("name", "options"), [("a.png", {}), ("a.bmp", {}), ("a.tiff", {}), ("a.webp", {"lossless": True})]
)
def test_formats_without_loss_give_the_same_as_an_array(detector, photo, tmp_path, name, options):
    photo.save(tmp_path / name, **options)
    wanted = detector(np.asarray(photo), min_score=0.0, top_k=5)
    assert_same(detector(tmp_path / name, min_score=0.0, top_k=5), wanted)
    assert_same(detector(photo, min_score=0.0, top_k=5), wanted)
    (tmp_path / name).rename(tmp_path / "wrong.jpg")  # content decides, not the ending
    assert_same(detector(tmp_path / "wrong.jpg", min_score=0.0, top_k=5), wanted)


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "PA", "I;16", "CMYK"])
def test_modes(detector, photo, tmp_path, mode):
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    if mode == "I;16":
        Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257).save(path)
    elif mode == "PA":
        photo.quantize(16).save(path, transparency=0)
    else:
        photo.convert(mode).save(path)
    assert_inside(detector(path, min_score=0.0, top_k=5))


@pytest.mark.parametrize("orientation", range(UPRIGHT, 9))
def test_orientation_is_applied_before_anything_else(detector, photo, tmp_path, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    photo.save(tmp_path / "a.png", exif=exif)
    result = detector(tmp_path / "a.png", min_score=0.0, top_k=5)
    assert_inside(result)
    turned = orientation >= 5
    assert result.pixels.shape[:2] == ((photo.width, photo.height) if turned else (photo.height, photo.width))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (3, 4000), (4000, 3)])
def test_extreme_sizes(detector, photo, tmp_path, size):
    photo.resize(size).save(tmp_path / "a.png")
    assert_inside(detector(tmp_path / "a.png", min_score=0.0, top_k=5))


def test_the_first_frame_of_an_animation(detector, photo, tmp_path):
    frames = [photo.quantize(64), Image.new("P", photo.size)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert len(animation_notes([tmp_path / "a.gif"])) == 1
    frames[0].save(tmp_path / "still.gif")
    (tmp_path / "broken.gif").write_bytes(b"GIF89a")
    assert not animation_notes([tmp_path / "still.gif", tmp_path / "broken.gif", tmp_path / "absent.webp"])
    result = detector(tmp_path / "a.gif", min_score=0.0, top_k=5)
    assert result.notes == ("1 of 2 pages or frames is used",)
    assert_inside(result)
    assert np.abs(result.pixels.astype(int) - np.asarray(photo)).mean() < 20
