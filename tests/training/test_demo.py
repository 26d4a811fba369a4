import json
import time
from pathlib import Path

import pytest
from PIL import Image

from ssd300.cli import main
from ssd300.training.demo import SHOWN


@pytest.mark.slow
def test_the_demo_learns_and_reports(tmp_path, capsys):
    """All of it, as the command runs it, in this process."""
    out = tmp_path / "demo"
    before = time.process_time()
    assert main(["demo", "--out", str(out), "--json"]) == 0
    captured = capsys.readouterr()
    summary = json.loads(captured.out)
    assert summary["metric"] == "voc07_11pt@0.5"
    assert summary["images"] == 60
    assert summary["map"] >= 0.8, f"after {time.process_time() - before:.0f} s of CPU time"
    report = (out / "report.html").read_text(encoding="utf-8")
    assert f"{summary['map']:.3f}" in report
    assert "http://" not in report
    assert "https://" not in report
    rows = [json.loads(line) for line in (out / "detections/detections.jsonl").read_text().splitlines()]
    assert len(rows) == SHOWN
    assert sum(len(row["detections"]) for row in rows) > SHOWN
    for row in rows:
        with Image.open(out / "detections" / Path(row["image"]).name) as image:
            assert image.size == (row["width"], row["height"])
    for name in ("data/ImageSets/Main/test.txt", "lists/TRAIN_objects.json", "lists/TEST_images.json",
                 "run/report.html", "run/train.log", "run/command.txt", "run/weights/best.safetensors"):  # fmt: skip
        assert (out / name).is_file(), name
