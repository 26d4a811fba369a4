"""Counts with their nouns."""

import io
import os
import termios

import pytest

from ssd300.system.wording import counted, fitted, plural, wrapped


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


def test_long_lines_are_broken_between_words_and_commands_are_not():
    assert wrapped("short\n  a line of words", 12) == "short\n  a line of\n    words"
    assert wrapped("see it with `ssd300 info my run`, or not", 20) == ("see it with\n  `ssd300 info my run`,\n  or not")
    command = "    ssd300 detect a/long/path.jpg --weights runs/long"
    assert wrapped(command, 20) == command
    assert wrapped("/a/path/that/is/longer", 10) == "/a/path/that/is/longer"


def test_what_is_not_a_terminal_gets_whole_lines():
    text = "words " * 50
    assert fitted(text, io.StringIO()) == text
    reader, writer = os.openpty()
    termios.tcsetwinsize(writer, (24, 40))
    with os.fdopen(writer, "w") as terminal:
        lines = fitted(text, terminal).splitlines()
    os.close(reader)
    assert len(lines) > 5
    assert max(map(len, lines)) <= 40
