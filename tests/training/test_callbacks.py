import logging

import numpy as np
import pytest
import torch

from run_weights import LAST, LAST_AVERAGED, assert_equal_weights
from ssd300.training.callbacks import Callback, Callbacks
from ssd300.training.loop import train
from ssd300.training.records import StepRow
from ssd300.training.state import Progress
from ssd300.weights import read_card

ROW = StepRow(step=1, images_seen=2, seconds=0.1, lr=0.1, localization=1.0, classification=2.0)


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

    def on_save(self, progress):
        self.heard.append(("save", progress.step))

    def on_end(self, summary):
        self.heard.append(("end", summary["steps"]))

    def on_error(self, error):
        self.heard.append(("error", type(error)))


class Failing(Callback):
    def on_step(self, row):
        raise ValueError("mine")


class Vandal(Callback):
    """Writes into everything that it is given, and counts where it could."""

    def __init__(self) -> None:
        self.spoiled = set()

    def on_start(self, config, dataset, progress):
        object.__setattr__(config, "lr", 1e6)
        self.spoil_dataset(dataset, "start")

    def on_first_batch(self, batch, fill):
        fill.fill_(9.0)
        batch.images.zero_()
        batch.targets.boxes.zero_()
        batch.targets.labels.zero_()
        batch.photometric.brightness.fill_(100.0)
        self.spoiled.add("batch")

    def on_evaluation(self, progress, report, average=None):
        progress.best["map"] = 7.0
        for each in (report, average):
            each.detections.scores[:] = 1.0
            each.scores[0].per_class.clear()
            self.spoil_dataset(each.dataset, "evaluation")

    def on_save(self, progress):
        progress.best.clear()
        self.spoiled.add("save")

    def on_end(self, summary):
        summary.clear()
        self.spoiled.add("end")

    def spoil_dataset(self, dataset, event):
        for annotation in dataset.annotations:
            annotation.boxes_px[:] = 0
            annotation.labels[:] = 1
            annotation.difficult[:] = True
        dataset.annotations.clear()
        self.spoiled.add(event)


def without_times(summary):
    return {name: value for name, value in summary.items() if name != "seconds"}


@pytest.mark.slow
def test_a_callback_that_writes_into_all_that_it_is_given_changes_nothing(config, data, held_out, tmp_path, caplog):
    options = {"steps": 2, "eval_every": 1, "save_every": 1, "ema": True}
    vandal = Vandal()
    one = train(data, config(tmp_path / "alone", **options), validation=held_out)
    other = train(data, config(tmp_path / "spoiled", **options), validation=held_out, callbacks=[vandal])
    assert "failed in" not in caplog.text
    assert vandal.spoiled == {"start", "batch", "evaluation", "save", "end"}
    for name in (LAST, LAST_AVERAGED, "weights/best.safetensors"):
        assert_equal_weights(tmp_path / "alone", tmp_path / "spoiled", name)
        assert read_card(tmp_path / "alone" / name) == read_card(tmp_path / "spoiled" / name)
    assert without_times(one) == without_times(other)
    for name in ("eval/detections.jsonl", "eval/per_class.csv", "images/training_batch.jpg"):
        assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / "spoiled" / name).read_bytes(), name
    states = [torch.load(str(tmp_path / name / "state/last.pt")) for name in ("alone", "spoiled")]
    assert states[0]["progress"]["best"] == states[1]["progress"]["best"]


def test_each_callback_gets_a_copy_of_its_own(data, config):
    class Keeping(Callback):
        def on_start(self, config, dataset, progress):
            self.boxes_px = dataset.annotations[0].boxes_px

    first, second = Keeping(), Keeping()
    Callbacks((), (first, second)).on_start(config("run"), data, Progress())
    for one, other in ((first.boxes_px, second.boxes_px), (first.boxes_px, data.annotations[0].boxes_px)):
        assert np.array_equal(one, other)
        assert not np.shares_memory(one, other)


@pytest.mark.slow
def test_events_come_in_order_and_a_callback_that_raises_is_logged(config, data, held_out, tmp_path, caplog):
    listener = Listener()
    train(data, config(tmp_path / "run"), validation=held_out, callbacks=[Failing(), listener])
    steps = [("step", 1), ("step", 2), ("epoch", 1), ("step", 3), ("step", 4), ("epoch", 2)]
    assert listener.heard == [("start", 0), *steps, ("evaluation", 1), ("save", 4), ("end", 4)]
    assert caplog.text.count("the callback Failing failed in on_step; the run continues: ValueError: mine") == 4


def test_an_error_is_reported_and_written_into_the_log(config, data, tmp_path):
    listener = Listener()
    with pytest.raises(RuntimeError):
        train(data, config(tmp_path / "run", lr=1e30, warmup_steps=0, grad_clip=None), callbacks=[listener])
    assert listener.heard[-1][0] == "error"
    assert "the run ended with an error: step" in (tmp_path / "run/train.log").read_text()


def test_an_error_of_a_required_callback_is_the_runs():
    listener = Listener()
    with pytest.raises(ValueError, match="mine"):
        Callbacks([Failing()], [listener]).on_step(ROW)
    assert listener.heard == []


def test_every_event_of_a_callback_is_forwarded(caplog):
    events = [name for name in vars(Callback) if name.startswith("on_")]
    assert set(events) <= vars(Callbacks).keys()
    with caplog.at_level(logging.WARNING):
        error = KeyError("its own")
        listener = Listener()
        Callbacks((), [listener]).on_error(error)
    assert listener.heard == [("error", KeyError)]
    assert caplog.text == ""
