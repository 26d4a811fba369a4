"""Counts with their nouns."""

import pytest

from ssd300.system.wording import plural


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
