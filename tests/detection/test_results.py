"""The detections of an image in the formats of other tools."""

import numpy as np

from ssd300.detection.results import ImageDetections, Result, frame_name


def test_a_result_is_written_in_the_formats_of_other_tools():
    result = Result(
        boxes=np.array([[1.0, 2.0, 5.0, 9.0]], np.float32), scores=np.array([0.5], np.float32), labels=np.array([1]),
        classes=("a", "b & c"), image="some/dog.jpg", pixels=np.zeros((10, 20, 3), np.uint8),
    )  # fmt: skip
    assert result.to_coco() == [{"image_id": "dog", "category_id": 2, "bbox": [1.0, 2.0, 4.0, 7.0], "score": 0.5}]
    assert result.to_coco(7)[0]["image_id"] == 7
    xml = result.to_voc_xml()
    assert "<name>b &amp; c</name>" in xml
    assert "<xmin>2</xmin><ymin>3</ymin><xmax>5</xmax><ymax>9</ymax>" in xml  # VOC counts from 1, both ends included
    assert "<score>0.5</score>" in xml
    assert result.to_yolo() == "1 0.15 0.55 0.2 0.7 0.5\n"
    empty = result.select([False])
    assert (empty.to_coco(), empty.to_yolo(), "<object>" in empty.to_voc_xml()) == ([], "", False)


def test_the_row_of_a_frame_has_its_number_and_time():
    frame = ImageDetections(
        boxes=np.array([[1.0, 2.0, 5.0, 9.0]], np.float32), scores=np.array([0.5], np.float32), labels=np.array([0]),
        classes=("a",), image="some/film.mp4", size_hw=(10, 20), frame=7, time_s=0.25,
    )  # fmt: skip
    row = frame.to_dict()
    assert (row["image"], row["frame"], row["time_s"], row["height"]) == ("some/film.mp4", 7, 0.25, 10)
    box = {"xmin": 1.0, "ymin": 2.0, "xmax": 5.0, "ymax": 9.0}
    assert row["detections"] == [{"label": "a", "label_id": 0, "score": 0.5, "box": box}]
    assert f"<filename>{frame_name('film', 7)}.jpg</filename>" in frame.to_voc_xml()


def test_a_result_without_pixels_has_the_same_detections():
    result = Result(
        boxes=np.array([[1.0, 2.0, 5.0, 9.0]], np.float32), scores=np.array([0.5], np.float32), labels=np.array([0]),
        classes=("a",), image="dog.jpg", pixels=np.zeros((10, 20, 3), np.uint8),
    )  # fmt: skip
    assert result.size_hw == (10, 20)
    assert result.without_pixels().to_dict() == result.to_dict()
