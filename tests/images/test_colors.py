import os
import subprocess
import sys

import numpy as np
import pytest

from ssd300.images.colors import PALETTE, class_color, class_colors, label_colors, readable_on

NORMAL = np.eye(3)
# Linear RGB as people without red or without green cones see it (Machado, Oliveira and Fernandes 2009).
NO_RED = np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]])
NO_GREEN = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE_XYZ = np.array([0.9505, 1.0, 1.089])


def differences(colors, seen):
    """CIE76 color differences between all pairs: 2 can just be seen."""
    share = np.array(colors) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = np.clip(linear @ seen.T, 0, 1) @ TO_XYZ.T / WHITE_XYZ
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    lab = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
    return np.linalg.norm(lab[:, None] - lab[None], axis=2) + np.eye(len(colors)) * 1000


def test_a_name_has_the_same_color_in_every_process():
    code = "from ssd300.images.colors import class_color; print(class_color('dog'))"
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        printed = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert printed.stdout.strip() == str(class_color("dog"))


@pytest.mark.parametrize(("first", "seen", "least"), [(20, NORMAL, 25), (6, NO_RED, 25), (6, NO_GREEN, 18)])
def test_colors_tell_apart(first, seen, least):
    assert differences(PALETTE[:first], seen).min() > least


@pytest.mark.parametrize("background", [(0, 0, 0), (255, 255, 255), (128, 128, 128)])
def test_colors_or_their_edges_are_seen_on_any_background(background):
    for color in PALETTE:
        assert differences([color, readable_on(color), background], NORMAL)[2].max() > 40


def test_twenty_classes_differ_and_more_begin_again():
    names = [f"class {number}" for number in range(21)]
    colors = class_colors(names)
    assert list(colors.values()) == label_colors(range(21))
    assert len(set(colors.values())) == 20
    assert colors["class 20"] == colors["class 0"]


def test_text_is_black_on_light_colors_and_white_on_dark_ones():
    assert readable_on((255, 255, 0)) == (0, 0, 0)
    assert readable_on((0, 0, 255)) == (255, 255, 255)
