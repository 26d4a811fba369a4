from pathlib import Path

import pytest


@pytest.fixture
def film(tmp_path) -> Path:
    """A video with sound; tests that use it are skipped without PyAV."""
    from videos import write_video

    return write_video(tmp_path / "film.mp4", sound="aac")
