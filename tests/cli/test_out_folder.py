"""The names of output folders that look like those of files."""

from pathlib import Path

import pytest

from ssd300.cli.out_folder import check_is_folder_name
from ssd300.errors import UsageError


@pytest.mark.parametrize("name", ["found.jpg", "clip.MP4", "table.csv", "m.safetensors", "a/b.json"])
def test_a_new_folder_that_is_called_like_a_file_is_refused(tmp_path, name):
    (tmp_path / "b").mkdir()
    (tmp_path / "b/taken").touch()
    with pytest.raises(UsageError, match=f"--out {tmp_path / Path(name).with_suffix('')}"):
        check_is_folder_name(Path, tmp_path / name)


@pytest.mark.parametrize("name", ["found", "run-1.5", "v2.0", "2026.11.26", "there.jpg"])
def test_other_names_and_folders_that_are_there_are_taken(tmp_path, name):
    (tmp_path / "there.jpg").mkdir()
    check_is_folder_name(Path, tmp_path / name)
