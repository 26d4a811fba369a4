"""What keeps a run from going wrong in silence."""

import os
import re
import resource
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from ssd300.data import load_dataset
from ssd300.data.loader import training_batches
from ssd300.errors import DataError, RunError, UsageError
from ssd300.run_layout import PREVIOUS_STATE, STATE
from ssd300.training import loop, memory_limit
from ssd300.training.loop import train
from ssd300.training.step import TrainStep
from ssd300.weights import load_weights


def weights(out, name="weights/last.safetensors"):
    return load_weights(out / name)[0].state_dict()


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name


@pytest.mark.slow
def test_40_steps_are_25_and_15_bit_for_bit_in_the_middle_of_an_epoch_and_with_two_workers(config, data, tmp_path):
    """An epoch is 4 images and a batch 3, so step 25 ends within one; the average of the weights is part of it."""
    options = {"steps": 40, "batch_size": 3, "ema": True, "lr_drop": (30,), "schedule": "multistep"}
    train(data, config(tmp_path / "whole", **options))
    train(data, config(tmp_path / "parts", **options, workers=2), stop_after=25)
    train(data, config(tmp_path / "parts", **options, workers=2), resume=True)
    for name in ("weights/last.safetensors", "weights/last_ema.safetensors"):
        assert_same(weights(tmp_path / "whole", name), weights(tmp_path / "parts", name))


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "gone"])
def test_a_damaged_state_is_noticed_and_the_one_before_goes_on(config, data, tmp_path, caplog, damage):
    train(data, config(tmp_path / "whole", steps=3))
    train(data, config(tmp_path / "run", steps=3, save_every=1), stop_after=2)
    state = tmp_path / "run" / STATE
    content = bytearray(state.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    if damage == "gone":
        state.unlink()
    else:
        state.write_bytes({"flipped": content, "cut": content[: len(content) // 2], "empty": b""}[damage])
    train(data, config(tmp_path / "run", steps=3, save_every=1), resume=True)
    assert "resumed after step 1" in (tmp_path / "run/train.log").read_text()
    assert ("cannot be read" in caplog.text) == (damage != "gone")
    assert_same(weights(tmp_path / "whole"), weights(tmp_path / "run"))


def test_without_any_whole_state_the_error_says_so(config, data, tmp_path):
    train(data, config(tmp_path / "run", save_every=1), stop_after=2)
    for name in (STATE, PREVIOUS_STATE):
        (tmp_path / "run" / name).write_bytes(b"PK nonsense")
    with pytest.raises(RunError, match="the state cannot be read"):
        train(data, config(tmp_path / "run"), resume=True)


def test_options_that_differ_are_taken_with_override(config, data, tmp_path, caplog):
    train(data, config(tmp_path / "run"), stop_after=1)
    with pytest.raises(UsageError, match=r"lr: 0.01 -> 0.5.*--override"):
        train(data, config(tmp_path / "run", lr=0.5), resume=True)
    summary = train(data, config(tmp_path / "run", lr=0.5, steps=2, ema=True), resume=True, override=True)
    assert summary["steps"] == 2
    assert "changed, as --override says: lr: 0.01 -> 0.5" in caplog.text
    with pytest.raises(UsageError, match="the state does not fit the options"):
        train(data, config(tmp_path / "run", model="ssd300_vgg16"), resume=True, override=True)
    with pytest.raises(UsageError, match="the data is not what the run began with"):
        train(replace(data, annotations=data.annotations[:2]), config(tmp_path / "run"), resume=True, override=True)


def test_a_second_run_in_the_folder_is_refused_and_changes_nothing(config, data, tmp_path, monkeypatch):
    go_on, inside = threading.Event(), threading.Event()
    update = loop.Trainer.update

    def wait_inside(self, batch):
        inside.set()
        assert go_on.wait(60)
        update(self, batch)

    monkeypatch.setattr(loop.Trainer, "update", wait_inside)
    first = threading.Thread(target=train, args=(data, config(tmp_path / "run", steps=1)))
    first.start()
    assert inside.wait(60)
    before = (tmp_path / "run/config.yaml").read_text()
    for others in ({"overwrite": True}, {"resume": True}):
        with pytest.raises(UsageError, match="another run is writing here"):
            train(data, config(tmp_path / "run", lr=7.0), **others)
    assert (tmp_path / "run/config.yaml").read_text() == before
    go_on.set()
    first.join(60)
    assert weights(tmp_path / "run")
    train(data, config(tmp_path / "run", steps=1), overwrite=True)  # free again


def test_labels_that_are_no_class_are_told_before_anything_is_written(config, data, tmp_path):
    wrong = replace(data, classes=("blue",))
    with pytest.raises(DataError, match=r"p\d\.jpg.*label 1, and there are 1 classes"):
        train(wrong, config(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def limited(monkeypatch, most: int) -> None:
    """A network for which memory runs out with more than `most` images."""
    backward = TrainStep.backward

    def within_memory(self, batch):
        if self.most_at_once(len(batch)) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB\nmany more words")
        return backward(self, batch)

    monkeypatch.setattr(TrainStep, "backward", within_memory)


@pytest.mark.parametrize(
    ("most", "advice"),
    [(2, "2 images fit: --accumulate 4 keeps the batch as it is, --batch-size 2"), (0, "Not even one image fits")],
)
def test_out_of_memory_says_what_fits(config, data, tmp_path, monkeypatch, most, advice):
    limited(monkeypatch, most)
    with pytest.raises(RunError, match=r"with 8 images at once \(CUDA out of memory") as caught:
        train(data, config(tmp_path / "run", batch_size=8))
    assert advice in caught.value.fix
    assert "many more words" not in str(caught.value)
    if most:
        train(data, config(tmp_path / "again", batch_size=8, accumulate=4, steps=1))


def test_other_errors_are_no_lack_of_memory():
    assert not memory_limit.is_out_of_memory(RuntimeError("shapes differ"))
    assert memory_limit.is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"))
    with pytest.raises(RuntimeError, match="shapes differ"), memory_limit.explained(2, lambda count: None):
        raise RuntimeError("shapes differ")


def test_a_killed_worker_is_told_with_its_image(data, monkeypatch):
    """The process of the worker kills itself at the second image, as the kernel does when memory runs out."""
    victim = data.annotations[1].image_path

    def read_or_die(path):
        if path == victim:
            os.kill(os.getpid(), signal.SIGKILL)
        return np.zeros((120, 160, 3), np.uint8)

    monkeypatch.setattr("ssd300.data.samples.read_image", read_or_die)
    batches = training_batches(data.annotations, size=300, batch_size=2, seed=0, workers=1)
    with pytest.raises(RunError, match="a process that reads images died") as caught:
        list(islice(batches, 4))
    assert caught.value.where == str(victim)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_fault_in_preparing_a_image_is_told_with_its_name(data, monkeypatch, workers):
    def fail(*_):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("ssd300.data.augmented_images.sample_augmentation", fail)
    with pytest.raises(DataError, match=r"p\d\.jpg.*ZeroDivisionError: by zero"):
        next(training_batches(data.annotations, size=300, batch_size=2, seed=0, workers=workers))


def test_workers_do_not_keep_a_process_from_ending(data):
    """They hold SIGTERM back for a run to end in good order, but not when Python sends it at its end."""
    code = (
        "import sys; from ssd300.data import load_dataset; from ssd300.data.loader import training_batches\n"
        f"batches = training_batches(load_dataset({str(data.root)!r}).annotations, size=300, batch_size=2, seed=0, "
        "workers=2)\nnext(batches)\nkept = sys.modules['kept'] = batches\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert ended.returncode == 0, ended.stderr


def test_a_disk_that_is_full_is_one_clear_error_and_the_old_state_stays(config, coloured, tmp_path):
    """The limit of a file's size stands in for it: weights and small files fit, the state does not."""
    data = load_dataset(coloured)
    train(data, config(tmp_path / "run"), stop_after=1)
    before = (tmp_path / "run" / STATE).read_bytes()
    words = ["train", str(coloured), "--preset", "light", "--init", "none", "--steps", "4", "--batch-size", "2"]
    words += ["--amp", "off", "--workers", "0", "--out", str(tmp_path / "run"), "--resume"]
    most = len(before) - 1
    ended = subprocess.run(
        [sys.executable, "-m", "ssd300", *words],
        capture_output=True, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )  # fmt: skip
    assert ended.returncode == 1
    assert re.search(r"error: the file cannot be written \(.*\n  where: .*last.pt\n  to do: ", ended.stderr)
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "run" / STATE).read_bytes() == before
    assert not list((tmp_path / "run").rglob(".*.partial"))
    assert train(data, config(tmp_path / "run"), resume=True)["steps"] == 4


def test_float16_scales_gradients_and_leaves_overflowing_updates_out(config, data, tmp_path):
    train(data, config(tmp_path / "run", steps=2, amp="fp16"), stop_after=1)
    state = torch.load(str(tmp_path / "run" / STATE), weights_only=True)
    assert state["progress"]["precision"] == torch.float16
    assert state["scaler"]["scale"] > 0
    assert train(data, config(tmp_path / "run", steps=2, amp="fp16"), resume=True)["precision"] == "float16"
    assert all(torch.isfinite(tensor).all() for tensor in weights(tmp_path / "run").values())
