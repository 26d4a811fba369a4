from pathlib import Path

from ssd300.errors import DataError, install_hint


def test_an_error_states_where_what_and_the_fix():
    error = DataError("the file is empty", where=Path("a.jpg"), fix="Replace it.")
    assert str(error) == "a.jpg: the file is empty. Replace it."
    assert (error.what, error.where, error.fix) == ("the file is empty", "a.jpg", "Replace it.")
    assert str(DataError("no image")) == "no image"


def test_an_extra_is_installed_from_the_checkout():
    assert install_hint("coco") == 'Run `python -m pip install ".[coco]"` in the checkout of ssd300.'


def test_an_extra_that_the_first_command_installs_is_named_as_part_of_it():
    assert install_hint("video").startswith('Run `python -m pip install ".[video]"` in the checkout of ssd300. ')
    assert "part of `app`" in install_hint("video")
