from pathlib import Path

from ssd300.errors import DataError, install_hint


def test_an_error_states_where_what_and_the_fix():
    error = DataError("the file is empty", where=Path("a.jpg"), fix="Replace it.")
    assert str(error) == "a.jpg: the file is empty. Replace it."
    assert (error.what, error.where, error.fix) == ("the file is empty", "a.jpg", "Replace it.")
    assert str(DataError("no image")) == "no image"


def test_an_extra_is_installed_from_the_checkout():
    assert install_hint("coco") == "Run `python -m pip install '.[coco]'` in the checkout of ssd300."
