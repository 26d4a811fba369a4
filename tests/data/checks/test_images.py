import shutil

import pytest
from PIL import Image

from data.checks.spoilt import GOOD, assert_found, label


def turned(root):
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(root / "JPEGImages/a.jpg") as image:
        image.save(root / "JPEGImages/a.jpg", exif=exif)


SPOILT = {
    "image": (lambda d: (d / "JPEGImages/a.jpg").write_bytes(b"text"), "error", "a.jpg", None),
    "animated": (
        lambda d: Image.new("L", (160, 120)).save(
            d / "JPEGImages/a.jpg", "GIF", save_all=True, append_images=[Image.new("L", (160, 120), 99)]
        ), "warning", "a.jpg", None,
    ),
    "size": (
        lambda d: label(d, "a", GOOD, "<size><width>200</width><height>150</height></size>"), "error", "a.xml", None,
    ),
    "turned-boxes": (turned, "warning", "a.xml", None),
    "duplicate-across-splits": (
        lambda d: shutil.copy(d / "JPEGImages/a.jpg", d / "JPEGImages/e.jpg"), "error", "e.jpg", None,
    ),
    "duplicate": (lambda d: shutil.copy(d / "JPEGImages/a.jpg", d / "JPEGImages/b.jpg"), "warning", "b.jpg", None),
}  # fmt: skip


@pytest.mark.parametrize("rule", SPOILT)
def test_each_rule(data, capsys, rule):
    assert_found(data, capsys, rule, SPOILT[rule])
