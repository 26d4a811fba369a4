"""Letters for names of every script: Pillow's own font, and for what it lacks others that are found on this machine.

Searched in this order: the packages of the extra `fonts`, matplotlib's fonts, the system's. A letter that none of them
has is not drawn as an empty box: `drawable` and `runs` put readable letters in its place.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from importlib.util import find_spec
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from PIL import ImageFont

from ssd300.system.wording import on_one_line

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")  # the extra "fonts": Noto, under the SIL Open Font License
SUFFIXES = (".ttf", ".otf", ".ttc")
SHARE = 0.9  # of the usual size: letters of other scripts are taller
REGULAR = 400  # the weight of a variable font, which may begin with its thinnest
# Fonts that have a box, a blank or a bitmap of one size for every letter.
USELESS = ("lastresort", "adobeblank", "notdef", "coloremoji", "color emoji", "apple color")
STYLES = ("bold", "italic", "oblique", "light", "thin", "black", "mono", "serif", "condensed")
JOINED = ("Mn", "Mc", "Me", "Cf")  # kinds of characters that belong to the one before: accents, joiners
INSTEAD = "?"
_OWN = Path()  # stands for Pillow's own font


class Run(NamedTuple):
    """A piece of a text, and the font that has its letters."""

    text: str
    font: Font


def runs(text: str, size: int) -> list[Run]:
    """The text in pieces of one font each; what no font has becomes a question mark."""
    text = on_one_line(text)
    if text.isascii():
        return [Run(text, own_font(size))]
    letters: list[tuple[str, Path]] = []
    for letter in text:
        joins = letters and unicodedata.category(letter) in JOINED
        file = letters[-1][1] if joins else _file_for(letter)
        letters.append((INSTEAD, _OWN) if file is None else (letter, file))
    files = [file for _, file in letters]
    for place, (letter, _) in enumerate(letters):
        around = {*files[place - 1 : place], *files[place + 1 : place + 2]}
        if letter == " " and len(around) == 1:  # between words of one script, as their order may be from right to left
            files[place] = around.pop()
    pieces = groupby(zip((letter for letter, _ in letters), files, strict=True), key=lambda pair: pair[1])
    return [
        Run("".join(letter for letter, _ in piece), own_font(size) if file == _OWN else _other_font(file, size))
        for file, piece in pieces
    ]


def undrawable(names: Iterable[str]) -> list[str]:
    """Those of the names that hold a letter for which there is no font."""
    return [name for name in names if not _is_drawable(name)]


def drawable(name: str, instead: str) -> str:
    """The name, or `instead` where there is no font for a letter of it."""
    return name if _is_drawable(name) else instead


@lru_cache(maxsize=32)
def own_font(size: int) -> Font:
    """Pillow's own font, which has the letters of English."""
    return ImageFont.load_default(size=size)


@lru_cache(maxsize=1024)
def _is_drawable(name: str) -> bool:
    return name.isascii() or all(
        unicodedata.category(letter) in JOINED or _file_for(letter) is not None for letter in on_one_line(name)
    )


@lru_cache(maxsize=4096)
def _file_for(letter: str) -> Path | None:
    """The first font that has a letter; None if there is none."""
    return next((file for file in (_OWN, *_files()) if _has(file, letter)), None)


def _has(file: Path, letter: str) -> bool:
    return ord(letter) in _letters(file)


@lru_cache(maxsize=1)
def _files() -> tuple[Path, ...]:
    from matplotlib import font_manager, get_data_path

    found: list[Path] = []
    for package in PACKAGES:
        if (spec := find_spec(package)) is not None and spec.submodule_search_locations:
            found += sorted(Path(spec.submodule_search_locations[0]).iterdir(), key=_rank)
    found += sorted((Path(get_data_path()) / "fonts/ttf").glob("DejaVuSans*"), key=_rank)
    found += sorted(map(Path, font_manager.findSystemFonts()), key=_rank)
    return tuple(one for one in found if one.suffix.lower() in SUFFIXES and not _rank(one)[0])


def _rank(file: Path) -> tuple[bool, int, int, str]:
    """Plain faces come first, then short names, as a family's usual face has; useless ones have True."""
    name = file.stem.lower()
    return any(word in name for word in USELESS), sum(word in name for word in STYLES), len(name), name


@lru_cache(maxsize=512)
def _letters(file: Path) -> frozenset[int]:
    """The code points that a font has; none for one that cannot be read, or drawn in any size."""
    from matplotlib.ft2font import FT2Font

    source: Any = str(file)
    if file == _OWN:
        path = getattr(own_font(12), "path", None)
        if not isinstance(path, BytesIO):  # Pillow without FreeType: its bitmap font
            return frozenset(range(32, 127))
        source = BytesIO(path.getvalue())
    try:
        font = FT2Font(source)
        return frozenset(font.get_charmap()) if font.scalable else frozenset()
    except (OSError, RuntimeError, ValueError):
        return frozenset()


@lru_cache(maxsize=64)
def _other_font(file: Path, size: int) -> Font:
    font = ImageFont.truetype(file, round(size * SHARE))
    try:
        axes = font.get_variation_axes()
        font.set_variation_by_axes([REGULAR if axis["name"] == b"Weight" else axis["default"] or 0 for axis in axes])
    except (OSError, NotImplementedError):  # not a variable font
        pass
    return font
