import pytest
import torch

from run_weights import LAST, LAST_AVERAGED, run_weights
from ssd300.training.loop import train
from ssd300.weights import read_card


@pytest.mark.slow
def test_the_last_weights_claim_only_their_own_metric(config, data, held_out, tmp_path):
    out = tmp_path / "run"
    train(data, config(out, steps=3, eval_every=1), validation=held_out, stop_after=1)
    assert read_card(out / "weights/last.safetensors").metric is not None
    train(data, config(out, steps=3, eval_every=0), validation=held_out, stop_after=2, resume=True)
    assert read_card(out / "weights/last.safetensors").metric is None
    assert read_card(out / "weights/best.safetensors").metric is not None


@pytest.mark.slow
def test_the_average_is_evaluated_and_saved_beside_the_weights(config, data, held_out, tmp_path):
    summary = train(data, config(tmp_path / "run", ema=True), validation=held_out)
    best = read_card(tmp_path / "run/weights/best.safetensors")
    assert summary["averaged"] is best.source.get("averaged", False)
    assert '"map_ema"' in (tmp_path / "run/metrics.jsonl").read_text()
    assert read_card(tmp_path / "run" / LAST_AVERAGED).source["averaged"] is True
    raw, average = (run_weights(tmp_path / "run", name) for name in (LAST, LAST_AVERAGED))
    assert any(not torch.equal(tensor, average[name]) for name, tensor in raw.items())
