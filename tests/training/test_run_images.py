from PIL import Image

from ssd300.data.loader import training_batches
from ssd300.reporting.montage import take_apart
from ssd300.run_layout import TRAINING_BATCH_IMAGE
from ssd300.training.run_images import BATCH_TILE_PX, _spread, save_training_batch


def test_shown_images_have_objects_and_are_spread_over_the_dataset(data):
    assert [len(annotation) for annotation in data.annotations] == [1, 1, 0, 1]
    assert _spread(data.annotations, 2) == [0, 3]
    assert _spread(data.annotations, 9) == [0, 1, 3]
    assert _spread(data.annotations[2:3], 9) == []


def test_the_training_batch_is_stored_and_not_changed(data, tmp_path):
    batch = next(training_batches(data.annotations, size=300, batch_size=4, seed=0, workers=0, augment=False))
    before = batch.images.clone()
    (tmp_path / "images").mkdir()
    save_training_batch(tmp_path, batch, before[0, :, :1, :1].float(), data.classes)
    assert batch.images.equal(before)
    with Image.open(tmp_path / TRAINING_BATCH_IMAGE) as image:
        assert 4 * BATCH_TILE_PX > image.width > 3 * BATCH_TILE_PX > image.height
        assert [caption for caption, _ in take_apart(image)] == [  # all that have objects
            image_id for image_id, labels in zip(batch.image_ids, batch.targets.labels, strict=True) if labels.any()
        ]
