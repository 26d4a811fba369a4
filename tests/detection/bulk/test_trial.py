"""A trial: what it measures of a job's own code."""

import numpy as np
import pytest
from PIL import Image

from bulk_jobs import write_images
from mean_color import MeanColor
from ssd300.detection.bulk.rows import encoded
from ssd300.detection.bulk.trial import UNKNOWN_DETECTION_BYTES, try_bookkeeping, try_images
from ssd300.detection.bulk.work import Work
from ssd300.errors import DataError
from ssd300.types import Selection


def work(tmp_path, min_score=0.2) -> Work:
    return Work(
        out=str(tmp_path / "job"), base=str(tmp_path), form="parquet", selection=Selection(min_score=min_score),
        suppress=(), batch_size=4,
    )  # fmt: skip


def test_images_go_through_the_code_of_a_job_round_after_round(tmp_path):
    images = sorted(write_images(tmp_path / "photos", 20).iterdir())
    network = MeanColor()
    speed, sizes = try_images(network, images, work(tmp_path), seconds=0.05, rounds=3)
    assert network.seen == 20 + speed.images  # all of them once, to warm up
    assert speed.rounds == 3
    assert speed.seconds >= 0.05
    assert 0 < speed.slowest <= speed.images_per_second <= speed.fastest
    assert speed.images >= 3
    assert 0 < speed.cpu_share < 1.5
    assert sizes.image_bytes == np.mean([image.stat().st_size for image in images])
    assert sizes.detections_per_image == 1
    assert sizes.part_bytes == len(encoded([], "parquet"))
    assert 5 < sizes.row_bytes < 200
    assert 1 < sizes.detection_bytes < 200


def test_without_detections_the_size_of_one_is_that_of_its_numbers(tmp_path):
    Image.new("RGB", (20, 20)).save(tmp_path / "black.png")

    class Nothing(MeanColor):
        def select(self, predictions, selection):
            return [found.select([False]) for found in super().select(predictions, selection)]

    _, sizes = try_images(Nothing(), [tmp_path / "black.png"], work(tmp_path), seconds=0.01, rounds=1)
    assert (sizes.detections_per_image, sizes.detection_bytes) == (0, UNKNOWN_DETECTION_BYTES)


def test_a_broken_image_is_named(tmp_path):
    images = sorted(write_images(tmp_path / "photos", 3, broken=(1,)).iterdir())
    with pytest.raises(DataError, match=r"00001\.jpg"):
        try_images(MeanColor(), images, work(tmp_path), seconds=0.01, rounds=1)


@pytest.mark.slow
def test_planning_and_counting_take_memory_for_each_image(tmp_path):
    found = try_bookkeeping(str(tmp_path), "parquet", 60, names=1024)
    assert 60 < found.id_bytes < 70  # the id and its part of the line
    assert 100 < found.plan_image_bytes < 1000  # two sets, the id and its name
    assert 50 < found.plan_chunk_bytes < 1000
    assert found.count_image_bytes >= 16  # the digest
    assert found.plan_image_seconds > 0
    assert found.count_image_seconds > 0
    assert found.count_part_seconds >= 0
    assert found.count_part_reads >= 1
