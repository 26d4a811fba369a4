"""Files of one scene in every kind of image, and files that are none, for tests of what reads them."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin, TiffTags, features

SUBFILE_TYPE, SUB_IFDS = 254, 330  # TIFF's tags
ORIENTATION, EXIF_FOLDER, EXIF_WIDTH, EXIF_HEIGHT = 0x0112, 0x8769, 0xA002, 0xA003
_LEVELS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
SCENE = Image.fromarray(np.repeat(np.repeat(_LEVELS, 8, 0), 8, 1))
GRAY = np.asarray(SCENE.convert("L"))


def saved(name: str, image: Image.Image, **options: Any) -> Callable[[Path], Path]:
    def save(folder: Path) -> Path:
        more = [one.copy() for one in options.get("append_images", ())]  # copies, as Pillow's encoders leave traces
        image.copy().save(folder / name, **options | ({"append_images": more} if more else {}))
        return folder / name

    return save


def exif(orientation: int, size: tuple[int, int]) -> Image.Exif:
    """As a camera writes it, with the size of the stored pixels."""
    result = Image.Exif()
    result[ORIENTATION] = orientation
    result.get_ifd(EXIF_FOLDER).update({EXIF_WIDTH: size[0], EXIF_HEIGHT: size[1]})
    return result


def transparent() -> Image.Image:
    image = SCENE.convert("RGBA")
    image.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, SCENE.width).astype(np.uint8), (SCENE.height, 1))))
    return image


def lab() -> Image.Image:
    return ImageCms.profileToProfile(
        SCENE, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )


MORE: Sequence[Image.Image] = [
    SCENE.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    Image.new("RGB", SCENE.size, (9, 99, 9)),
]
PAGES: dict[str, Any] = {"save_all": True, "append_images": MORE}

KINDS: dict[str, Callable[[Path], Path]] = {
    "rgb": saved("a.png", SCENE),
    "jpeg": saved("a.jpg", SCENE, quality=95),
    "progressive": saved("a.jfif", SCENE, format="JPEG", progressive=True),
    "turned": saved("a.jpe", SCENE, format="JPEG", exif=exif(6, SCENE.size)),
    "mirrored": saved("a.png", SCENE, exif=exif(4, SCENE.size)),
    "turned webp": saved("a.webp", SCENE, lossless=True, exif=exif(8, SCENE.size)),
    "turned tiff": saved("a.tif", SCENE, exif=exif(5, SCENE.size)),
    "damaged exif": saved("a.jpg", SCENE, exif=b"Exif\0\0garbage garbage"),
    "gray": saved("a.png", SCENE.convert("L")),
    "gray jpeg": saved("a.jpg", SCENE.convert("L")),
    "16 bits": saved("a.png", Image.fromarray(GRAY.astype(np.uint16) * 257)),
    "16 bits tiff": saved("a.tiff", Image.fromarray(GRAY.astype(np.uint16) * 257)),
    "1 bit": saved("a.png", SCENE.convert("1")),
    "1 bit transparent": saved("a.png", SCENE.convert("1"), transparency=0),
    "gray transparent": saved("a.png", SCENE.convert("L"), transparency=int(GRAY[0, 0])),
    "rgb transparent": saved("a.png", SCENE, transparency=tuple(int(value) for value in _LEVELS[0, 0])),
    "palette": saved("a.png", SCENE.quantize(16)),
    "palette transparent": saved("a.png", SCENE.quantize(16), transparency=3),
    "alpha": saved("a.png", transparent()),
    "gray alpha": saved("a.png", transparent().convert("LA")),
    "cmyk": saved("a.jpg", SCENE.convert("CMYK")),
    "cmyk tiff": saved("a.tif", SCENE.convert("CMYK")),
    "ycbcr": saved("a.tif", SCENE.convert("YCbCr")),
    "lab": saved("a.tif", lab()),
    "float": saved("a.tif", Image.fromarray(GRAY.astype(np.float32) / 255)),
    "32 bits": saved("a.tif", Image.fromarray(GRAY.astype(np.int32) * 257)),
    "bmp": saved("a.bmp", SCENE),
    "ppm": saved("a.ppm", SCENE),
    "tga": saved("a.tga", SCENE),
    "ico": saved("a.ico", SCENE, sizes=[(16, 16), (32, 32)]),
    "gif": saved("a.gif", SCENE.quantize(32)),
    "pages": saved("a.tif", SCENE, **PAGES),
    "moving png": saved("a.png", SCENE, **PAGES),
    "moving gif": saved("a.gif", SCENE, **PAGES),
    "moving webp": saved("a.webp", SCENE, **PAGES),
    "pages, wrong ending": saved("a.jpg", SCENE, **PAGES, format="TIFF"),
    "two lenses": saved("a.mpo", SCENE, **PAGES),
}
if features.check("jpg_2000"):
    KINDS["jpeg 2000"] = saved("a.jp2", SCENE)
if features.check("avif"):
    KINDS["avif"] = saved("a.avif", SCENE)
    KINDS["moving avif"] = saved("a.avif", SCENE, **PAGES)


def truncated() -> bytes:
    file = io.BytesIO()
    SCENE.save(file, "JPEG")
    return file.getvalue()[:-200]


def camera_raw() -> bytes:
    """As cameras write it: a preview, marked as such, and the photo in a sub-directory."""
    tags, file = TiffImagePlugin.ImageFileDirectory_v2(), io.BytesIO()
    tags.tagtype[SUB_IFDS] = TiffTags.LONG
    tags[SUBFILE_TYPE], tags[SUB_IFDS] = 1, 8
    SCENE.copy().save(file, "TIFF", tiffinfo=tags)
    return file.getvalue()


# The name of a file that is no image, its content, and words that say so.
BAD: dict[str, tuple[str, bytes, str]] = {
    "empty": ("a.jpg", b"", "the file is empty"),
    "text": ("a.jpg", b"no image\n", "not an image"),
    "truncated": ("a.jpg", truncated(), "cannot be read"),
    "heic": ("a.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), "HEIC"),
    "jpeg xl": ("a.jxl", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "JPEG XL"),
    "raw": ("a.NEF", camera_raw(), "camera's raw"),
    "canon": ("a.cr2", b"II*\0\x10\0\0\0CR\2\0" + bytes(50), "camera's raw"),
    "svg": ("a.svg", b'<?xml version="1.0"?>\n<svg width="4"/>', "SVG"),
    "pdf": ("a.pdf", b"%PDF-1.7\n" + bytes(20), "PDF"),
    "psd": ("a.psd", b"8BPS\0\1" + bytes(20), "Photoshop"),
    "web page": ("a.jpg", b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "video": ("a.jpg", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2" + bytes(20), "a video"),
}
