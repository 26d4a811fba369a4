import json

import pytest
import yaml
from PIL import Image

from ssd300.metrics.error_kinds import KINDS
from ssd300.reporting.error_words import WORDS
from ssd300.reporting.html import write_report
from ssd300.reporting.montage import montage
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
        ({}, {}, "0%", ["step 0 of 1,000", "There is no evaluation yet"]),
        ({"validation": None}, {"steps": 1000}, "", ["no held-out split"]),
        ({"validation": None}, {"steps": 250, "seconds": 60.0}, "25%", ["step 250 of 1,000", "no held-out split"]),
        ({}, {"steps": 1000, "map": 0.7654, **EVALUATED}, "0.765", []),
        ({}, {"steps": 1000, "map": None, **EVALUATED}, "", ["no object that counts"]),
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
    assert "http" not in text
    assert "<img" not in text
    assert "<h2>What" not in text


def test_the_limits_stand_beside_the_number(tmp_path):
    limits = {"min_score": 0.01, "max_overlap": 0.45, "top_k": 200, "lowest_score": 0.011, "most_per_image": 200,
              "coco_most_of_a_class": None}  # fmt: skip
    report = run_page(folder(tmp_path, summary={"steps": 1000, "map": 0.7654, **EVALUATED, "limits": limits}))
    assert report.headline_meaning == (
        "mAP, VOC 2007 rule (11 points), IoU 0.5, on 9 held-out images; confidence threshold 0.01, NMS IoU 0.45, best "
        "200 of an image; detect uses NMS IoU 0.5"
    )
    assert report.explanation.startswith("mAP (mean average precision) is")


def test_a_run_that_trains_says_so_in_its_title_and_how_to_go_on(tmp_path):
    path = folder(tmp_path, summary={"steps": 240, "seconds": 60.0})
    (path / "command.txt").write_text(f"/bin/ssd300 train data --out {path.name}\n")
    page = run_page(path)
    assert page.title.endswith(": step 240 of 1,000 so far")
    assert page.headline_meaning == "of 1,000 steps, in 1 min 0 s; about 3 min 10 s left"
    assert [step.command for step in page.steps] == [f"ssd300 train data --out {path.name} --resume"]


def test_a_run_whose_batch_size_changed_tells_the_images_in_all(tmp_path):
    for seen, words in ((8, "4 of 1,000 steps of 2 images each"), (11, "4 of 1,000 steps, 11 images in all")):
        path = folder(tmp_path, summary={"steps": 4, "images_seen": seen})
        config = yaml.safe_load((path / "config.yaml").read_text())
        (path / "config.yaml").write_text(yaml.safe_dump(config | {"batch_size": 2}))
        assert run_page(path).subtitle.endswith(words)


def test_a_run_that_ended_early_trains_no_more(tmp_path):
    path = folder(tmp_path, summary={"steps": 400, "map": 0.5, **EVALUATED})
    config = yaml.safe_load((path / "config.yaml").read_text())
    (path / "config.yaml").write_text(yaml.safe_dump(config | {"patience": 2}))
    rows = [{"step": 100, "map": 0.4}, {"step": 200, "map": 0.5}, {"step": 300, "map": 0.5}]
    for further, training in (([], True), ([{"step": 400, "map": 0.3}], False)):
        (path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, *further]))
        page = run_page(path)
        assert ("so far" in page.title) == training
        assert any("mAP rose no more" in note for note in page.notes) != training
        count = 3 + len(further)
        assert page.headline_meaning.endswith(f"the best of {count} evaluations, at step 200, whose weights are kept")


def test_counts_stand_beside_the_confidence_that_they_count_from(tmp_path):
    path = folder(tmp_path, summary={"steps": 1000, "map": 0.5, "min_scores": {"a": 0.314}, **EVALUATED})
    (path / "eval").mkdir()
    shown = {"a": {"min_score": 0.314, "objects": 3, "found": 2, "false": 1},
             "b": {"min_score": 0.5, "objects": 0, "found": 0, "false": 7}}  # fmt: skip
    counts = dict.fromkeys(KINDS, 1)
    errors = {"shown": shown, "per_class": {"a": counts, "b": counts},
              "kinds": {kind: {"shown": 2, "gain": 0.01} for kind in KINDS}}  # fmt: skip
    (path / "eval/failures.json").write_text(json.dumps(errors))
    page = run_page(path)
    assert [(row.found, row.false, row.min_score) for row in page.per_class] == [(2, 1, 0.314), (0, 7, 0.5)]
    assert "best F1" in page.counts_from
    write_report(tmp_path / "report.html", page)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<td>2<td>1<td>0.31</tr>" in text
    assert all(words in text for words in (*WORDS.values(), "mAP gained"))
    assert "Next steps" not in text  # there are no weights


def test_the_pictures_of_a_run_are_single_and_none_is_empty(tmp_path):
    (tmp_path / "images").mkdir()
    for name, count, columns in (("validation_1", 2, 2), ("training_batch", 8, 4)):
        tiles = [(f"{name} {number}", Image.new("RGB", (30, 20), "red")) for number in range(count)]
        montage(tiles, columns=columns, tile_px=80).save(tmp_path / f"images/{name}.jpg")
    found, training = run_page(folder(tmp_path)).galleries
    assert [caption for caption, _ in found.images] == ["validation_1 0", "validation_1 1"]
    assert (len(training.images), training.columns, training.narrow_columns) == (8, 4, 2)
    assert "recolored at random" in training.explanation
    config = tmp_path / "config.yaml"
    config.write_text(config.read_text() + "augment: false\n")
    assert "without augmentation" in run_page(tmp_path).galleries[1].explanation


def test_no_run_is_no_report(tmp_path):
    with pytest.raises(FileNotFoundError):
        run_page(tmp_path)
