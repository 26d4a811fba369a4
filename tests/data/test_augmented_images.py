import numpy as np
import pytest

from data.test_loader import batches
from ssd300.data import load_dataset
from ssd300.data.augmented_images import at_network_size
from ssd300.errors import DataError
from ssd300.types import Sample


@pytest.mark.parametrize("workers", [0, 1])
def test_an_unreadable_image_is_named_also_by_a_worker(coloured, workers):
    annotations = load_dataset(coloured).annotations
    broken = annotations[0].image_path
    broken.write_bytes(broken.read_bytes()[:200])
    with pytest.raises(DataError, match="cannot be read") as caught:
        batches(annotations, 3, workers=workers)
    assert caught.value.where == str(broken)
    assert "Replace the file" in caught.value.fix


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_image_is_an_error_or_is_replaced_by_the_next_one(coloured, workers):
    annotations = load_dataset(coloured).annotations
    spoilt, after = annotations[1], annotations[2]
    spoilt.image_path.write_bytes(b"no image")
    with pytest.raises(DataError, match=spoilt.image_path.name):
        batches(annotations, 2, workers=workers)
    found = batches(annotations, 8, workers=workers, on_bad_image="skip")
    ids = [image_id for batch in found for image_id in batch.image_ids]
    assert len(ids) == 24
    assert spoilt.image_id not in ids
    assert ids.count(after.image_id) == 12  # of four images in six epochs, twice in each
    skipped = [image for batch in found for image in batch.skipped]
    assert len(skipped) == 6
    assert all(spoilt.image_path.name in image for image in skipped)
    for annotation in annotations:
        annotation.image_path.write_bytes(b"")
    with pytest.raises(DataError, match="none of the 4 images"):
        batches(annotations, 1, workers=workers, on_bad_image="skip")


def test_without_augmentation_the_whole_image_and_its_boxes_are_stretched():
    image = np.zeros((10, 20, 3), np.uint8)
    image[:, 10:] = 255
    sample = Sample(
        image=image, boxes_px=np.array([[10.0, 0, 20, 10]]), labels=np.array([3]), difficult=np.array([True]),
        image_id="a", size_hw=(10, 20),
    )  # fmt: skip
    changed = at_network_size(sample, 40)
    assert changed.image.shape == (40, 40, 3)
    assert changed.image[:, [0, -1]].mean(axis=(0, 2)).tolist() == [0, 255]
    assert changed.boxes_px.tolist() == [[20, 0, 40, 40]]
    assert (changed.labels.tolist(), changed.difficult.tolist(), changed.size_hw) == ([3], [True], (10, 20))
