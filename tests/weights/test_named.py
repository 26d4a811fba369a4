from pathlib import Path

import pytest

from ssd300.errors import DownloadError, WeightsError
from ssd300.weights.named import NAMED, fetch_named, named_detector


@pytest.mark.parametrize("name", [name for name, known in NAMED.items() if not known.is_detector])
def test_a_backbone_is_no_detector(name):
    with pytest.raises(WeightsError, match=f"{name} is a backbone") as caught:
        named_detector(name)
    assert f"--init {name}" in caught.value.fix


def test_a_folder_of_files_stands_for_the_network(tmp_path):
    (tmp_path / NAMED["vgg16"].file.name).write_bytes(b"another file")
    with pytest.raises(DownloadError, match="not the published one"):
        fetch_named("vgg16", tmp_path / "cache", from_files=tmp_path)
    assert list(Path(tmp_path / "cache").iterdir()) == []
