"""A file is opened as that file alone, whatever its name or content looks like."""

import os
from pathlib import Path

import pytest

from ssd300.detection.video import Video
from ssd300.errors import DataError
from videos import noise, write_clip

pytest.importorskip("av")


@pytest.mark.parametrize(
    "name", ["a?b%20c#d.mp4", "concat:a|b.mp4", "camera:0", "http:/a.mp4", "pipe:0.mp4", os.fsdecode(b"\xff.mp4")]
)
def test_any_name_is_that_of_a_file(name, tmp_path, monkeypatch):
    film = write_clip(tmp_path / "film.mp4", noise(3))
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(exist_ok=True)
    try:
        film.rename(name)
    except OSError:
        pytest.skip("the file system has no such names")
    with Video(Path(name)) as video:
        assert len(list(video.frames())) == 3


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfilm.mp4\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile film.mp4\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    ],
)
@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".m3u8"])
def test_a_playlist_opens_no_other_file(text, ending, tmp_path):
    write_clip(tmp_path / "film.mp4", noise(3))
    playlist = tmp_path / f"list{ending}"
    playlist.write_text(text)
    with pytest.raises(DataError, match="cannot be opened"):
        Video(playlist)
