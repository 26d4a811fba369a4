import json
from dataclasses import replace

import pytest

from ssd300.training.loop import train


@pytest.mark.slow
def test_patience_ends_a_run_that_gets_no_better(config, data, held_out, tmp_path):
    options = {"steps": 50, "eval_every": 1, "patience": 2, "lr": 1e-9}
    summary = train(data, config(tmp_path / "run", **options), validation=held_out)
    rows = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    maps = [row["map"] for row in rows if "map" in row]
    assert maps.index(max(maps)) == len(maps) - 3  # the first of the best, and two that were no better
    assert summary["steps"] == len(maps) < 50
    assert "the run ends (--patience)" in (tmp_path / "run/train.log").read_text()


def test_an_image_that_is_skipped_is_logged_and_counted_once(config, data, tmp_path):
    missing = replace(data.annotations[0], image_path=tmp_path / "gone.jpg")
    summary = train(
        replace(data, annotations=[missing, *data.annotations[1:]]), config(tmp_path / "run", on_bad_image="skip")
    )
    assert summary["skipped_images"] == 1
    assert (tmp_path / "run/train.log").read_text().count("skipped (--on-bad-image skip): ") == 1
