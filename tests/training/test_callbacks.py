import json
import signal

import pytest
import torch

from ssd300.training import validation
from ssd300.training.averaging import average_of, averaging_decay
from ssd300.training.callbacks import Callback
from ssd300.training.forecast import forecast
from ssd300.training.loop import train
from ssd300.training.presets import PRESETS
from ssd300.weights import load_weights, read_card


class Listener(Callback):
    def __init__(self) -> None:
        self.heard = []

    def on_start(self, config, dataset, progress):
        self.heard.append(("start", progress.step))

    def on_step(self, row):
        self.heard.append(("step", row.step))

    def on_epoch(self, epoch):
        self.heard.append(("epoch", epoch))

    def on_evaluation(self, progress, report, average=None):
        self.heard.append(("evaluation", report.images))

    def on_end(self, summary):
        self.heard.append(("end", summary["steps"]))

    def on_error(self, error):
        self.heard.append(("error", type(error)))


class Failing(Callback):
    def on_step(self, row):
        raise ValueError("mine")


def test_events_come_in_order_and_a_callback_that_raises_is_logged(config, data, held_out, tmp_path, caplog):
    listener = Listener()
    train(data, config(tmp_path / "run"), validation=held_out, callbacks=[Failing(), listener])
    steps = [("step", 1), ("step", 2), ("epoch", 1), ("step", 3), ("step", 4), ("epoch", 2)]
    assert listener.heard == [("start", 0), *steps, ("evaluation", 1), ("end", 4)]
    assert caplog.text.count("the callback Failing failed in on_step and the run goes on: ValueError: mine") == 4


def test_an_error_is_told_and_written_into_the_log(config, data, tmp_path):
    listener = Listener()
    with pytest.raises(RuntimeError):
        train(data, config(tmp_path / "run", lr=1e30, warmup_steps=0, grad_clip=None), callbacks=[listener])
    assert listener.heard[-1][0] == "error"
    assert "the run ended by an error: step" in (tmp_path / "run/train.log").read_text()


def test_the_average_of_the_weights_by_hand():
    assert [averaging_decay(updates, 0.5) for updates in (0, 5, 8, 1000)] == [0.1, 6 / 15, 0.5, 0.5]
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(model.weight, 4.0)
    average = average_of(model, decay=0.5)
    average.update_parameters(model)  # the first update copies
    torch.nn.init.constant_(model.weight, 0.0)
    average.update_parameters(model)
    assert float(average.module.weight.detach()) == pytest.approx(4.0 * averaging_decay(1, 0.5))


def test_the_average_is_evaluated_and_saved_beside_the_weights(config, data, held_out, tmp_path):
    summary = train(data, config(tmp_path / "run", ema=True), validation=held_out)
    best = read_card(tmp_path / "run/weights/best.safetensors")
    assert summary["averaged"] is best.source.get("averaged", False)
    assert '"map_ema"' in (tmp_path / "run/metrics.jsonl").read_text()
    assert read_card(tmp_path / "run/weights/last_ema.safetensors").source["averaged"] is True
    raw, average = (
        load_weights(tmp_path / "run/weights" / f"{name}.safetensors")[0].state_dict() for name in ("last", "last_ema")
    )
    assert any(not torch.equal(tensor, average[name]) for name, tensor in raw.items())


def test_patience_ends_a_run_that_gets_no_better(config, data, held_out, tmp_path):
    options = {"steps": 50, "eval_every": 1, "patience": 2, "lr": 1e-9}
    summary = train(data, config(tmp_path / "run", **options), validation=held_out)
    rows = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    maps = [row["map"] for row in rows if "map" in row]
    assert maps.index(max(maps)) == len(maps) - 3  # the first of the best, and two that were no better
    assert summary["steps"] == len(maps) < 50
    assert "as --patience says" in (tmp_path / "run/train.log").read_text()


def test_a_signal_in_an_evaluation_gives_it_up_and_the_resumed_run_makes_it(
    config, data, held_out, tmp_path, monkeypatch
):
    train(data, config(tmp_path / "whole", eval_every=2), validation=held_out)
    detect_all = validation.detect_all

    def signalled(*arguments):
        signal.raise_signal(signal.SIGINT)
        return detect_all(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(validation, "detect_all", signalled)
        with pytest.raises(KeyboardInterrupt):
            train(data, config(tmp_path / "parts", eval_every=2), validation=held_out)
    assert "the evaluation was interrupted" in (tmp_path / "parts/train.log").read_text()
    parts = train(data, config(tmp_path / "parts", eval_every=2), validation=held_out, resume=True)
    rows = (tmp_path / "parts/metrics.jsonl").read_text()
    assert rows.count('"map"') == (tmp_path / "whole/metrics.jsonl").read_text().count('"map"') == 2
    assert parts["steps"] == 4


def test_tensorboard_gets_events(config, data, held_out, tmp_path):
    board = pytest.importorskip("ssd300.training.tensorboard")
    train(data, config(tmp_path / "run"), validation=held_out, callbacks=[board.TensorBoard()])
    assert list((tmp_path / "run/tensorboard").glob("events.out.tfevents.*"))


def test_a_forecast_makes_real_steps_and_writes_nothing(config, data, held_out, tmp_path, monkeypatch):
    monkeypatch.setattr("ssd300.training.forecast.AT_LEAST_S", 0.0)
    found = forecast(data, config(tmp_path / "run", steps=1000, eval_every=100), validation=held_out)
    assert not (tmp_path / "run").exists()
    assert found.evaluations == 10
    assert found.finish_s == pytest.approx(1000 * found.step_s + 10 * found.evaluation_s)
    assert set(found.stages) == {"decode", "augment", "copy to the device", "network and update"}
    assert found.memory_bytes > 0
    assert found.disk_bytes > 0
    assert found.limit in found.stages


def test_the_schedule_is_told_in_images(tmp_path):
    assert PRESETS["paper"](tmp_path).describe_schedule(16_551) == (
        "3,840,000 images (232 epochs) in 120,000 steps of 32; rate 0.001, times 0.1 after 2,560,000 and 3,200,000 "
        "images"
    )
