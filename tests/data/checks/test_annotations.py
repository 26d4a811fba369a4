import pytest

from conftest import object_xml
from data.checks.spoilt import GOOD, assert_found, label, run


@pytest.mark.slow
def test_the_two_boxes_of_bccd_that_are_a_pixel_wide_are_reported(bccd, capsys):
    code, report = run(capsys, bccd, "--no-pixels")
    assert code == 0
    boxes = [problem for problem in report["problems"] if problem["rule"] == "one-pixel-box"]
    named = [(problem["file"].rsplit("/", 1)[-1], problem["object"]) for problem in boxes]
    assert named == [("BloodImage_00338.xml", 13), ("BloodImage_00343.xml", 4)]


SPOILT = {
    "box": (lambda d: label(d, "a", GOOD + object_xml("red", (50, 5, 20, 60))), "error", "a.xml", 2),
    "annotation": (lambda d: (d / "Annotations/a.xml").write_text("<annotation>"), "error", "a.xml", None),
    "annotation ": (lambda d: (d / "Annotations/a.xml").unlink(), "error", "a.xml", None),
    "missing-image": (lambda d: (d / "JPEGImages/a.jpg").unlink(), "error", "a.xml", None),
    "class-spelling": (lambda d: label(d, "a", object_xml("Red ", (20, 20, 90, 90))), "warning", "a.xml", None),
    "absent-class": (lambda d: label(d, "a", GOOD + object_xml("blue", (20, 20, 90, 90))), "warning", "", None),
    "no-objects": (lambda d: [label(d, name, "") for name in "abcdef"], "error", "", None),
}  # fmt: skip


@pytest.mark.parametrize("rule", SPOILT)
def test_each_rule(data, capsys, rule):
    assert_found(data, capsys, rule, SPOILT[rule])
