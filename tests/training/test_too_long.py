import pytest

from ssd300.training.presets import PRESETS
from ssd300.training.too_long import WEEK_S, may_take_long, too_long


@pytest.mark.parametrize("name", PRESETS)
def test_only_runs_of_many_images_are_timed_first(name):
    config = PRESETS[name]("run")
    assert may_take_long(config, config.steps) == (name not in ("light", "best"))
    assert not may_take_long(config, 10)


def test_the_forecast_and_what_makes_the_run_shorter_are_said():
    text = str(too_long(PRESETS["paper"]("run", device="cpu"), 120_000, 12.0))
    assert "about 17 days, more than a week: 120,000 steps of 12 s" in text
    assert "Add --yes" in text
    assert f"--steps {WEEK_S // 12}," in text
    assert "--preset best" in text
    assert "--preset light" not in str(too_long(PRESETS["light"]("run", device="cpu"), 120_000, 12.0))
