import json
from dataclasses import replace

import numpy as np
import pytest

from random_detections import problem, table
from ssd300.data import Dataset
from ssd300.evaluation.error_analysis import analyze_errors
from ssd300.evaluation.scoring import SHOWN_SCORE, score
from ssd300.metrics.error_kinds import KINDS
from ssd300.metrics.voc_rules import VocRules


@pytest.fixture
def problem_data(tmp_path):
    annotations, rows = problem(4)
    return Dataset(annotations=annotations, classes=("cat", "dog"), root=tmp_path, split="test"), table(rows)


def test_counts_are_of_what_is_shown_and_gains_of_all(problem_data):
    dataset, detections = problem_data
    found = analyze_errors(dataset, detections)
    shown = score(dataset, detections.select(detections.scores >= SHOWN_SCORE)).per_class
    false = sum(round((1 - one.precision[-1]) * len(one.precision)) for one in shown.values())
    assert sum(kind.shown for name, kind in found.kinds.items() if name != "missed") == false
    assert {name: kind.shown for name, kind in found.kinds.items()} == {
        kind: sum(counts[kind] for counts in found.per_class.values()) for kind in KINDS
    }
    assert sum(size.objects for size in found.sizes.values()) == sum(one.objects for one in shown.values())
    assert sum(size.found for size in found.sizes.values()) == found.shown.found.sum()


@pytest.mark.parametrize("seed", range(3))
def test_each_object_has_one_size_also_on_a_border(tmp_path, seed):
    """An area of exactly 32² or 96² px is a usual one in data that was drawn by a program."""
    random, sides = np.random.default_rng(seed), np.array([31.9, 32.0, 32.1, 64.0, 95.9, 96.0, 96.1])
    annotations, _ = problem(seed)
    drawn = []
    for one in annotations:
        side = random.choice(sides, (len(one), 1))
        boxes = np.concatenate([one.boxes_px[:, :2].round(), one.boxes_px[:, :2].round() + side], axis=1)
        drawn.append(replace(one, boxes_px=boxes, difficult=np.zeros(len(one), bool)))
    dataset = Dataset(annotations=tuple(drawn), classes=("cat", "dog"), root=tmp_path, split="test")
    rows = [
        (index, label, 0.9, box)
        for index, one in enumerate(drawn)
        for label, box in zip(one.labels, one.boxes_px, strict=True)
    ]
    found = analyze_errors(dataset, table(rows))
    assert sum(size.objects for size in found.sizes.values()) == sum(map(len, drawn)) > 0
    assert sum(size.found for size in found.sizes.values()) == found.shown.found.sum()


def test_the_worst_image_has_most_errors(problem_data):
    found = analyze_errors(*problem_data)
    shown = found.shown

    def errors(index):
        wrong = (shown.kinds >= 0) & (shown.detections.image_index == index)
        return wrong.sum() + shown.missed[shown.objects.images == index].sum()

    counts = [errors(index) for index in found.worst]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == max(errors(index) for index in range(len(problem_data[0])))


def test_the_rules_are_those_that_were_asked_for(problem_data):
    found = analyze_errors(*problem_data, metrics=["coco", "voc12"], rules=VocRules(difficult="counted"))
    assert found.metric == "voc12_area@0.5 (difficult objects counted)"
    assert found.shown.missed.sum() >= analyze_errors(*problem_data).shown.missed.sum()


def test_nothing_found_and_nothing_there(problem_data):
    dataset, detections = problem_data
    nothing = analyze_errors(dataset, detections.select(np.zeros(0, np.int64)))
    assert nothing.kinds["missed"].shown == sum(size.objects for size in nothing.sizes.values())
    assert json.dumps(nothing.to_dict())
    empty = Dataset(annotations=dataset.annotations[:0], classes=("cat", "dog"), root=dataset.root, split="test")
    nowhere = analyze_errors(empty, detections.select(np.zeros(0, np.int64)))
    assert nowhere.worst == []
    assert nowhere.kinds["missed"].gain is None


def test_each_class_is_counted_from_its_own_threshold(problem_data):
    dataset, detections = problem_data
    plain, found = analyze_errors(dataset, detections), analyze_errors(dataset, detections, min_scores={"dog": 0.99})
    assert plain.min_scores == {"cat": SHOWN_SCORE, "dog": SHOWN_SCORE}
    assert found.min_scores == {"cat": SHOWN_SCORE, "dog": 0.99}
    assert found.per_class["dog"] != plain.per_class["dog"]
    assert found.shown_per_class["dog"].found < plain.shown_per_class["dog"].found
    for name, shown in plain.shown_per_class.items():
        assert shown.false == sum(count for kind, count in plain.per_class[name].items() if kind != "missed")
        assert shown.found <= shown.objects
    assert sum(shown.found for shown in plain.shown_per_class.values()) == plain.shown.found.sum()
    assert found.to_dict()["shown"]["dog"]["min_score"] == 0.99
