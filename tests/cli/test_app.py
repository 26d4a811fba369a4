import errno

from ssd300.cli.app import _explained


def test_a_full_disk_says_where_even_if_the_write_did_not_name_its_file():
    error = _explained(OSError(errno.ENOSPC, "No space left on device"))
    assert error.what == "No space left on device"
    assert "a temporary one in" in error.where
    assert "Make room" in error.fix
    named = _explained(OSError(errno.ENOSPC, "No space left on device", "out/a.txt"))
    assert named.where == "out/a.txt"
