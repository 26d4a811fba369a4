import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ssd300.errors import RunError
from ssd300.serve.private_folder import PREFIX, private_folder


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_only_this_user_can_read_it_and_it_goes_at_the_end(temporary):
    with private_folder() as folder:
        assert folder.parent == temporary
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "a").write_text("a")
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked there")
def test_the_folder_of_a_killed_server_is_removed_at_the_next_start(temporary):
    program = (
        "import os, tempfile; from ssd300.serve.private_folder import private_folder\n"
        f"tempfile.tempdir = {str(temporary)!r}\n"
        "with private_folder() as folder: (folder / 'a').touch(); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    (left,) = temporary.glob(f"{PREFIX}*")
    other = temporary / "something-else"
    other.mkdir()
    with private_folder() as one, private_folder() as two:
        assert not left.exists()
        assert one.is_dir()  # the second has not taken it for one that was left
        assert two.is_dir()
    assert list(temporary.iterdir()) == [other]


def test_without_a_temporary_folder_the_error_says_what_to_do(monkeypatch):
    def none():
        raise FileNotFoundError(2, "No usable temporary directory found in ['/a']")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    with pytest.raises(RunError, match=r"No usable temporary directory.*TMPDIR"), private_folder():
        pass


def test_a_folder_that_others_made_by_that_name_is_left(temporary):
    (temporary / f"{PREFIX}file").write_text("a")
    (temporary / f"{PREFIX}link").symlink_to(Path(temporary) / "nowhere")
    with private_folder():
        pass
    assert len(list(temporary.iterdir())) == 2
