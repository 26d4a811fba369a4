import os
import signal
import time
from dataclasses import replace

import pytest

from ssd300.data import load_dataset
from ssd300.errors import DataError, UsageError
from ssd300.labeling.label_store import LabelStore, Sent
from ssd300.labeling.objects import LabeledObject
from ssd300.labeling.opening import open_labels
from ssd300.labeling.snapshot import write_snapshot
from ssd300.labeling.training_run import TrainingRuns

BOX = LabeledObject(name="cat", box_px=(3.0, 4.0, 20.0, 30.0), difficult=True)


def save(store, number, *objects):
    now = store.read(number)
    store.save(number, [Sent(object=one) for one in objects], base=now.version, exists=True)


def test_a_snapshot_is_what_is_labeled_now(photos, tmp_path):
    store = LabelStore(open_labels(photos))
    with pytest.raises(DataError, match="no image has a box"):
        write_snapshot(store, tmp_path / "none")
    assert not (tmp_path / "none").exists()
    save(store, 0, BOX, replace(BOX, name="dog", difficult=False))
    save(store, 2)
    assert write_snapshot(store, tmp_path / "data") == 2
    save(store, 0)
    dataset = load_dataset(tmp_path / "data", classes=["cat", "dog"])
    assert [one.boxes_px.tolist() for one in dataset.annotations] == [[[3, 4, 20, 30]] * 2, []]
    assert dataset.annotations[0].difficult.tolist() == [True, False]


def wait_for(runs, *states):
    deadline = time.monotonic() + 300
    while (progress := runs.progress()).state not in states:
        assert time.monotonic() < deadline, progress
        time.sleep(0.2)
    return progress


@pytest.mark.slow
def test_a_training_outlives_its_server_stops_and_goes_on(cells, tmp_path):
    store = LabelStore(open_labels(cells))
    runs = TrainingRuns(tmp_path / "runs")
    assert runs.progress().state == "none"
    runs.start(store, classes=["RBC", "WBC", "Platelets"], holdout=0.3)
    with pytest.raises(UsageError, match="goes on already"):
        runs.start(store, classes=["RBC", "WBC", "Platelets"], holdout=0.3)
    wait_for(runs, "running")
    again = TrainingRuns(tmp_path / "runs")  # of the next server
    assert again.is_running
    assert again.command.startswith("kill -INT ")
    again.stop()
    stopped = wait_for(again, "stopped")
    assert stopped.can_resume
    assert runs._process is not None
    runs._process.wait(60)
    assert not runs.is_running
    assert stopped.images == sum(one.exists for one in store.summaries)
    resumed = again.resume()
    assert resumed.folder == stopped.folder
    wait_for(again, "running")
    assert again._process is not None
    os.kill(again._process.pid, signal.SIGKILL)
    again._process.wait()
    assert again.progress().state in ("stopped", "failed")
    assert again.progress().can_resume
