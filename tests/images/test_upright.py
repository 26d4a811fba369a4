import numpy as np
import pytest
from PIL import Image

from ssd300.errors import DataError
from ssd300.images.header import read_header
from ssd300.images.read import read_image
from ssd300.images.upright import copy_upright


def turned(path, orientation=6, mode="RGB", **save):
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.kron(np.arange(24, dtype=np.uint8).reshape(4, 6) * 10, np.ones((8, 8), np.uint8))
    Image.fromarray(pixels).convert(mode).save(path, exif=exif, **save)
    return path


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.png", "RGB"), ("a.PNG", "L"), ("a.png", "RGBA"), ("a.tif", "RGB"), ("a.webp", "RGB"), ("a.jpg", "RGB"),
     ("a.jfif", "L"), ("a.mpo", "RGB"), ("a.jpeg", "CMYK")],
)  # fmt: skip
def test_a_turned_image_is_written_as_it_is_shown(tmp_path, name, mode):
    source = turned(tmp_path / name, mode=mode, **({"lossless": True} if name == "a.webp" else {}))
    target = tmp_path / f"copy_{name}"
    assert copy_upright(source, target)
    assert read_header(target).orientation == 1
    assert read_header(target).stored_hw == (48, 32)
    exact = target.suffix.lower() in (".png", ".tif", ".webp")
    difference = np.abs(read_image(source).astype(int) - read_image(target)).max()
    assert difference == 0 if exact else difference < 8


def test_any_other_image_is_the_same_file(tmp_path):
    source = turned(tmp_path / "a.jpg", orientation=1)
    assert not copy_upright(source, tmp_path / "b.jpg")
    assert (tmp_path / "b.jpg").read_bytes() == source.read_bytes()


def test_a_file_that_is_no_image_is_named(tmp_path):
    (tmp_path / "a.jpg").write_text("no image")
    with pytest.raises(DataError, match=r"a\.jpg"):
        copy_upright(tmp_path / "a.jpg", tmp_path / "b.jpg")
    assert not (tmp_path / "b.jpg").exists()
