import errno
import subprocess
import sys

import filelock
import pytest

from ssd300.errors import UsageError
from ssd300.system.files import check_output_free, free_folder, whole_folder
from ssd300.system.lock import LOCK, InUseError, Lock

HOLD_AND_DIE = """
import os, sys
from pathlib import Path
from ssd300.system.lock import Lock
lock = Lock(Path(sys.argv[1]), output=Path(), instead=Path())
os.kill(os.getpid(), 9)
"""


def locked(folder):
    return Lock(folder / LOCK, output=folder, instead=folder.with_name("free"))


def test_a_second_one_is_refused_and_the_file_is_gone_after_the_first(tmp_path):
    first = locked(tmp_path)
    with pytest.raises(InUseError, match=r"another run is writing here.*--out .*free"):
        locked(tmp_path)
    first.release()
    assert not list(tmp_path.iterdir())
    locked(tmp_path).release(remove=False)
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_a_lock_that_a_killed_process_left_stops_nobody(tmp_path):
    ended = subprocess.run([sys.executable, "-c", HOLD_AND_DIE, str(tmp_path / LOCK)])
    assert ended.returncode == -9
    assert (tmp_path / LOCK).exists()
    check_output_free(tmp_path, overwrite=False)
    assert free_folder(tmp_path) == tmp_path
    locked(tmp_path).release()


@pytest.mark.parametrize("error", [OSError(errno.ENOLCK, "no locks"), NotImplementedError("no flock")])
def test_where_the_file_system_has_no_locks_a_word_says_so(tmp_path, monkeypatch, caplog, error):
    def refuse(_lock):
        raise error

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    locked(tmp_path).release()
    assert "cannot be locked on this file system" in caplog.text


def test_two_commands_do_not_fill_one_folder_at_the_same_time(tmp_path):
    """Before it is there, and when it is: the second is refused at its start, not when its work is done."""
    out = tmp_path / "out"
    for overwrite in (False, True):
        with whole_folder(out, overwrite=overwrite) as first:
            (first / "a").touch()
            with pytest.raises(InUseError, match="another run is writing here"), whole_folder(out, overwrite=True):
                pass
        assert [path.name for path in out.iterdir()] == ["a"]
        assert [path.name for path in tmp_path.iterdir()] == ["out"]
    with pytest.raises(UsageError, match="not empty"), whole_folder(out):
        pass
