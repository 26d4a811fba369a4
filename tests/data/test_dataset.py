from dataclasses import replace

import numpy as np
import pytest

from ssd300.data import load_dataset


@pytest.mark.parametrize("column", ["image_id", "boxes_px", "labels", "difficult"])
def test_the_fingerprint_is_of_ids_boxes_labels_and_difficult_flags_and_of_no_folder(coloured, column):
    data = load_dataset(coloured)
    coloured.rename(coloured.parent / "elsewhere")
    assert load_dataset(coloured.parent / "elsewhere").fingerprint() == data.fingerprint()
    first = data.annotations[0]
    changes = {
        "image_id": "z",
        "boxes_px": first.boxes_px + 1,
        "labels": 1 - first.labels,
        "difficult": ~first.difficult,
    }
    other = replace(first, **{column: changes[column]})
    assert replace(data, annotations=[other, *data.annotations[1:]]).fingerprint() != data.fingerprint()
    assert replace(data, classes=("blue", "green")).fingerprint() != data.fingerprint()


def test_objects_are_counted_and_labeled_by_other_classes(coloured):
    data = load_dataset(coloured)
    assert data.objects_per_class() == {"blue": 2, "red": 1}
    other = data.with_classes(["red", "green", "blue"])
    assert other.objects_per_class() == {"red": 1, "green": 0, "blue": 2}
    assert np.concatenate([one.labels for one in data.annotations]).sum() == 1  # the argument is as it was
    with pytest.raises(ValueError, match="there are objects of red, not of blue, green alone"):
        data.with_classes(["blue", "green"])
