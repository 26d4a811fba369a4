import pytest

from ssd300.data import load_dataset
from ssd300.errors import DataError
from ssd300.export.images import SYNTHETIC, choose_images, spread


@pytest.mark.parametrize(
    ("count", "most", "wanted"), [(3, 5, [0, 1, 2]), (10, 4, [0, 3, 6, 9]), (5, 2, [0, 4]), (7, 1, [0]), (1, 1, [0])]
)
def test_images_are_evenly_spaced(count, most, wanted):
    assert spread(range(count), most) == wanted


def test_a_folder_goes_before_the_data_and_the_data_before_synthetic_images(coloured, tmp_path):
    data = load_dataset(coloured, purpose="test")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/a.JPG").write_bytes(b"")
    (tmp_path / "folder/notes.txt").write_text("no image")
    assert choose_images(tmp_path / "folder", data, tmp_path) == ([tmp_path / "folder/a.JPG"], [])
    assert choose_images(None, data, tmp_path) == ([coloured / "JPEGImages/p4.jpg"], [])
    (tmp_path / "scratch").mkdir()
    paths, notes = choose_images(None, None, tmp_path / "scratch")
    assert len(paths) == SYNTHETIC
    assert "synthetic" in notes[0]


def test_a_folder_without_images_is_an_error(tmp_path):
    with pytest.raises(DataError, match="the folder has no images"):
        choose_images(tmp_path, None, tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        choose_images(tmp_path / "nowhere", None, tmp_path)
