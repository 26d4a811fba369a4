import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ssd300.weights import load_weights

KILLS = 100


@pytest.mark.slow
def test_a_run_that_is_killed_100_times_loses_nothing(coloured, tmp_path):
    """Every state loads and goes on, no saved step is lost, and the weights are those of a run left in peace."""
    script = Path(__file__).with_name("killed_runs.py")
    ended = subprocess.run(
        [sys.executable, script, coloured, tmp_path / "run", str(KILLS)], capture_output=True, text=True, timeout=900
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > KILLS // 4, "the lives were too short to train in"
    assert not list((tmp_path / "run").rglob(".*.partial")), "the last life took away what the killed ones left"
    killed, whole = (load_weights(tmp_path / name)[0].state_dict() for name in ("run", "whole"))
    assert all(torch.equal(tensor, killed[name]) for name, tensor in whole.items())
