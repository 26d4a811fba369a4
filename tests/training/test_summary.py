import torch

from ssd300.training.state import Progress
from ssd300.training.summary import summarize


def test_without_an_evaluation_its_values_are_none(config):
    summary = summarize(
        config("run", seed=3), Progress(step=5, images_seen=10, seconds=1.26, skipped=("a", "b")), torch.device("cpu")
    )
    assert [summary[name] for name in ("metric", "map", "per_class", "images", "averaged")] == [None] * 5
    expected = {"steps": 5, "images_seen": 10, "seconds": 1.3, "skipped_images": 2, "seed": 3, "precision": "float32"}
    assert expected.items() <= summary.items()


def test_the_best_evaluation_is_in_it(config):
    progress = Progress(best={"metric": "voc07_11pt@0.5", "map": 0.5, "per_class": {}, "images": 4, "averaged": True})
    summary = summarize(config("run"), progress, torch.device("cpu"))
    assert (summary["map"], summary["averaged"], summary["images"]) == (0.5, True, 4)
