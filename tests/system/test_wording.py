"""Counts with their nouns."""

import pytest

from ssd300.system.wording import counted, plural


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((0, "image"), "0 images"),
        ((1, "image"), "1 image"),
        ((2000, "image"), "2,000 images"),
        ((1, "class", "classes"), "1 class"),
        ((3, "class", "classes"), "3 classes"),
    ],
)
def test_counts_with_their_nouns(words, text):
    assert plural(*words) == text


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 images are missing"),
        (1, "1 image is missing"),
        (2, "2 images are missing"),
        (1500, "1,500 images are missing"),
    ],
)
def test_a_text_agrees_with_its_count(count, words):
    assert counted(count, "{image is|images are} missing") == words
    assert counted(count, "left") == f"{count:,} left"
