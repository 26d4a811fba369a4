import io
import os

import numpy as np
import pytest
from PIL import Image

from ssd300.errors import DataError
from ssd300.images import read as images
from ssd300.images.header import (
    SUFFIXES,
    ImageHeader,
    ImageTooLargeError,
    NoImageError,
    image_size_hw,
    read_header,
)
from ssd300.images.read import decode_image, read_image, read_reduced

RED = (200, 30, 20)
MEAN_COLOR = (123, 117, 104)  # ssd_pascal.py:178 as RGB; it is seen through alpha


@pytest.mark.parametrize(
    ("name", "make", "expected"),
    [
        ("rgb.png", lambda: Image.new("RGB", (4, 3), RED), RED),
        ("gray.png", lambda: Image.new("L", (4, 3), 77), (77, 77, 77)),
        ("bit.png", lambda: Image.new("1", (4, 3), 1), (255, 255, 255)),
        ("palette.png", lambda: Image.new("RGB", (4, 3), RED).quantize(4), RED),
        ("alpha.png", lambda: Image.new("RGBA", (4, 3), (*RED, 0)), MEAN_COLOR),
        ("half_alpha.png", lambda: Image.new("RGBA", (4, 3), (*RED, 128)), (162, 73, 62)),  # 128/255 of RED
        ("gray_alpha.png", lambda: Image.new("LA", (4, 3), (9, 255)), (9, 9, 9)),
        ("deep.png", lambda: Image.fromarray(np.full((3, 4), 32896, np.uint16)), (128, 128, 128)),
        ("cmyk.tif", lambda: Image.new("CMYK", (4, 3), (0, 255, 255, 0)), (255, 0, 0)),
        ("wrong_ending.jpg", None, RED),
        ("still.webp", lambda: Image.new("RGB", (4, 3), (0, 0, 0)), (0, 0, 0)),
        ("one.bmp", lambda: Image.new("RGB", (4, 3), RED), RED),
    ],
)
def test_every_mode_becomes_rgb(tmp_path, name, make, expected):
    path = tmp_path / name
    if make is None:
        Image.new("RGB", (4, 3), RED).save(path, format="PNG")
    else:
        make().save(path)
    image = read_image(path)
    assert image.shape == (3, 4, 3)
    assert np.abs(image.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif", ".mpo"])
@pytest.mark.parametrize("orientation", range(1, 10))  # 9 is not defined, and has no effect
def test_orientation_is_applied(tmp_path, orientation, suffix):
    if suffix not in SUFFIXES:
        pytest.skip(f"this Pillow does not read {suffix}")
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned{suffix}"
    Image.new("RGB", (40, 20), RED).save(path, exif=exif if suffix == ".tif" else exif.tobytes())
    turned = orientation in (5, 6, 7, 8)
    wanted = (40, 20) if turned else (20, 40)
    assert read_image(path).shape[:2] == wanted
    assert image_size_hw(path) == wanted
    assert read_header(path).swaps_sides == turned
    assert read_header(path) == ImageHeader(stored_hw=(20, 40), orientation=orientation if orientation < 9 else 1)


def truncated(path):
    Image.effect_noise((64, 64), 50).save(path, format="JPEG")
    path.write_bytes(path.read_bytes()[:600])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "cannot be opened"),
        (lambda path: path.mkdir(), "folder"),
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_text("no image"), "not an image"),
        (truncated, "cannot be read"),
        (lambda path: Image.new("RGB", (4, 3)).save(path, format="EPS"), "a PostScript file"),
        (os.mkfifo, "device"),
    ],
)
def test_a_file_that_is_not_an_image_is_named(tmp_path, make, message):
    path = tmp_path / "bad.jpg"
    make(path)
    for read in (read_image, *([] if make is truncated else [read_header])):
        with pytest.raises(DataError, match=message) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert caught.value.fix


def test_damage_behind_the_header_does_not_hide_it(tmp_path):
    path = tmp_path / "cut.jpg"
    truncated(path)
    assert read_header(path) == ImageHeader(stored_hw=(64, 64), orientation=1)


def test_too_many_pixels_are_refused_before_decoding(tmp_path):
    path = tmp_path / "bomb.png"
    Image.new("1", (20_000, 10_001)).save(path)
    with pytest.raises(DataError, match="limit is 200,000,000"):
        read_image(path)


def test_of_bytes_the_kind_of_error_is_known_and_the_limit_can_be_set():
    with pytest.raises(NoImageError, match="upload: the file is empty"):
        decode_image(b"", where="upload")
    content = io.BytesIO()
    Image.new("RGB", (4, 3), RED).save(content, format="PNG")
    assert decode_image(content.getvalue(), where="upload", max_pixels=12).shape == (3, 4, 3)
    with pytest.raises(ImageTooLargeError, match="4 x 3 pixels; the limit is 11"):
        decode_image(content.getvalue(), where="upload", max_pixels=11)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_reduced_image_is_the_whole_one_but_smaller(tmp_path, ending, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"quarters.{ending}"
    corners = np.array([[[220, 20, 20], [20, 220, 20]], [[20, 20, 220], [220, 220, 20]]], np.uint8)
    Image.fromarray(corners.repeat(150, axis=0).repeat(200, axis=1)).save(path, exif=exif)
    whole = read_image(path)
    reduced, whole_hw = read_reduced(path, 100)
    assert whole_hw == whole.shape[:2] == image_size_hw(path)
    assert sorted(reduced.shape) == [3, 75, 100]
    assert np.abs(reduced[10, 10].astype(int) - whole[40, 40]).max() <= 3
    assert np.abs(reduced[-10, 10].astype(int) - whole[-40, 40]).max() <= 3
    assert (read_reduced(path, 400)[0] == whole).all()


def test_an_image_above_pillows_own_limit_is_reduced_without_a_warning(tmp_path):
    path = tmp_path / "large.jpg"
    Image.new("L", (9500, 9500), 77).save(path)
    reduced, whole_hw = read_reduced(path, 200)
    assert (reduced.shape, whole_hw) == ((200, 200, 3), (9500, 9500))
    assert (reduced == 77).all()
    path.write_bytes(b"text")
    with pytest.raises(NoImageError, match="not an image"):
        read_reduced(path, 200)


@pytest.mark.parametrize("kind", ["RGB", "L", "progressive", "4:4:4", "odd", "turned", "CMYK", "cut"])
def test_the_faster_decoder_gives_the_same_pixels_and_the_same_errors(tmp_path, monkeypatch, kind):
    pixels = np.random.default_rng(0).integers(0, 255, (9, 12, 3), dtype=np.uint8).repeat(7, 0).repeat(5, 1)
    image = Image.fromarray(pixels[: 61 if kind == "odd" else 63, : 59 if kind == "odd" else 60])
    exif = Image.Exif()
    exif[0x0112] = 6 if kind == "turned" else 1
    path = tmp_path / "a.jpg"
    image.convert(kind if kind in ("L", "CMYK") else "RGB").save(
        path, quality=80, exif=exif, progressive=kind == "progressive", subsampling=0 if kind == "4:4:4" else 2
    )
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:-400])

    def read() -> np.ndarray | str:
        try:
            return read_image(path)
        except DataError as error:
            return error.what

    assert images.simplejpeg is not None
    fast = read()
    monkeypatch.setattr(images, "simplejpeg", None)
    slow = read()
    assert isinstance(fast, str) == isinstance(slow, str) == (kind == "cut")
    assert np.array_equal(fast, slow)


def test_the_faster_decoder_agrees_on_real_photographs(voc_sample, monkeypatch):
    paths = sorted(voc_sample.rglob("*.jpg"))[:40]
    fast = [read_image(path) for path in paths]
    monkeypatch.setattr(images, "simplejpeg", None)
    assert all(np.array_equal(pixels, read_image(path)) for pixels, path in zip(fast, paths, strict=True))
