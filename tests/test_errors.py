from pathlib import Path

from ssd300.errors import DataError, MistakesError, UsageError, alike, did_you_mean, install_hint


def test_an_error_states_where_what_and_the_fix():
    error = DataError("the file is empty", where=Path("a.jpg"), fix="Replace it.")
    assert str(error) == "a.jpg: the file is empty. Replace it."
    assert (error.what, error.where, error.fix) == ("the file is empty", "a.jpg", "Replace it.")
    assert str(DataError("no image")) == "no image"


def test_an_extra_is_installed_from_the_checkout():
    assert install_hint("coco") == 'Run `python -m pip install ".[coco]"` in the checkout of ssd300.'


def test_names_that_are_spelled_alike_come_nearest_first():
    assert alike("rbc", ["WBC", "RBC", "Platelets"]) == ["RBC", "WBC"]
    assert alike("vgg16", ["ssd300_vgg16", "ssd300_efficientnet_lite0"]) == ["ssd300_vgg16"]
    assert alike("dog", ["cat"]) == alike("", ["cat"]) == alike("dog", []) == []
    assert did_you_mean("catt", ["cat"], "See the list.") == "Did you mean cat?"
    assert did_you_mean("dog", ["cat"], "See the list.") == "See the list."


def test_several_errors_are_one_with_the_first_in_front():
    error = MistakesError([UsageError("no option"), DataError("no image")])
    assert str(error) == "no option; no image"
    assert isinstance(error.errors[0], UsageError)


def test_an_extra_that_the_first_command_installs_is_named_as_part_of_it():
    assert install_hint("video").startswith('Run `python -m pip install ".[video]"` in the checkout of ssd300. ')
    assert "part of `app`" in install_hint("video")
