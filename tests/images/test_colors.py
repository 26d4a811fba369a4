import subprocess
import sys

from ssd300.images.colors import class_color, readable_on


def test_a_class_has_the_same_color_in_every_process():
    code = "from ssd300.images.colors import class_color; print(class_color('dog'))"
    for seed in ("1", "2"):
        printed = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        assert printed.stdout.strip() == str(class_color("dog"))


def test_text_is_black_on_light_colors_and_white_on_dark_ones():
    assert readable_on((255, 255, 0)) == (0, 0, 0)
    assert readable_on((0, 0, 255)) == (255, 255, 255)
