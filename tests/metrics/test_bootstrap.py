"""A resample is the same as a dataset that holds each image as often as it was sampled."""

from dataclasses import replace

import numpy as np
import pytest

from random_detections import IMAGES, problem, table
from ssd300.metrics.bootstrap import resample_weights, weighted_average_precision
from ssd300.metrics.voc import voc_average_precision
from ssd300.metrics.voc_matching import judge
from ssd300.metrics.voc_rules import VocRules


@pytest.mark.parametrize("protocol", ["voc07", "voc12"])
@pytest.mark.parametrize("rules", [VocRules(), VocRules(voc07_thresholds="float64", difficult="counted")])
def test_weights_are_copies_of_images(protocol, rules):
    for seed in range(10):
        annotations, rows = problem(seed)
        judged = judge(annotations, table(rows), 2, rules)
        (weights,) = resample_weights(IMAGES, 5, seed=seed)
        for weight in weights:
            copies = [image for image in range(IMAGES) for _ in range(weight[image])]
            sampled = [replace(annotations[image], image_id=str(place)) for place, image in enumerate(copies)]
            again = [(place, *row[1:]) for place, image in enumerate(copies) for row in rows if row[0] == image]
            wanted = voc_average_precision(sampled, table(again), 2, protocol=protocol, rules=rules)
            for one, result in zip(judged, wanted, strict=True):
                (ap,) = weighted_average_precision(one, weight[None], protocol=protocol, rules=rules)
                assert ap == pytest.approx(np.nan if result.ap is None else result.ap, abs=1e-12, nan_ok=True)


def test_many_rows_at_once_are_the_same_as_one_by_one(monkeypatch):
    annotations, rows = problem(0)
    one = judge(annotations, table(rows), 2)[0]
    (weights,) = resample_weights(IMAGES, 20, seed=1)
    together = weighted_average_precision(one, weights)
    monkeypatch.setattr("ssd300.metrics.bootstrap.MAX_AT_ONCE", 1)
    assert together.tolist() == weighted_average_precision(one, weights).tolist()


def test_every_resample_has_as_many_images_as_there_are_and_a_seed_repeats_it():
    weights = np.concatenate(list(resample_weights(7, 150, seed=3)))
    assert weights.shape == (150, 7)
    assert (weights.sum(axis=1) == 7).all()
    assert (weights == np.concatenate(list(resample_weights(7, 150, seed=3)))).all()
    assert (weights != np.concatenate(list(resample_weights(7, 150, seed=4)))).any()


def test_no_object_and_no_true_detection():
    annotations, rows = problem(0)
    nothing = judge(annotations, table(rows), 3)[2]
    assert np.isnan(weighted_average_precision(nothing, np.ones((1, IMAGES), np.int32))).all()
    unseen = judge(annotations, table(rows).select(np.zeros(0, np.int64)), 2)[0]
    assert weighted_average_precision(unseen, np.ones((2, IMAGES), np.int32)).tolist() == [0.0, 0.0]
