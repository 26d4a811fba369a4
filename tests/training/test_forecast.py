import pytest

from ssd300.errors import install_hint
from ssd300.training import forecast as forecasting
from ssd300.training.forecast import forecast


@pytest.mark.slow
def test_a_forecast_makes_real_steps_and_writes_nothing(config, data, held_out, tmp_path, monkeypatch):
    for part in ("STEPS_S", "STAGES_S", "EVALUATION_S"):
        monkeypatch.setattr(f"ssd300.training.timing.{part}", 0.0)
    found = forecast(data, config(tmp_path / "run", steps=1000, eval_every=100), validation=held_out)
    assert not (tmp_path / "run").exists()
    assert found.evaluations == 10
    assert found.finish_s == pytest.approx(1000 * found.step_s + 10 * found.evaluation_s)
    assert set(found.stages) == {"decode", "augment", "copy to the device", "network and update"}
    assert found.memory_bytes > 0
    assert found.disk_bytes > 0
    assert found.limit in found.stages
    rows = found.describe()
    assert rows["time to finish"].endswith("for 1,000 steps")
    assert rows["what would help"] == found.advice


@pytest.mark.parametrize(
    ("options", "fast", "stages", "waits", "limit", "advice"),
    [
        ({"workers": 0}, True, {"decode": 2.0, "augment": 1.0}, True, "decode", "--workers 2"),
        ({"workers": 2}, False, {"decode": 2.0, "augment": 1.0}, True, "decode", install_hint("fast")),
        ({"workers": 2}, True, {"decode": 2.0, "augment": 1.0}, True, "decode", "--cache ram"),
        ({"workers": 2}, True, {"decode": 1.0, "augment": 2.0}, True, "augment", "no option"),
        ({}, True, {}, False, "network and update", "--amp auto"),
        ({"amp": "auto"}, True, {}, False, "network and update", "a GPU"),
        ({"amp": "auto", "model": "ssd300_vgg16"}, True, {}, False, "network and update", "--model"),
    ],
)
def test_the_slowest_stage_decides_the_advice(config, monkeypatch, options, fast, stages, waits, limit, advice):
    monkeypatch.setattr(forecasting.os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(forecasting, "DECODES_FAST", fast)
    seconds = {"copy to the device": 0.0, "network and update": 1.0} | stages
    cpu = forecasting.choose_device("cpu")
    found, help_ = forecasting._advise(config("run", **options), cpu, seconds, waits=waits)
    assert found == limit
    assert help_.startswith(advice)
