import shlex
import signal

import pytest
import torch

from ssd300.cli import main
from ssd300.data import load_dataset
from ssd300.training import interrupt
from ssd300.training.interrupt import held_back
from ssd300.training.loop import train
from ssd300.training.run_folder import RunFolder
from ssd300.weights import load_weights


def signal_after(monkeypatch, step: int, number: signal.Signals) -> None:
    on_step = RunFolder.on_step

    def tell_and_signal(self, row):
        on_step(self, row)
        if row.step == step:
            signal.raise_signal(number)

    monkeypatch.setattr(RunFolder, "on_step", tell_and_signal)


@pytest.mark.slow
def test_ctrl_c_saves_the_state_and_the_resumed_run_is_the_uninterrupted_one(config, coloured, tmp_path, monkeypatch):
    data = load_dataset(coloured)
    train(data, config(tmp_path / "whole"))
    with monkeypatch.context() as patch:
        signal_after(patch, 2, signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            train(data, config(tmp_path / "parts"))
    state = torch.load(tmp_path / "parts/state/last.pt", weights_only=True)
    assert state["progress"]["step"] == 2
    assert (tmp_path / "parts/weights/best.safetensors").is_file()
    train(data, config(tmp_path / "parts"), resume=True)
    whole, parts = (load_weights(tmp_path / name)[0].state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(tensor, parts[name]) for name, tensor in whole.items())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.slow
def test_the_command_ends_with_the_signals_own_code_and_a_saved_state(
    coloured, tmp_path, monkeypatch, capsys, number, code
):
    signal_after(monkeypatch, 1, number)
    words = ["--preset", "light", "--init", "none", "--steps", "3", "--batch-size", "2", "--log-every", "1"]
    words += ["--workers", "1"]
    assert main(["train", str(coloured), "--out", str(tmp_path / "run"), "--overwrite", *words]) == code
    log = (tmp_path / "run/train.log").read_text()
    assert "stopped after step 1; its state is saved" in log
    assert "ended with an error" not in log
    said, typed = capsys.readouterr().err.splitlines()[-2:]
    assert said in ("ssd300: interrupted; to resume:", "ssd300: terminated; to resume:")
    assert typed == "  " + shlex.join(
        ["ssd300", "train", str(coloured), "--out", str(tmp_path / "run"), *words, "--resume"]
    )
    assert (tmp_path / "run/state/last.pt").is_file()


def test_a_second_signal_acts_at_once_and_handlers_come_back(monkeypatch):
    before = signal.getsignal(signal.SIGINT)
    reached = []

    def twice() -> None:
        with held_back() as came:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)  # torchrun's copy of the same one
            reached.append(came())
            monkeypatch.setattr(interrupt, "SAME_SIGNAL_S", 0)  # as if so long had passed
            signal.raise_signal(signal.SIGINT)
            reached.append("after the second")

    with pytest.raises(KeyboardInterrupt):
        twice()
    assert reached == [True]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
def test_the_end_of_the_terminal_is_held_back_too_unless_it_is_ignored():
    got = []
    before = signal.signal(signal.SIGHUP, lambda *_: got.append("at the end"))
    try:
        with held_back() as came:
            signal.raise_signal(signal.SIGHUP)
            got.append(came())
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        with held_back() as came:
            signal.raise_signal(signal.SIGHUP)
            got.append(came())
    finally:
        signal.signal(signal.SIGHUP, before)
    assert got == [True, "at the end", False]
