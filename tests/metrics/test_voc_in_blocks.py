"""Blocks give what the whole table gives, whatever their size: AP, counts, ties."""

from itertools import pairwise

import numpy as np
import pytest

from random_detections import problem, table
from ssd300.metrics.ranking import Ranking
from ssd300.metrics.voc import voc_average_precision
from ssd300.metrics.voc_in_blocks import VocInBlocks
from ssd300.metrics.voc_rules import DEVKIT, VocRules

CLASSES = 3  # the last one has no object


def in_blocks(annotations, whole, folder, rules, blocks, protocol):
    """The results where the images of `whole`, in its order of images, come in so many blocks."""
    folder.mkdir()
    metric = VocInBlocks(annotations, CLASSES, folder, rules)
    images = list(dict.fromkeys(whole.image_index.tolist()))
    ends = np.linspace(0, len(images), blocks + 1).astype(int)
    for start, end in pairwise(ends):
        metric.add(whole.select(np.isin(whole.image_index, images[start:end])))
    return metric.results(protocol)


@pytest.mark.parametrize("protocol", ["voc07", "voc12"])
@pytest.mark.parametrize(
    "rules",
    [DEVKIT, VocRules(voc07_thresholds="float64"), VocRules(difficult="counted", overlap="above"),
     VocRules(difficult="dropped", iou_threshold=0.7)],
)  # fmt: skip
@pytest.mark.parametrize("digits", [None, 1, 0])  # scores that are different, often equal, almost all equal
def test_any_blocks_equal_the_whole_table(tmp_path, rules, protocol, digits):
    for seed in range(8):
        annotations, rows = problem(seed)
        whole = table([row for image in np.random.default_rng(seed).permutation(12) for row in rows if row[0] == image])
        if digits is not None:
            whole.scores[:] = np.round(whole.scores, digits)
        wanted = voc_average_precision(annotations, whole, CLASSES, protocol=protocol, rules=rules)
        for blocks in (1, 3, 12):
            got = in_blocks(annotations, whole, tmp_path / f"{seed}_{blocks}", rules, blocks, protocol)
            for one, other in zip(got, wanted, strict=True):
                assert (one.objects, one.difficult, one.detections) == (
                    other.objects,
                    other.difficult,
                    other.detections,
                )
                assert one.ap == (None if other.ap is None else pytest.approx(other.ap, rel=0, abs=1e-12))


def test_without_blocks_every_class_with_objects_has_0(tmp_path):
    annotations, _ = problem(0)
    assert [one.ap for one in VocInBlocks(annotations, CLASSES, tmp_path).results()] == [0.0, 0.0, None]


def test_equal_scores_rank_by_their_place(tmp_path, monkeypatch):
    monkeypatch.setattr("ssd300.metrics.ranking.BLOCK", 2)
    ranking = Ranking(tmp_path / "false")
    ranking.add(np.array([0.5, 0.5]), np.array([2, 4]), np.array([False, True]))
    ranking.add(np.array([0.5, 0.5, 0.9]), np.array([1, 5, 6]), np.array([True, False, False]))
    ranking.add(np.array([0.5, np.inf]), np.array([3, 0]), np.array([False, True]))
    # inf true, 0.9 false, then by place: true, false, false, true, false
    assert ranking.precision().tolist() == [1.0, 2 / 3, 3 / 6]
    assert Ranking(tmp_path / "none").precision().tolist() == []
