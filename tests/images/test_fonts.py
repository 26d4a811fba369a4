"""Names of every script are drawn with a font that has their letters, and never as empty boxes."""

import numpy as np
import pytest

from ssd300.images import fonts
from ssd300.images.draw import draw_detections
from ssd300.types import Detections

HIEROGLYPH = "\U00013000"


@pytest.fixture(autouse=True)
def forget():
    """What was found with the fonts of one test is not known in the next one."""
    caches = (fonts._files, fonts._file_for, fonts._is_drawable, fonts._letters)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def text_of(text: str) -> list[str]:
    return [run.text for run in fonts.runs(text, 20)]


def test_letters_come_from_a_font_that_has_them():
    assert text_of("dog 0.50") == ["dog 0.50"]
    assert text_of("кошка 0.50") == ["кошка", " 0.50"]  # matplotlib's DejaVu Sans at least
    assert text_of("большая кошка") == ["большая кошка"]  # in one piece: the order of words may be from right to left
    assert fonts.undrawable(["dog", "кошка", "é"]) == []


def test_accents_stay_with_their_letter():
    assert "".join(text_of("кошка\u0301 x")) == "кошка\u0301 x"
    assert text_of("е\u0301") == ["е\u0301"]


def test_what_no_font_has_is_readable_and_told(monkeypatch):
    monkeypatch.setattr(fonts, "_files", lambda: ())
    assert fonts.undrawable(["dog", "кошка"]) == ["кошка"]
    assert text_of("кот x") == ["??? x"]
    assert fonts.drawable("кошка", "class 1") == "class 1"
    monkeypatch.setattr(fonts, "find_spec", lambda _name: None)


def test_a_name_without_font_is_drawn_as_the_number_of_its_class(monkeypatch):
    def drawn(name: str) -> np.ndarray:
        one = Detections(
            boxes=np.array([[20.0, 60, 200, 120]]), scores=np.array([0.5]), labels=np.array([0]), classes=(name,)
        )
        return np.asarray(draw_detections(np.zeros((200, 300, 3), np.uint8), one))

    assert (drawn("кошка") != drawn("class 0")).any()
    fonts._is_drawable.cache_clear()
    fonts._file_for.cache_clear()
    monkeypatch.setattr(fonts, "_files", lambda: ())
    assert (drawn("кошка") == drawn("class 0")).all()


def test_the_packages_of_the_extra_have_the_scripts_of_the_world():
    for package in fonts.PACKAGES:
        pytest.importorskip(package)
    names = ["猫", "ネコ", "고양이", "قطة", "कुत्ता", "แมว", "חתול", "γάτα", "🐕", "Ắ"]
    assert fonts.undrawable(names) == []
    assert all(len(text_of(name)) == 1 for name in names)
