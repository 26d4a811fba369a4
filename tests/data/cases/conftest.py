import importlib
from types import SimpleNamespace

import pytest

from data.cases.made import Commands


@pytest.fixture
def commands(capsys):
    return Commands(capsys)


@pytest.fixture
def would_train(commands, monkeypatch):
    """What `train DATA --dry-run` would train on and evaluate on, and what it prints to stderr; no step is made."""
    seen = {}
    monkeypatch.setattr(
        importlib.import_module("ssd300.training.forecast"),
        "forecast",
        lambda dataset, _config, *, validation=None: seen.update(train=dataset, held_out=validation),
    )
    monkeypatch.setattr(importlib.import_module("ssd300.cli.train"), "print_forecast", lambda *_words, **_options: None)

    def run(*words):
        code, _, err = commands.run("train", *words, "--out", "never", "--preset", "light", "--dry-run")
        assert code == 0, err
        return SimpleNamespace(**seen, said=err)

    return run
