from dataclasses import fields

import pytest

from ssd300.training.config import TrainConfig
from ssd300.training.config_block import GROUPS, config_block
from ssd300.training.presets import light, paper


def test_each_field_is_in_one_group():
    names = " ".join(GROUPS.values()).split()
    assert sorted(names) == sorted({field.name for field in fields(TrainConfig)} - {"out"})


@pytest.mark.parametrize("columns", [80, 200])
def test_lines_fit_the_terminal_and_lack_only_what_has_no_effect(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    block = config_block(light("runs/a", steps=25))
    assert block.startswith("configuration, for the run folder runs/a:\n  usual     model=ssd300_efficientnet_lite0, ")
    assert max(map(len, block.splitlines())) <= min(columns, 110)
    assert "steps=25" in block
    assert "schedule=cosine" in block
    assert "lr_drop" not in block
    assert "ema_decay" not in block
    words = " ".join(config_block(paper("runs/b", ema=True)).split())
    assert "lr_drop=80000 100000, lr_drop_factor=0.1" in words
    assert "ema_decay=0.9998" in words
