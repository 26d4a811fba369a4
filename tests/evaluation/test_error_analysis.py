import json

import numpy as np
import pytest

from random_detections import problem, table
from ssd300.cli import main
from ssd300.data import Dataset
from ssd300.evaluation.error_analysis import analyze_errors
from ssd300.evaluation.scoring import SHOWN_SCORE, score
from ssd300.metrics.error_kinds import KINDS
from ssd300.metrics.voc_rules import VocRules


@pytest.fixture
def drawn(tmp_path):
    annotations, rows = problem(4)
    return Dataset(annotations=annotations, classes=("cat", "dog"), root=tmp_path, split="test"), table(rows)


def test_counts_are_of_what_is_shown_and_gains_of_all(drawn):
    dataset, detections = drawn
    failures = analyze_errors(dataset, detections)
    shown = score(dataset, detections.select(detections.scores >= SHOWN_SCORE)).per_class
    false = sum(round((1 - one.precision[-1]) * len(one.precision)) for one in shown.values())
    assert sum(kind.shown for name, kind in failures.kinds.items() if name != "missed") == false
    assert {name: kind.shown for name, kind in failures.kinds.items()} == {
        kind: sum(counts[kind] for counts in failures.per_class.values()) for kind in KINDS
    }
    assert sum(size.objects for size in failures.sizes.values()) == sum(one.objects for one in shown.values())
    assert sum(size.found for size in failures.sizes.values()) == failures.shown.found.sum()


def test_the_worst_image_has_most_errors(drawn):
    failures = analyze_errors(*drawn)
    shown = failures.shown

    def errors(index):
        wrong = (shown.kinds >= 0) & (shown.detections.image_index == index)
        return wrong.sum() + shown.missed[shown.objects.images == index].sum()

    counts = [errors(index) for index in failures.worst]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == max(errors(index) for index in range(len(drawn[0])))


def test_the_rules_are_those_that_were_asked_for(drawn):
    failures = analyze_errors(*drawn, metrics=["coco", "voc12"], rules=VocRules(difficult="counted"))
    assert failures.metric == "voc12_area@0.5 (difficult objects counted)"
    assert failures.shown.missed.sum() >= analyze_errors(*drawn).shown.missed.sum()


def test_nothing_found_and_nothing_there(drawn):
    dataset, detections = drawn
    nothing = analyze_errors(dataset, detections.select(np.zeros(0, np.int64)))
    assert nothing.kinds["missed"].shown == sum(size.objects for size in nothing.sizes.values())
    assert json.dumps(nothing.to_dict())
    empty = Dataset(annotations=dataset.annotations[:0], classes=("cat", "dog"), root=dataset.root, split="test")
    nowhere = analyze_errors(empty, detections.select(np.zeros(0, np.int64)))
    assert nowhere.worst == []
    assert nowhere.kinds["missed"].gain is None


def test_the_command_writes_a_page_and_files(coloured, light_run, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["eval", str(coloured), "--weights", str(light_run), "--out", str(out), "--failures"]
    assert main([*command, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["failures"]["kinds"].keys() == set(KINDS)
    assert json.loads((out / "failures.json").read_text()) == printed["failures"]
    assert json.loads((out / "scores.json").read_text())["map"] == printed["map"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Where it fails" in page
    assert page.count("data:image/png") == 5
    # the stored detections are taken again
    assert main(["eval", str(coloured), "--predictions", str(out), "--failures"]) == 0
    assert "kind of error" in capsys.readouterr().out
    assert main(command) == 2
    assert "not empty" in capsys.readouterr().err


def test_a_page_without_images_says_so(coloured, tmp_path):
    """Stored predictions need no pixels, so the worst images may not be there."""
    for image in (coloured / "JPEGImages").iterdir():
        image.unlink()
    stored = tmp_path / "stored"
    stored.mkdir()
    (stored / "comp4_det_test_red.txt").write_text("p4 0.9 1 1 30 30\n")
    out = tmp_path / "out"
    assert main(["eval", str(coloured), "--predictions", str(stored), "--out", str(out)]) == 0
    assert "could not be read" in (out / "report.html").read_text(encoding="utf-8")


def test_stored_detections_are_cut_as_asked(coloured, light_run, tmp_path, capsys):
    stored = tmp_path / "stored"
    stored.mkdir()
    (stored / "comp4_det_test_red.txt").write_text("".join(f"p4 0.{n} 1 1 30 30\n" for n in range(1, 9)))
    words = ["eval", str(coloured), "--predictions", str(stored), "--json"]
    for more, left in (([], 8), (["--min-score", "0.5"], 3), (["--top-k", "2"], 2)):
        assert main([*words, *more]) == 0
        counts = json.loads(capsys.readouterr().out)["per_class"]
        assert sum(one["detections"] for one in counts.values()) == left
    assert main([*words, "--iou", "0.3"]) == 2
    assert "no NMS runs on stored predictions" in capsys.readouterr().err
    (tmp_path / "detections.jsonl").write_text("")
    assert main(["eval", str(coloured), "--predictions", str(tmp_path / "detections.jsonl")]) == 3
    assert "the file is empty" in capsys.readouterr().err
