from dataclasses import replace

import numpy as np
import pytest

from ssd300.data import load_dataset
from ssd300.data.samples import as_sample, read_sample
from ssd300.errors import DataError
from ssd300.images.read import read_image


def test_a_sample_is_the_annotation_with_the_pixels_and_their_size(coloured):
    annotation = replace(load_dataset(coloured).annotations[0], size_hw=None)
    sample = read_sample(annotation)
    assert np.array_equal(sample.image, read_image(annotation.image_path))
    assert sample.size_hw == (120, 160)
    assert sample.image_id == annotation.image_id
    for column in ("boxes_px", "labels", "difficult"):
        assert np.array_equal(getattr(sample, column), getattr(annotation, column))
    assert as_sample(annotation, np.zeros((5, 6, 3), np.uint8)).size_hw == (5, 6)


def test_an_image_of_another_size_than_its_annotation_is_an_error_with_both_sizes(coloured):
    annotation = replace(load_dataset(coloured).annotations[0], size_hw=(9, 7))
    with pytest.raises(DataError, match=r"p0\.jpg: the annotation is for 7 x 9 pixels, the image has 160 x 120"):
        read_sample(annotation)


def test_an_image_that_cannot_be_read_is_named(coloured):
    annotation = load_dataset(coloured).annotations[0]
    annotation.image_path.write_bytes(b"text")
    with pytest.raises(DataError, match=r"p0\.jpg"):
        read_sample(annotation)
