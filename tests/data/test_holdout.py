import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ssd300.data import load_dataset
from ssd300.data.dataset import Dataset
from ssd300.data.holdout import _choose, hold_out
from ssd300.errors import UsageError
from ssd300.types import Annotation

CLASSES = ("nut", "bolt", "washer")


def annotation(path, labels=(0,)):
    boxes = np.tile(np.array([1.0, 1, 9, 9]), (len(labels), 1))
    return Annotation(
        image_id=path.stem, image_path=path, size_hw=(64, 64), boxes_px=boxes, labels=np.array(labels, dtype=np.int64),
        difficult=np.zeros(len(labels), dtype=bool),
    )  # fmt: skip


def dataset(annotations):
    return Dataset(annotations=annotations, classes=CLASSES, root=Path("data"), split="trainval", notes=("read",))


def ids(part):
    return [one.image_id for one in part.annotations]


def write_scenes(folder, sizes):
    """`sizes[n]` images of scene n: the image, a copy of its file, and darker ones."""
    random = np.random.default_rng(0)
    for scene, size in enumerate(sizes):
        pixels = random.integers(20, 250, (8, 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        for number in range(size):
            darker = pixels * (1 - 0.1 * max(0, number - 1))
            Image.fromarray(darker.astype(np.uint8)).save(folder / f"s{scene:02}_{number}.png")
    return dataset([annotation(path) for path in sorted(folder.glob("*.png"))])


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return write_scenes(tmp_path_factory.mktemp("scenes"), [1] * 12 + [2] * 6 + [4] * 4)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9, 0.999])
def test_every_image_is_in_one_part_and_no_scene_in_two(scenes, share, seed):
    train, held_out = hold_out(scenes, share, seed=seed)
    assert sorted(ids(train) + ids(held_out)) == ids(scenes)
    assert ids(train) == sorted(ids(train))  # in the order of the dataset
    assert not {name[:3] for name in ids(train)} & {name[:3] for name in ids(held_out)}
    wanted = min(max(round(share * len(scenes)), 1), len(scenes) - 1)
    assert len(held_out) == wanted
    assert (train.split, held_out.split) == ("train", "holdout")
    assert train.notes == ("read",)
    (note,) = held_out.notes
    assert f"{wanted} of 40 images" in note
    assert f"seed {seed}" in note
    assert "28 images are copies or near copies of others, in 10 groups" in note


def test_the_parts_depend_on_ids_and_seed_and_not_on_the_order(scenes):
    shuffled = replace(scenes, annotations=[scenes.annotations[n] for n in np.random.default_rng(1).permutation(40)])
    parts = {seed: frozenset(ids(hold_out(scenes, 0.3, seed=seed)[1])) for seed in range(5)}
    assert {seed: frozenset(ids(hold_out(shuffled, 0.3, seed=seed)[1])) for seed in range(5)} == parts
    assert len(set(parts.values())) == 5


def test_each_class_is_in_both_parts_where_that_is_possible(scenes):
    rare = {"s00_0": (0, 1), "s01_0": (0, 1), "s02_0": (2,)}
    annotations = [annotation(one.image_path, rare.get(one.image_id, (0,))) for one in scenes.annotations]
    for seed in range(20):
        train, held_out = hold_out(dataset(annotations), 0.2, seed=seed)
        assert train.objects_per_class()["bolt"] == held_out.objects_per_class()["bolt"] == 1
        assert len(held_out) == 8
        assert not {name[:3] for name in ids(train)} & {name[:3] for name in ids(held_out)}


def test_images_that_cannot_be_read_are_counted_and_held_apart(scenes, tmp_path):
    broken = [annotation(tmp_path / f"broken{number}.jpg") for number in range(2)]
    train, held_out = hold_out(dataset([*scenes.annotations, *broken]), 0.5)
    assert len(train) + len(held_out) == 42
    assert "2 images cannot be read" in held_out.notes[0]


@pytest.mark.parametrize("share", [0.0, 1.0, -0.2, 20.0, float("nan")])
def test_a_share_outside_of_0_and_1_is_refused(scenes, share):
    with pytest.raises(UsageError, match="share to hold out") as caught:
        hold_out(scenes, share)
    assert caught.value.fix


def test_what_cannot_be_split_is_refused(tmp_path):
    alike = write_scenes(tmp_path, [3])
    with pytest.raises(UsageError, match="all 3 images are near copies"):
        hold_out(alike, 0.2)
    with pytest.raises(UsageError, match="one image cannot be split"):
        hold_out(dataset(alike.annotations[:1]), 0.2)


@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=8),
    st.floats(0.01, 0.99),
    st.lists(st.sampled_from([-1, 0, 1]), min_size=8, max_size=8),
)
def test_no_other_choice_of_groups_is_nearer_to_the_share(sizes, share, fixed):
    wanted = share * sum(sizes)
    fixed = np.array(fixed[: len(sizes)])
    chosen = _choose(np.array(sizes), wanted, fixed)
    choices = itertools.product(*[(False, True) if one == -1 else (one == 1,) for one in fixed.tolist()])
    sums = [sum(itertools.compress(sizes, choice)) for choice in choices if any(choice) and not all(choice)]
    if not sums:
        assert chosen is None
        return
    assert 0 < chosen.sum() < len(sizes)
    assert np.array_equal(chosen[fixed != -1], fixed[fixed != -1] == 1)
    assert abs(sum(itertools.compress(sizes, chosen)) - wanted) == pytest.approx(min(abs(s - wanted) for s in sums))


def test_real_frames_of_one_camera_are_held_out_by_position_of_the_camera(shared):
    train, held_out = hold_out(load_dataset(shared / "data/chess", split="trainval"), 0.2)
    assert (len(train), len(held_out)) == (222, 38)  # the only two groups
    assert all(train.objects_per_class().values())
    assert all(held_out.objects_per_class().values())
