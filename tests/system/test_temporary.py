import errno
from tempfile import gettempdir

import pytest

from ssd300.errors import RunError
from ssd300.system.temporary import temporary_folder

FULL = [OSError(errno.ENOSPC, "full"), OSError(errno.EFBIG, "full"), RuntimeError("basic_ios::clear: iostream error")]


@pytest.mark.parametrize("error", FULL)
def test_a_full_disk_of_temporary_files_is_named_with_the_way_to_another(error):
    with pytest.raises(RunError, match="TMPDIR") as caught, temporary_folder():
        raise error
    assert caught.value.where == gettempdir()


def test_other_errors_of_the_block_are_not_its_own():
    for error in (OSError(errno.ENOSPC, "full", "/elsewhere/out"), OSError(errno.EACCES, "no"), RuntimeError("no")):
        with pytest.raises(type(error)) as caught, temporary_folder():
            raise error
        assert caught.value is error
