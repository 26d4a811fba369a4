import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ssd300.data.augment import (
    INTERPOLATIONS,
    Augmentation,
    apply_geometry,
    resample,
    sample_augmentation,
    sample_crop,
)
from ssd300.types import Sample


def sample(boxes, size_hw=(90, 120)):
    random = np.random.default_rng(1)
    boxes = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    return Sample(
        image=random.integers(0, 256, (*size_hw, 3), dtype=np.uint8),
        boxes_px=boxes,
        labels=np.arange(len(boxes)),
        difficult=np.zeros(len(boxes), bool),
        image_id="a",
        size_hw=size_hw,
    )


@given(st.integers(0, 10_000), st.integers(0, 4))
@settings(max_examples=100, deadline=None)
def test_boxes_stay_inside_and_beside_their_labels(seed, count):
    random = np.random.default_rng(seed)
    low = random.uniform(0, 60, (count, 2))
    given = sample(np.concatenate([low, low + random.uniform(2, 28, (count, 2))], axis=1))
    changed, content = apply_geometry(given, sample_augmentation(random, (90, 120), given.boxes_px), 300)
    assert changed.image.shape == (300, 300, 3)
    assert len(changed.boxes_px) == len(changed.labels) <= count
    assert (changed.boxes_px >= 0).all()
    assert (changed.boxes_px <= 300).all()
    assert (changed.boxes_px[:, 2:] > changed.boxes_px[:, :2]).all()
    assert 0 <= content[0] <= content[2] <= 300


def test_geometry_by_hand():
    # The left half, flipped: a box from 12 to 36 of 60 columns lies at 300 * (60 - 36) / 60 to 300 * (60 - 12) / 60.
    given = sample([[12, 9, 36, 45], [70, 0, 100, 50]])
    change = Augmentation(source_px=(0, 0, 60, 90), flip=True, interpolation=Image.Resampling.NEAREST)
    changed, content = apply_geometry(given, change, 300)
    np.testing.assert_allclose(changed.boxes_px, [[120, 30, 240, 150]])
    assert changed.labels.tolist() == [0]
    assert content == (0, 0, 300, 300)


def test_no_change_is_a_plain_resize():
    given = sample([], size_hw=(300, 300))
    change = Augmentation(source_px=(0, 0, 300, 300), flip=False, interpolation=Image.Resampling.NEAREST)
    assert (apply_geometry(given, change, 300)[0].image == given.image).all()
    given.image.flags.writeable = False  # the input is never written to


def test_a_crop_is_one_of_those_found_or_the_whole():
    random = np.random.default_rng(0)
    box = np.array([[0.4, 0.4, 0.6, 0.6]])
    crops = np.array([sample_crop(random, box) for _ in range(500)])
    sizes = crops[:, 2:] - crops[:, :2]
    whole = (sizes == 1).all(axis=1)
    # The box covers too little of any crop for .5, .7 and .9 (at most .04 / .09), so whole, .1, .3 and free are left.
    assert whole.mean() == pytest.approx(1 / 4, abs=0.06)
    scale = np.sqrt(sizes.prod(axis=1))
    assert scale.min() >= 0.3
    aspect = sizes[:, 0] / sizes[:, 1]
    assert aspect.min() >= 0.5
    assert aspect.max() <= 2
    assert (sample_crop(random, np.zeros((0, 4))) == [0, 0, 1, 1]).all()


@pytest.mark.slow
def test_half_of_the_images_zoom_out_up_to_four_times():
    random = np.random.default_rng(0)
    changes = [sample_augmentation(random, (100, 100), np.zeros((0, 4))) for _ in range(1000)]
    width = np.array([change.source_px[2] - change.source_px[0] for change in changes]) / 100
    assert (width > 1).mean() == pytest.approx(0.5, abs=0.05)
    assert 3.8 < width.max() <= 4
    assert np.mean([change.flip for change in changes]) == pytest.approx(0.5, abs=0.05)
    assert max(abs(change.hue_degrees) for change in changes) <= 36
    assert max(abs(change.brightness) for change in changes) <= 32
    assert len({change.interpolation for change in changes}) == 5


@pytest.mark.parametrize("kind", INTERPOLATIONS)
@pytest.mark.parametrize("flip", [False, True])
def test_resampling_is_pillows_to_two_levels_at_any_size(kind, flip):
    random = np.random.default_rng(0)
    sizes = [(1, 1), (1, 40), (40, 1), (2, 2), (3, 2), (30, 40), (41, 29), (375, 500)]
    for source in sizes:
        rows, columns = np.arange(source[0])[:, None], np.arange(source[1])
        smooth = 128 + 60 * np.sin(rows / 5)[..., None] * np.cos(columns / 7)[:, None] * [1, 0.5, -1]
        image = (smooth + random.normal(0, 3, (*source, 3))).astype(np.uint8)
        image.flags.writeable = False
        for target in [*sizes[:6], (300, 300)]:
            theirs = np.asarray(Image.fromarray(image).resize(target[::-1], kind)).astype(int)
            ours = resample(image, target, kind, flip=flip)
            assert np.abs(ours - (theirs[:, ::-1] if flip else theirs)).max() <= 2, (source, target)
