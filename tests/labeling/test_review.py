"""The review of the page has the cases of `ssd300 review`, follows the labels, and remembers what was decided."""

import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ssd300.data import load_dataset
from ssd300.errors import DataError
from ssd300.evaluation.disagreement import Disagreement, Label
from ssd300.evaluation.reviewing import review_labels
from ssd300.labeling.decisions import NAME, Decisions
from ssd300.labeling.label_store import Sent
from ssd300.labeling.objects import LabeledObject
from ssd300.labeling.proposals import Proposed
from ssd300.labeling.review import Reviewer
from ssd300.types import Detections

CLASSES = ("cat", "dog")
A, B, FAR = (0.0, 0.0, 20.0, 20.0), (30.0, 10.0, 50.0, 30.0), (40.0, 0.0, 58.0, 10.0)


class Found:
    """Stands in for the proposer: what a detector of these classes finds in each image."""

    weights, source, min_scores, classes = "drawn.onnx", {}, {}, CLASSES

    def __init__(self, *images):
        self.known = {number: Proposed(detections=_detections(rows)) for number, rows in enumerate(images)}
        self.asked: list[int] = []

    def all_known(self):
        return dict(self.known)

    def ask_for_labeled(self, numbers):
        self.asked += numbers


def _detections(rows):
    return Detections(
        boxes=np.array([box for _, _, box in rows], np.float32).reshape(-1, 4),
        scores=np.array([score for score, _, _ in rows], np.float32),
        labels=np.array([CLASSES.index(name) for _, name, _ in rows], np.int64),
        classes=CLASSES,
    )


def labeled(store, number, *objects):
    """Replace the labels of an image."""
    sent = [Sent(object=LabeledObject(name=name, box_px=box)) for name, box in objects]
    store.save(number, sent, base=store.read(number).version, exists=True)


@pytest.fixture
def reviewer_of(photos, store_of):
    """A store of three images, and reviewers of it, each as after a new start."""
    store = store_of(photos)

    def made(found):
        return Reviewer(store, ["a", "b", "c"], found, Decisions(photos))

    made.store = store
    return made


def kinds(state):
    return [(one.kind, one.image_index) for one in state.open.values()]


def test_cases_of_all_labeled_images_come_worst_first(reviewer_of):
    labeled(reviewer_of.store, 0, ("cat", A))
    labeled(reviewer_of.store, 1, ("cat", A))
    found = Found([(0.9, "dog", A), (0.6, "cat", B)], [(0.8, "cat", A), (0.95, "dog", B)], [(0.9, "cat", A)])
    state = reviewer_of(found).state(CLASSES)
    assert kinds(state) == [("missed", 1), ("other-class", 0), ("missed", 0)]
    assert (state.counts["missed"], state.counts["other-class"], state.counts["loose"]) == (2, 1, 0)
    assert (state.looked_at, state.compared, state.left, state.trained_on) == (0, 2, 0, None)


def test_an_image_that_is_not_looked_at_is_asked_for_and_counted(reviewer_of):
    labeled(reviewer_of.store, 0, ("cat", A))
    labeled(reviewer_of.store, 2, ("cat", A))
    found = Found([])
    state = reviewer_of(found).state(CLASSES)
    assert (found.asked, state.compared, state.left) == ([2], 1, 1)


def test_changed_labels_are_compared_anew(reviewer_of):
    store = reviewer_of.store
    labeled(store, 0, ("cat", A))
    reviewer = reviewer_of(Found([(0.9, "cat", A), (0.9, "dog", B)]))
    assert kinds(reviewer.state(CLASSES)) == [("missed", 0)]
    labeled(store, 0, ("cat", A), ("dog", B))
    assert kinds(reviewer.state(CLASSES)) == []
    labeled(store, 0, ("cat", A), ("dog", B), ("cat", FAR))
    assert kinds(reviewer.state(CLASSES)) == [("unseen", 0)]


def test_a_class_that_comes_later_is_compared_then(reviewer_of):
    labeled(reviewer_of.store, 0, ("cat", A))
    reviewer = reviewer_of(Found([(0.9, "cat", A), (0.9, "dog", B)]))
    assert kinds(reviewer.state(("cat",))) == []
    assert kinds(reviewer.state(("cat", "dog"))) == [("missed", 0)]


def test_labels_of_classes_that_the_detector_does_not_know_are_no_cases(reviewer_of):
    labeled(reviewer_of.store, 0, ("bird", A), ("bird", FAR))
    assert kinds(reviewer_of(Found([(0.9, "cat", A)])).state(("bird", *CLASSES))) == []


def test_an_accepted_proposal_is_not_questioned_by_the_model_that_made_it(reviewer_of):
    drawn = (30.4, 9.7, 50.2, 30.3)  # accepted at whole pixels, as B
    labeled(reviewer_of.store, 0, ("cat", B), ("cat", A))
    by_its_maker = reviewer_of(Found([(0.15, "cat", drawn), (0.9, "cat", A)])).state(CLASSES)
    assert (kinds(by_its_maker), by_its_maker.looked_at) == ([], 1)
    by_another = reviewer_of(Found([(0.15, "cat", (31.0, 12.0, 50.0, 30.0)), (0.9, "cat", A)])).state(CLASSES)
    assert (kinds(by_another), by_another.looked_at) == ([("unseen", 0)], 0)
    of_another_class = reviewer_of(Found([(0.15, "dog", drawn), (0.9, "cat", A)])).state(CLASSES)
    assert kinds(of_another_class) == [("unseen", 0)]


def test_a_kept_label_is_not_asked_again_after_a_restart_and_with_other_weights(reviewer_of, photos):
    labeled(reviewer_of.store, 0, ("cat", A), ("cat", FAR))
    reviewer = reviewer_of(Found([(0.9, "cat", A), (0.9, "dog", B)]))
    for case_id in reviewer.state(CLASSES).open:
        reviewer.decide(case_id, "label")
    assert (kinds(reviewer.state(CLASSES)), reviewer.state(CLASSES).looked_at) == ([], 2)
    nearly = (31.0, 11.0, 50.0, 30.0)
    again = reviewer_of(Found([(0.8, "cat", A), (0.7, "dog", nearly), (0.2, "cat", FAR)]))
    assert (kinds(again.state(CLASSES)), again.state(CLASSES).looked_at) == ([], 2)
    other = reviewer_of(Found([(0.8, "cat", A), (0.7, "cat", nearly)])).state(CLASSES)
    assert (kinds(other), other.looked_at) == ([("missed", 0)], 1)
    assert len((photos / NAME).read_text().splitlines()) == 2


def test_a_decision_is_taken_back(reviewer_of):
    labeled(reviewer_of.store, 0, ("cat", FAR))
    found = Found([(0.9, "dog", B)])
    reviewer = reviewer_of(found)
    first, _ = reviewer.state(CLASSES).open
    reviewer.decide(first, "label")
    reviewer.decide(first, "open")
    assert first in reviewer.state(CLASSES).open
    assert reviewer_of(found).state(CLASSES).looked_at == 0


def test_what_was_changed_counts_as_looked_at_until_it_is_undone(reviewer_of):
    store = reviewer_of.store
    labeled(store, 0, ("cat", A))
    reviewer = reviewer_of(Found([(0.9, "cat", A), (0.9, "dog", B)]))
    (case_id,) = reviewer.state(CLASSES).open
    reviewer.decide(case_id, "detector")
    assert reviewer.state(CLASSES).looked_at == 0
    labeled(store, 0, ("cat", A), ("dog", B))
    assert (kinds(reviewer.state(CLASSES)), reviewer.state(CLASSES).looked_at) == ([], 1)
    labeled(store, 0, ("cat", A))
    assert (kinds(reviewer.state(CLASSES)), reviewer.state(CLASSES).looked_at) == ([("missed", 0)], 0)


def test_an_unknown_case_is_refused(reviewer_of):
    with pytest.raises(DataError, match="no such disagreement"):
        reviewer_of(Found()).decide("0-x", "label")


def case(kind="unseen", box=A, image="a.jpg") -> Disagreement:
    return Disagreement(
        kind=kind, image_index=0, image_id="a", image_path=Path(image), label=Label(0, "cat", box),
        other_label=Label(1, "cat", box), detection=None, suspicion=0.5,
    )  # fmt: skip


@pytest.mark.parametrize(
    "spoiled",
    [b"", b'{"decision": "label"', b"\n\xff\n", b"[1]\n", b"{}\n", b'{"decision": "label", "image": 3}\n',
     b'{"decision": "label", "image": "a.jpg", "kind": "missed", "label": null, "other_label": null}\n'],
)  # fmt: skip
def test_lines_that_are_not_whole_are_passed_over_and_added_to(tmp_path, spoiled):
    (tmp_path / NAME).write_bytes(spoiled)
    Decisions(tmp_path).add(tmp_path / "a.jpg", case(), "label")
    assert (tmp_path / NAME).read_bytes().startswith(spoiled)
    (found,) = Decisions(tmp_path).of(tmp_path / "a.jpg")
    assert found.decision == "label"


def test_decisions_move_with_their_folder(tmp_path):
    home = tmp_path / "one"
    Decisions(home).add(home / "images" / "a.jpg", case(), "label")
    shutil.move(home, tmp_path / "two")
    moved = Decisions(tmp_path / "two")
    assert len(moved.of(tmp_path / "two" / "images" / "a.jpg")) == 1
    assert moved.of(tmp_path / "two" / "images" / "b.jpg") == ()


@pytest.mark.parametrize(
    ("changed", "same"),
    [({}, True), ({"kind": "doubled"}, False), ({"box": (0.0, 0.0, 20.4, 20.0)}, True),
     ({"box": (0.0, 0.0, 21.0, 20.0)}, False)],
)  # fmt: skip
def test_what_counts_as_the_same_case(tmp_path, changed, same):
    decisions = Decisions(tmp_path)
    decisions.add(tmp_path / "a.jpg", case(), "label")
    (decided,) = decisions.of(tmp_path / "a.jpg")
    assert decided.is_about(case(**changed).to_dict()) == same


@pytest.mark.slow
def test_the_cases_are_those_of_the_command(cells, cell_run, store_of):
    from ssd300.labeling.project import Project

    shutil.rmtree(cells / "ImageSets")
    for path in sorted((cells / "JPEGImages").glob("*.jpg"))[4:]:
        path.unlink()
        (cells / "Annotations" / f"{path.stem}.xml").unlink()
    wanted = review_labels(cell_run, load_dataset(cells)).review
    project = Project(cells, store_of(cells), weights=str(cell_run))
    try:
        until = time.monotonic() + 60
        while (state := project.reviewer.state(project.classes)).left and time.monotonic() < until:
            time.sleep(0.05)  # between two looks: the detector works in a thread of its own
    finally:
        project.close()
    assert state.compared == 4
    assert len(state.open) == len(wanted.cases) > 100

    def plain(one):
        found = None if one.detection is None else (one.detection.name, *map(round, one.detection.box_px))
        label = None if one.label is None else (one.label.index, one.label.name, one.label.box_px)
        return one.kind, one.image_index, label, found

    assert sorted(map(repr, map(plain, state.open.values()))) == sorted(map(repr, map(plain, wanted.cases)))
    assert [one.suspicion for one in state.open.values()] == pytest.approx(
        [one.suspicion for one in wanted.cases], abs=1e-5
    )
    assert set(state.counts) == set(wanted.counts())
    assert replace(wanted.cases[0], suspicion=0.0).kind in state.counts
