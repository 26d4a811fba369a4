import io
import re
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from ssd300.errors import DataError
from ssd300.images import header
from ssd300.images.header import (
    SUFFIXES,
    ImageHeader,
    animation_notes,
    frames,
    is_image_name,
    read_header,
)
from ssd300.images.read import read_image

RED = (200, 30, 20)


def png_chunk(kind, data):
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def test_an_orientation_behind_the_pixels_of_a_png_is_found(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "late.png"
    Image.new("RGB", (40, 20), RED).save(path)
    end = png_chunk(b"IEND", b"")
    content = path.read_bytes()
    assert content.endswith(end)
    path.write_bytes(content.removesuffix(end) + png_chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + end)
    assert read_image(path).shape[:2] == (40, 20)
    assert read_header(path) == ImageHeader(stored_hw=(20, 40), orientation=6)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".bmp", ".jp2", ".gif", ".tga"])
def test_a_header_is_read_without_the_rest_of_the_file(tmp_path, suffix, monkeypatch):
    if suffix not in SUFFIXES:
        pytest.skip(f"this Pillow does not read {suffix}")
    path = tmp_path / f"large{suffix}"
    Image.effect_noise((900, 700), 90).save(path)
    assert path.stat().st_size > 300_000
    read = []

    class Counted(io.BufferedReader):
        def read(self, size=-1, /):
            read.append(content := super().read(size))
            return content

    monkeypatch.setattr(header, "open_file", lambda path: Counted(io.FileIO(path)))
    assert read_header(path).size_hw == (700, 900)
    assert sum(map(len, read)) < 100_000


def test_all_endings_of_the_supported_formats_are_names_of_images():
    Image.init()
    endings = {ending for ending, format in Image.registered_extensions().items() if format in header.FORMATS}
    decoded = {ending for ending in endings if Image.registered_extensions()[ending] in (*Image.OPEN, "MPO")}
    assert decoded <= set(SUFFIXES)
    assert len(set(SUFFIXES)) == len(SUFFIXES)
    for ending in SUFFIXES:
        assert is_image_name(f"folder.d/a b.c{ending}")
        assert is_image_name(Path(f"a{ending.upper()}"))
        assert is_image_name(f"a{ending[:2].upper()}{ending[2:]}")


@pytest.mark.parametrize("name", ["._a.jpg", "x/._a.JPG", "a.txt", "a.jpg.txt", "jpg", ".jpg", "", "a.eps", "a.svg"])
def test_other_names_are_not(name):
    assert not is_image_name(name)


def test_a_large_image_below_the_limit_is_read_in_every_format(tmp_path, monkeypatch):
    """Pillow warns from its own limit on, and refuses twice as many pixels; warnings are errors here."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    image = Image.effect_noise((40, 30), 50)
    turned = Image.Exif()
    turned[0x0112] = 6
    for name, how in {
        "a.png": {}, "a.jpg": {"exif": turned}, "a.tif": {}, "b.tif": {"compression": "tiff_lzw", "exif": turned},
        "a.webp": {}, "a.bmp": {}, "a.gif": {"save_all": True, "append_images": [image.rotate(90)]}, "a.tga": {},
        "a.ico": {"sizes": [(40, 30)]},
    }.items():  # fmt: skip
        path = tmp_path / name
        with monkeypatch.context() as without:
            without.setattr(Image, "MAX_IMAGE_PIXELS", None)
            image.save(path, **how)
        size_hw = (40, 30) if "exif" in how else (30, 40)
        assert read_header(path).size_hw == size_hw, name
        assert frames(path) == (2 if "append_images" in how else 1), name
        assert read_image(path).shape[:2] == size_hw, name
    assert Image.MAX_IMAGE_PIXELS == 100


def test_pillows_limit_is_back_after_reading_in_many_threads(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    paths = [tmp_path / f"{number}.png" for number in range(40)]
    for path in paths:
        Image.new("L", (10, 10)).save(path)
    paths[7].write_text("no image")

    def size(path):
        try:
            return read_image(path).shape
        except DataError:
            return None

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(size, paths)).count((10, 10, 3)) == 39
    assert Image.MAX_IMAGE_PIXELS == 100


def test_nothing_else_opens_images():
    """What opens a file on its own has other limits, formats and errors, and does not turn the image."""
    source = Path(header.__file__).parents[1]
    opens = r"\b(Image|PIL)\.open\(|ImageFile\("
    found = [path for path in source.rglob("*.py") if re.search(opens, path.read_text())]
    assert found == [Path(header.__file__)]


def test_frames_are_counted_and_animations_noted(tmp_path):
    still, moving, broken = (tmp_path / name for name in ("still.gif", "moving.gif", "broken.gif"))
    pages = [Image.new("RGB", (4, 3), (value, 0, 0)) for value in (10, 200)]
    pages[0].save(still)
    pages[0].save(moving, save_all=True, append_images=pages[1:])
    broken.write_text("no image")
    assert [frames(path) for path in (still, moving, broken)] == [1, 2, 1]
    (note,) = animation_notes([still, moving, broken])
    assert note == f"1 image has several pages or frames: {moving} (1 of 2 pages or frames is used)"
    assert animation_notes([still]) == []


def test_a_heic_photo_is_named_and_its_way_on(tmp_path, monkeypatch):
    monkeypatch.setattr(header, "_heif_library", lambda: None)
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")  # phones' apps rename it too
    with pytest.raises(DataError, match=r"HEIC.*pillow-heif.*save it as JPEG"):
        read_image(tmp_path / "a.jpg")
