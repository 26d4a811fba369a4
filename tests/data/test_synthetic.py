import numpy as np

from ssd300.data import load_dataset
from ssd300.data.synthetic import EMPTY_EVERY, SIZE_HW, draw_scene, write_synthetic_dataset
from ssd300.images.read import read_image


def test_the_same_seed_gives_the_same_files(tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_synthetic_dataset(tmp_path / name, train=3, test=1, seed=seed)
    a, b, c = (sorted((tmp_path / name).rglob("*.*")) for name in "abc")
    assert [path.read_bytes() for path in a] == [path.read_bytes() for path in b]
    assert [path.read_bytes() for path in a] != [path.read_bytes() for path in c]


def test_it_is_a_voc_folder_with_images_without_objects(tmp_path):
    write_synthetic_dataset(tmp_path / "data", train=EMPTY_EVERY, test=2)
    data = load_dataset(tmp_path / "data")
    assert data.classes == ("ball", "cone", "crate", "star")
    assert [len(annotation) == 0 for annotation in data.annotations] == [False] * (EMPTY_EVERY - 1) + [True]
    assert read_image(data.annotations[0].image_path).shape[:2] == SIZE_HW == data.annotations[0].size_hw
    assert len(load_dataset(tmp_path / "data", purpose="test")) == 2


def test_boxes_fit_tightly_around_the_pixels_of_their_objects():
    for seed in range(8):
        without, _ = draw_scene(np.random.default_rng(seed), objects=0)
        image, ((_, box),) = draw_scene(np.random.default_rng(seed), objects=1)
        changed = np.abs(np.asarray(image).astype(int) - np.asarray(without)).max(axis=2) > 20
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        seen = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        assert np.abs(np.array(seen) - box).max() <= 2
