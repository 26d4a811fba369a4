import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/beside_the_paper.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("beside_the_paper", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_published_aps_have_the_published_mean(script):
    assert len(script.TABLE_1) == 20
    assert sum(script.TABLE_1.values()) / 20 == pytest.approx(script.TABLE_1_MEAN, abs=0.05)


def test_each_class_and_the_means_have_their_difference(script):
    report = {"map": 0.772, "images": 4952, "per_class": {"cat": {"ap": 0.881}, "dog": {"ap": None}}}
    rows = {line.split()[0]: line.split()[1:] for line in script.table(report)[1:21]}
    assert rows["cat"] == ["88.1", "86.1", "+2.0"]
    assert rows["dog"] == ["-", "84.5", "-"]
    assert script.table(report)[21].split() == ["mean", "77.2", "74.3", "+2.9"]
    assert script.table(report)[-1].split() == ["mean", "77.2", "77.2", "+0.0"]
    assert "not comparable" in script.table(report | {"images": 18})[-1]
