import pytest

from ssd300.data import load_dataset
from ssd300.data.predictions.read import read_predictions
from ssd300.errors import DataError


@pytest.fixture
def data(coloured):
    return load_dataset(coloured)


def read(path, data):
    return read_predictions(path, data.annotations, data.classes)


def assert_same_rows(table, wanted):
    def rows(t):
        columns = (t.image_index.tolist(), t.labels.tolist(), t.scores.tolist(), t.boxes_px.tolist())
        return sorted(zip(*columns, strict=True))

    assert rows(table) == rows(wanted)


def test_an_archive_of_predictions_is_named(data, tmp_path):
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed/results.tar.xz").write_bytes(b"")
    with pytest.raises(DataError, match=r"Unpack results\.tar\.xz first"):
        read_predictions(tmp_path / "packed", data.annotations, data.classes)


def test_an_unknown_class_file_two_kinds_at_once_and_nothing(data, tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "none", data)
    with pytest.raises(DataError, match="unknown format"):
        read(tmp_path, data)
    (tmp_path / "comp4_det_test_green.txt").write_text("")
    with pytest.raises(DataError, match="'green' is not one of blue, red"):
        read(tmp_path, data)
    (tmp_path / "detections.jsonl").write_text('{"image": "p0.jpg", "detections": []}\n')
    with pytest.raises(DataError, match="two predictions"):
        read(tmp_path, data)
