import json

import pytest
import yaml

from ssd300.reporting.html import write_report
from ssd300.reporting.run import run_page

DATA = {"images": 4, "objects": {"a": 3, "b": 1}, "classes": ["a", "b"], "split": "trainval", "dropped": {}}
SUMMARY = {"metric": None, "map": None, "per_class": None, "images": None, "steps": 0, "images_seen": 0, "seconds": 0.0,
           "seed": 0, "device": "cpu", "precision": "float32", "git": None, "versions": {}}  # fmt: skip
EVALUATED = {"metric": "voc07_11pt@0.5", "images": 9,
             "per_class": {"a": {"ap": 0.5, "objects": 3, "detections": 8}, "b": {"ap": None, "objects": 0,
                           "detections": 2}}}  # fmt: skip


def folder(path, *, data=(), summary=()):
    config = {"model": "ssd300_vgg16", "steps": 1000, "batch_size": 8, "lr_drop": [1, 2], "grad_clip": None}
    (path / "config.yaml").write_text(yaml.safe_dump(config))
    environment = {"ssd300": "1", "torch": "2", "python": "3", "platform": "p"}
    contents = {
        "data": DATA | {"validation": DATA} | dict(data),
        "summary": SUMMARY | dict(summary),
        "env": environment,
    }
    for name, content in contents.items():
        (path / f"{name}.json").write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("data", "summary", "headline", "notes"),
    [
        ({}, {}, "–", ["step 0 of 1,000", "There is no evaluation yet"]),
        ({"validation": None}, {"steps": 1000}, "–", ["no held-out split"]),
        ({}, {"steps": 1000, "map": 0.7654, **EVALUATED}, "0.765", []),
        ({}, {"steps": 1000, "map": None, **EVALUATED}, "–", ["no object that counts"]),
        ({"dropped": {"boxes": 2}}, {"steps": 1000, "map": 0.5, **EVALUATED}, "0.500",
         ["Dropped from the data: 2 boxes"]),
    ],
)  # fmt: skip
def test_the_headline_and_the_notes_of_a_run(tmp_path, data, summary, headline, notes):
    report = run_page(folder(tmp_path, data=data, summary=summary))
    assert report.headline == headline
    assert len(report.notes) == len(notes)
    for note, part in zip(report.notes, notes, strict=True):
        assert part in note
    write_report(tmp_path / "report.html", report)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for note in report.notes:
        assert note in text


def test_the_limits_stand_beside_the_number(tmp_path):
    limits = {"min_score": 0.01, "max_overlap": 0.45, "top_k": 200, "lowest_score": 0.011, "most_per_image": 200,
              "coco_most_of_a_class": None}  # fmt: skip
    report = run_page(folder(tmp_path, summary={"steps": 1000, "map": 0.7654, **EVALUATED, "limits": limits}))
    meaning = "on 9 held-out images; confidence threshold 0.01, NMS IoU 0.45, best 200 of an image"
    assert report.headline_meaning.endswith(meaning)


def test_no_run_is_no_report(tmp_path):
    with pytest.raises(FileNotFoundError):
        run_page(tmp_path)
