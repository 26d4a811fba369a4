"""What the simulated hand counts: each true box and each proposal once."""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

path = Path(__file__).parents[2] / "benchmarks/labeling_hour.py"
specification = importlib.util.spec_from_file_location("labeling_hour", path)
hour = importlib.util.module_from_spec(specification)
specification.loader.exec_module(hour)


def one(name, *box):
    return {"name": name, "box": list(box)}


def test_it_accepts_corrects_refuses_and_draws():
    truth = [one("a", 0, 0, 10, 10), one("a", 20, 0, 30, 10), one("b", 40, 0, 50, 10), one("b", 0, 50, 10, 60)]
    proposals = [
        one("a", 0, 0, 10, 9),  # an IoU of 0.9: accepted
        one("a", 20, 0, 30, 20),  # 0.5: two corners are dragged
        one("a", 40, 0, 50, 10),  # another class
        one("a", 0, 0, 10, 8),  # its object has a better one
        one("b", 80, 80, 90, 90),  # of nothing
    ]
    labels, done = hour.by_hand(truth, proposals, hour.Round())
    assert (done.images, done.drawn, done.accepted, done.corrected, done.refused) == (1, 1, 1, 2, 2)
    cost = hour.SECONDS
    corrections = 2 * cost["corner"] + cost["class"]
    assert done.seconds == cost["image"] + 5 * cost["judge"] + corrections + cost["draw"] + cost["class"]
    assert sorted(labels, key=str) == sorted([proposals[0], *truth[1:]], key=str)


boxes = st.builds(
    lambda x, y, w, h: [x, y, x + w, y + h], st.integers(0, 9), st.integers(0, 9), st.integers(1, 9), st.integers(1, 9)
)
objects = st.lists(st.builds(lambda name, box: {"name": name, "box": box}, st.sampled_from("ab"), boxes), max_size=6)


@given(truth=objects, proposals=objects)
def test_each_true_box_and_each_proposal_is_counted_once(truth, proposals):
    labels, done = hour.by_hand(truth, proposals, hour.Round())
    assert len(labels) == len(truth) == done.drawn + done.accepted + done.corrected
    assert len(proposals) == done.accepted + done.corrected + done.refused
    assert sorted(label["name"] for label in labels) == sorted(true["name"] for true in truth)


def test_without_proposals_the_labels_are_the_true_boxes():
    truth = [one("a", 0, 0, 10, 10), one("a", 20, 0, 30, 10)]
    labels, done = hour.by_hand(truth, [], hour.Round())
    assert labels == truth
    assert done.seconds == pytest.approx(hour.SECONDS["image"] + 2 * hour.SECONDS["draw"] + hour.SECONDS["class"])
