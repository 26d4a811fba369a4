from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ssd300.detection.detector import Detector
from ssd300.detection.next_images import Chosen, Copy, Rated, choose, rate_images
from ssd300.images.near_copies import ImageHash
from ssd300.types import Detections
from ssd300.weights import Card


class Bright:
    """Finds the columns of an image that are brighter than 100, with their mean brightness / 255 as its score.

    With `blind`, it does not see the right half, so that a mirror image is another one to it.
    """

    def __init__(self, card: Card, *, blind: bool = False) -> None:
        self.card, self.blind = card, blind

    def prepare(self, image):
        return image

    def predict(self, inputs, selection):
        return list(inputs)

    def select(self, predictions, selection):
        return [self._of(image, selection) for image in predictions]

    def _of(self, image, selection):
        seen = image[:, : image.shape[1] // 2] if self.blind else image
        columns = np.flatnonzero(seen.mean(axis=(0, 2)) > 100)
        scores = np.array([seen[:, columns].mean() / 255] if len(columns) else [], np.float32)
        left, right = (columns[0], columns[-1] + 1) if len(columns) else (0, 1)
        box = np.array([[left / image.shape[1], 0, right / image.shape[1], 1]], np.float32)[: len(scores)]
        labels = np.zeros(len(scores), np.int64)
        return Detections(boxes=box, scores=scores, labels=labels, classes=self.card.classes)


@pytest.fixture
def card(light_run):
    return Detector.load(light_run).card


def paint(path: Path, brightness: int, columns=slice(10, 30)) -> Path:
    pixels = np.zeros((40, 100, 3), np.uint8)
    pixels[:, columns] = brightness
    Image.fromarray(pixels).save(path)
    return path


def test_the_least_sure_image_comes_first_and_what_cannot_be_read_is_reported(card, tmp_path):
    sure, unsure, empty = (
        paint(tmp_path / f"{name}.png", bright) for name, bright in (("a", 250), ("b", 128), ("c", 0))
    )
    (tmp_path / "d.png").write_bytes(b"no image")
    advanced = []
    images = [sure, unsure, tmp_path / "d.png", empty, tmp_path / "none.png"]
    rating = rate_images(Detector(Bright(card)), images, batch_size=2, advance=lambda: advanced.append(1))
    assert [one.image for one in rating.rated] == [unsure, sure, empty]
    p = np.float64(np.float32(128 / 255))
    assert rating.rated[0].value == pytest.approx(-p * np.log2(p) - (1 - p) * np.log2(1 - p), abs=1e-6)
    assert rating.rated[-1].value == 0
    assert [one.image.name for one in rating.unread] == ["d.png", "none.png"]
    assert len(advanced) == len(images) == len(rating.rated) + len(rating.unread)


@pytest.mark.parametrize(("blind", "value"), [(False, 0), (True, 1)])
def test_a_detector_that_sees_the_mirror_image_otherwise_is_unsure_by_flip(card, tmp_path, blind, value):
    rating = rate_images(Detector(Bright(card, blind=blind)), [paint(tmp_path / "a.png", 200)], "flip")
    assert [one.value for one in rating.rated] == [pytest.approx(value, abs=1e-6)]


def test_images_of_one_value_are_in_the_order_of_their_paths(card, tmp_path):
    images = [paint(tmp_path / f"{name}.png", 200) for name in "cab"]
    rating = rate_images(Detector(Bright(card)), images)
    assert [one.image.name for one in rating.rated] == ["a.png", "b.png", "c.png"]


def rated(*values):
    return [Rated(Path(f"{number}.jpg"), value) for number, value in enumerate(values)]


def different(path: Path) -> ImageHash:
    random = np.random.default_rng(int(path.stem))
    frequencies = random.normal(0, 10, (16, 16)).astype(np.float32)
    return ImageHash(content=str(path), signs=np.sign(frequencies).astype(np.int8), frequencies=frequencies)


def test_four_fifths_are_the_least_sure_and_the_rest_is_drawn_with_the_seed():
    images = rated(*np.linspace(0, 1, 40))
    by_seed = [choose(images, 10, seed=seed, hash_of=different) for seed in (0, 0, 1)]
    first = by_seed[0].chosen
    assert [one.image.stem for one in first[:8]] == [str(number) for number in range(39, 31, -1)]
    assert [one.why for one in first] == ["unsure"] * 8 + ["random"] * 2
    assert by_seed[0] == by_seed[1]
    assert by_seed[0].chosen[8:] != by_seed[2].chosen[8:]
    assert choose(images[::-1], 10, hash_of=different) == by_seed[0]
    assert not by_seed[0].near_copies


@pytest.mark.parametrize(("share", "unsure"), [(0.0, 5), (1.0, 0), (0.2, 4), (0.5, 3)])
def test_the_share_of_random_images_is_rounded(share, unsure):
    chosen = choose(rated(*map(float, range(9))), 5, random_share=share, hash_of=different).chosen
    assert [one.why for one in chosen] == ["unsure"] * unsure + ["random"] * (5 - unsure)


def test_a_near_copy_of_a_chosen_image_is_passed_over_whatever_its_value():
    def hash_of(path: Path) -> ImageHash | None:
        return None if path.stem == "0" else different(Path("7" if path.stem in "346" else path.stem))

    images = rated(0.1, 0.2, 0.3, 0.9, 0.8, 0.7, 0.6)
    result = choose(images, 3, random_share=0.0, hash_of=hash_of)
    assert result.chosen == [Chosen(Path(f"{n}.jpg"), images[n].value, "unsure") for n in (3, 5, 2)]
    assert result.near_copies == [Copy(Path("4.jpg"), Path("3.jpg")), Copy(Path("6.jpg"), Path("3.jpg"))]
    assert [one.image.stem for one in result.left] == ["1", "0"]
    kept = choose(images, 3, random_share=0.0, skip_copies=False, hash_of=hash_of)
    assert [one.image.stem for one in kept.chosen] == ["3", "4", "5"]
    assert not kept.near_copies


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0, 5), max_size=20),
    st.integers(1, 25),
    st.floats(0, 1),
    st.integers(0, 3),
    st.lists(st.integers(0, 4), min_size=20, max_size=20),
)
def test_each_image_is_chosen_a_copy_or_left_and_none_is_lost(values, count, share, seed, scenes):
    images = rated(*values)
    result = choose(
        images, count, random_share=share, seed=seed, hash_of=lambda path: different(Path(str(scenes[int(path.stem)])))
    )
    parts = [one.image for part in (result.chosen, result.near_copies, result.left) for one in part]
    assert sorted(parts) == sorted(one.image for one in images)
    assert len(result.chosen) <= count
    assert len({scenes[int(one.image.stem)] for one in result.chosen}) == len(result.chosen)
    assert not result.left or len(result.chosen) == count


def test_what_cannot_be_chosen():
    for options in ({"count": 0}, {"count": 1, "random_share": 1.1}, {"count": 1, "random_share": -0.1}):
        with pytest.raises(ValueError, match=r"count is 0|random_share is"):
            choose([], **options)
    assert choose([], 3).chosen == []
