import numpy as np
import pytest

from data.predictions.test_read import assert_same_rows, read
from ssd300.data import load_dataset
from ssd300.data.predictions.comp4 import write_comp4
from ssd300.errors import DataError
from ssd300.types import DetectionTable

TABLE = DetectionTable(
    image_index=np.array([0, 2, 0]),
    labels=np.array([1, 0, 1]),
    scores=np.array([0.9, 1 / 3, 0.1]),
    boxes_px=np.array([[0.0, 0.0, 10.0, 20.0], [1.5, 2.25, 30.0, 40.125], [5.0, 5.0, 6.0, 6.0]]),
)


@pytest.fixture
def data(coloured):
    return load_dataset(coloured)


def test_voc_results_keep_every_digit_both_ways(data, tmp_path):
    write_comp4(tmp_path, "test", TABLE, data.annotations, data.classes)
    first = (tmp_path / "comp4_det_test_red.txt").read_text().splitlines()[0]
    assert first == "p0 0.9 1.0 1.0 10.0 20.0"  # both ends counted from 1
    stored = read(tmp_path, data)
    assert stored.format == "comp4"
    assert_same_rows(stored.table, TABLE)
    assert "2 of 4 images have no detection" in stored.notes


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("p0 0.5 1 1 10", "comp4_det_test_red.txt:2.*5 columns where 6"),
        ("p0 high 1 1 10 10", "comp4_det_test_red.txt:2.*high"),
        ("p0 nan 1 1 10 10", "comp4_det_test_red.txt:2.*not finite"),
        ("p9 0.5 1 1 10 10", "comp4_det_test_red.txt:2.*'p9' is not in the data"),
    ],
)
def test_a_bad_row_of_voc_results_is_named_by_file_and_line(data, tmp_path, line, message):
    (tmp_path / "comp4_det_test_red.txt").write_text(f"p0 0.5 1 1 10 10\n{line}\n")
    with pytest.raises(DataError, match=message):
        read(tmp_path, data)


def test_a_class_that_is_no_file_name_is_refused(data, tmp_path):
    with pytest.raises(DataError, match="comp4 cannot hold the class 'a/b'"):
        write_comp4(tmp_path, "test", TABLE, data.annotations, ["c", "a/b"])
    assert not list(tmp_path.glob("comp4*"))  # nor the file of a class before it
    with pytest.raises(DataError, match=r"'comp4_det_a/b_c\.txt' is no file name"):
        write_comp4(tmp_path, "a/b", TABLE, data.annotations, ["c", "d"])
